#include "sandbox/facebook_ads/account_access.h"

#include <algorithm>
#include <cmath>

#include "io/crypto.h"
#include "sandbox/facebook_ads/insights_rows.h"
#include "sandbox/frame/json_text.h"

namespace shaduf::sandbox::facebook {
namespace {

constexpr std::string_view kTier = "standard_access";
constexpr int64_t kLongTokenSeconds = 60LL * 86'400;

std::string app_token() { return std::string(kAppId) + "|" + std::string(kAppSecret); }

GraphError invalid_token(const std::string& message) { return {.message = message, .code = 190}; }

}  // namespace

std::string token_of(const HttpServerRequest& request, const Params& params) {
    constexpr std::string_view kBearer = "Bearer ";
    constexpr std::string_view kOauth = "OAuth ";
    const std::string_view header = request.header("Authorization");
    for (const std::string_view scheme : {kBearer, kOauth}) {
        if (header.starts_with(scheme)) return std::string(header.substr(scheme.size()));
    }
    return std::string(params.text("access_token"));
}

std::optional<GraphError> check_access(const HttpServerRequest& request, const Params& params) {
    const std::string token = token_of(request, params);
    if (token.empty()) {
        return GraphError{.message = "An access token is required to request this resource.", .code = 104};
    }
    if (token != kToken) return invalid_token("Invalid OAuth access token - Cannot parse access token");
    const std::string_view proof = params.text("appsecret_proof");
    if (!proof.empty() && proof != to_hex(hmac_sha256(kAppSecret, token))) {
        return GraphError{.message = "Invalid appsecret_proof provided in the API argument",
                          .code = 100,
                          .type = "GraphMethodException"};
    }
    return std::nullopt;
}

HttpServerResponse exchange_token(const Params& params) {
    if (params.text("client_id") != kAppId || params.text("client_secret") != kAppSecret) {
        return error_answer({.message = "Error validating client secret.", .code = 1});
    }
    const std::string_view grant = params.text("grant_type");
    JsonText json;
    if (grant == "client_credentials") {
        json.open('{').field("access_token", app_token()).field("token_type", "bearer").close('}');
        return json_answer(json.take());
    }
    if (grant != "fb_exchange_token" || params.text("fb_exchange_token") != kToken) {
        return error_answer(invalid_token("Invalid OAuth access token - Cannot parse access token"));
    }
    json.open('{').field("access_token", kToken).field("token_type", "bearer").field("expires_in", kLongTokenSeconds);
    return json_answer(json.close('}').take());
}

HttpServerResponse debug_token(const HttpServerRequest& request, const Params& params, Timestamp now) {
    const std::string asker = token_of(request, params);
    if (asker != app_token() && asker != kToken) {
        return error_answer(invalid_token("Invalid OAuth access token - Cannot parse access token"));
    }
    const bool is_valid = params.text("input_token") == kToken;
    JsonText json;
    json.open('{').key("data").open('{').field("app_id", kAppId).field("type", "USER").field("application", "Sandbox");
    json.key("is_valid").boolean(is_valid);
    if (is_valid) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
        json.field("expires_at", seconds + kLongTokenSeconds)
            .field("data_access_expires_at", seconds + kLongTokenSeconds);
        json.field("user_id", "104001112223334").key("scopes").raw(R"(["ads_read","business_management"])");
    } else {
        json.key("error")
            .open('{')
            .field("code", int64_t{190})
            .field("message", "Invalid OAuth access token.")
            .close('}');
        json.key("scopes").raw("[]");
    }
    return json_answer(json.close('}').close('}').take());
}

void add_usage_headers(const Usage& usage, HttpServerResponse& response) {
    const auto percent = static_cast<int64_t>(std::ceil(usage.used));
    const int64_t minutes = usage.is_refused ? std::max<int64_t>(1, (usage.reset_seconds + 59) / 60) : 0;
    JsonText app;
    app.open('{').field("call_count", std::min<int64_t>(percent, 100)).field("total_cputime", percent * 8 / 10);
    app.field("total_time", percent * 9 / 10).close('}');
    response.headers.emplace_back("x-app-usage", app.take());
    if (usage.account.empty()) return;

    JsonText account;
    account.open('{').key("acc_id_util_pct").raw(format_micros(std::llround(usage.used * 100) * 10'000));
    account.field("reset_time_duration", usage.reset_seconds).field("ads_api_access_tier", kTier).close('}');
    response.headers.emplace_back("x-ad-account-usage", account.take());

    JsonText business;
    business.open('{').key(usage.account).open('[').open('{');
    business.field("type", usage.is_insights ? "ad_insights" : "ads_management").field("call_count", percent);
    business.field("total_cputime", percent * 8 / 10).field("total_time", percent * 9 / 10);
    business.field("estimated_time_to_regain_access", minutes).field("ads_api_access_tier", kTier);
    response.headers.emplace_back("x-business-use-case-usage", business.close('}').close(']').close('}').take());

    if (!usage.is_insights) return;
    JsonText throttle;
    throttle.open('{').field("app_id_util_pct", percent / 2).field("acc_id_util_pct", percent);
    response.headers.emplace_back("x-fb-ads-insights-throttle",
                                  throttle.field("ads_api_access_tier", kTier).close('}').take());
}

GraphError too_many_calls(bool is_insights) {
    return {.message = std::string(is_insights ? "(#80000)" : "(#80004)") +
                       " There have been too many calls to this ad-account. Wait a bit and try again. For more info, " +
                       "please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting.",
            .code = is_insights ? 80000 : 80004,
            .subcode = 2446079,
            .user_title = "Ad Account Has Too Many API Calls",
            .user_message = "There have been too many calls from this ad-account. Please wait a bit and try again."};
}

}  // namespace shaduf::sandbox::facebook
