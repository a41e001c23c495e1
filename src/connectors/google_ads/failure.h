#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/run_context.h"
#include "connectors/ads/client.h"

namespace shaduf::google_ads {

// One entry of a GoogleAdsFailure: https://developers.google.com/google-ads/api/reference/rpc/latest/GoogleAdsError
struct ApiError {
    std::string type;  // "queryError"
    std::string code;  // "UNRECOGNIZED_FIELD"
    std::string message;
    std::string trigger;     // the value that is at fault; "" when none is named
    std::string rate_scope;  // ACCOUNT or DEVELOPER; "" when nothing is limited
    std::optional<std::chrono::milliseconds> retry_delay = {};
};

// What the system says instead of rows.
struct Failure {
    int http_status = 0;
    std::string status;  // "INVALID_ARGUMENT"
    std::string message;
    std::string request_id;
    std::vector<ApiError> errors;

    bool has(std::string_view code) const;
    // Of calls for one account only, not of all of them.
    bool limits_account() const;
    std::optional<std::chrono::milliseconds> retry_delay() const;
};

// Reads an error object, also one in a list (as searchStream wraps it), also the token endpoint's. nullopt for anything
// else, such as an HTML page.
std::optional<Failure> parse_failure(std::string_view body);
// Of an answer that is no success, whatever its body.
Failure failure_of(const HttpResponse& response);

// What it means for the call, and what the user is told: what was said, with codes, and what to do.
ads::Judgement judge(const RunContext& run, const Failure& failure);

// Marks the message of an account that cannot be read since it is not enabled.
bool says_not_enabled(const Error& error);

}  // namespace shaduf::google_ads
