#include "sandbox/x_ads/signature.h"

#include <charconv>
#include <cstdlib>

#include "io/oauth1.h"

namespace shaduf::sandbox::x_ads {
namespace {

constexpr int64_t kSkewMaxSeconds = 300;

Refusal unauthorized(std::string message) { return {401, "UNAUTHORIZED_ACCESS", std::move(message), ""}; }

std::string value_of(const QueryParams& params, std::string_view name) {
    for (const auto& [key, value] : params) {
        if (key == name) return value;
    }
    return "";
}

// A client behind something that ends TLS has signed for https.
bool is_signed_for(std::string_view scheme, const HttpServerRequest& request, const QueryParams& params,
                   const std::string& signature) {
    const auto url = Url::parse(std::string(scheme) + "://" + std::string(request.header("Host")) + request.target);
    if (!url.ok()) return false;
    const std::string base = oauth1_base_string(request.method, url.value(), params);
    return signature == oauth1_signature(base, kConsumerSecret, kAccessTokenSecret);
}

}  // namespace

std::optional<Refusal> check_signature(const HttpServerRequest& request, Timestamp now) {
    auto header = parse_oauth1_header(request.header("Authorization"));
    if (!header.ok()) return unauthorized("This request is not properly authenticated");
    const QueryParams& own = header.value();
    if (value_of(own, "oauth_consumer_key") != kConsumerKey || value_of(own, "oauth_token") != kAccessToken)
        return unauthorized("This request is not properly authenticated");
    if (value_of(own, "oauth_signature_method") != "HMAC-SHA1" || value_of(own, "oauth_nonce").empty())
        return unauthorized("The signature method must be HMAC-SHA1, with a nonce");
    const std::string stamp = value_of(own, "oauth_timestamp");
    int64_t seconds = 0;
    const auto [end, failed] = std::from_chars(stamp.data(), stamp.data() + stamp.size(), seconds);
    const auto present = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    if (failed != std::errc() || end != stamp.data() + stamp.size() || std::abs(seconds - present) > kSkewMaxSeconds)
        return unauthorized("Timestamp out of bounds");
    QueryParams params = request.query;
    if (request.header("Content-Type").starts_with("application/x-www-form-urlencoded"))
        params.insert(params.end(), request.form.begin(), request.form.end());
    for (const auto& param : own) {
        if (param.first != "oauth_signature" && param.first != "realm") params.push_back(param);
    }
    const std::string signature = value_of(own, "oauth_signature");
    if (is_signed_for("http", request, params, signature) || is_signed_for("https", request, params, signature))
        return std::nullopt;
    return unauthorized("The signature does not match");
}

}  // namespace shaduf::sandbox::x_ads
