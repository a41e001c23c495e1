#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "io/http.h"

namespace shaduf::facebook {

// What the headers of an answer say is used up of its limits, in per cent: the highest number of each. nullopt: the
// answer does not say.
struct Usage {
    std::optional<double> app;                // of the app's or the token's calls, whatever the account
    std::optional<double> account;            // of the calls for the account
    std::optional<double> reports;            // of what may be computed of reports: the app's or the account's
    std::chrono::milliseconds app_regain{0};  // 0: it does not say when calls are allowed again
    std::chrono::milliseconds account_regain{0};
    std::chrono::milliseconds account_reset{0};  // until nothing counts as used; 0: it does not say
};

// `account` is the bare number of the account that was asked for. Headers that are no JSON say nothing.
Usage read_usage(const HttpResponse& response, std::string_view account);

}  // namespace shaduf::facebook
