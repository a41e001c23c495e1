#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connectors/ads/client.h"
#include "io/http.h"

namespace shaduf::facebook {

// What an answer says of its failure: the object `error` of any answer, or the error fields of a report run.
struct ApiError {
    int64_t code = 0;
    int64_t subcode = 0;
    std::string message;
    std::string type;
    bool is_transient = false;
    std::string user_title;
    std::string user_message;
    std::string trace;
    std::string blamed;  // the parameters at fault, as the answer lists them
};

// Of an answer's body, which is readable for 16 bytes behind its end; nullopt when it tells no error.
std::optional<ApiError> read_error(std::string_view body);
// Of the state of a report run that failed (error_code and what stands beside it); code 0 when it does not say.
ApiError read_run_error(std::string_view body);

// Whether a throttle concerns the app's or token's calls of any account, and not those of one account alone.
bool throttles_all_accounts(int64_t code);

// The verdict on an error, with a sentence that says what Facebook said and what to do. `status` is that of the answer.
// Source: the tables of error codes in the Marketing API's and the Graph API's documentation.
ads::Judgement judge_error(const ApiError& error, int status);
// The verdict on any answer; looks into it as little as it can.
ads::Judgement judge_answer(const HttpResponse& response);

}  // namespace shaduf::facebook
