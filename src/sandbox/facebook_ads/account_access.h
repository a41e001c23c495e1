#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sandbox/facebook_ads/errors.h"
#include "sandbox/facebook_ads/params.h"
#include "sandbox/platform.h"

namespace shaduf::sandbox::facebook {

inline constexpr std::string_view kToken = "EAAsandboxToken0123456789ZDZD";
inline constexpr std::string_view kAppId = "700100200300400";
inline constexpr std::string_view kAppSecret = "5a4d6b0f5eb18d20sandboxappsecret";

// The token of a call: of its header Authorization, else of its parameters.
std::string token_of(const HttpServerRequest& request, const Params& params);
// What is wrong with the token and with the proof that may come with it; nullopt: nothing.
std::optional<GraphError> check_access(const HttpServerRequest& request, const Params& params);

// GET /oauth/access_token and GET /debug_token.
HttpServerResponse exchange_token(const Params& params);
HttpServerResponse debug_token(const HttpServerRequest& request, const Params& params, Timestamp now);

// Adds what each answer tells of limits. `used` is what is taken of the account's allowance, in percent.
struct Usage {
    std::string account;
    double used = 0;
    int64_t reset_seconds = 0;
    bool is_insights = false;
    bool is_refused = false;
};
void add_usage_headers(const Usage& usage, HttpServerResponse& response);
GraphError too_many_calls(bool is_insights);

}  // namespace shaduf::sandbox::facebook
