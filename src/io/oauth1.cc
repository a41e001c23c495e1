#include "io/oauth1.h"

#include <algorithm>

#include "base/text.h"
#include "io/crypto.h"

namespace shaduf {
namespace {

constexpr std::string_view kScheme = "OAuth ";

bool is_form(const HttpRequest& request) {
    for (const auto& [name, value] : request.headers) {
        if (equals_ignoring_case(name, "Content-Type")) return value.starts_with("application/x-www-form-urlencoded");
    }
    return false;
}

}  // namespace

std::string oauth1_base_string(std::string_view method, const Url& url, QueryParams params) {
    for (auto& [name, value] : params) {
        name = percent_encode(name);
        value = percent_encode(value);
    }
    std::sort(params.begin(), params.end());
    std::string joined;
    for (const auto& [name, value] : params) joined += (joined.empty() ? "" : "&") + name + "=" + value;
    const std::string base = url.origin() + (url.path.empty() ? "/" : url.path);
    return std::string(method) + "&" + percent_encode(base) + "&" + percent_encode(joined);
}

std::string oauth1_signature(std::string_view base_string, std::string_view consumer_secret,
                             std::string_view token_secret) {
    return to_base64(hmac_sha1(percent_encode(consumer_secret) + "&" + percent_encode(token_secret), base_string));
}

Result<void> sign_oauth1(HttpRequest& request, const OAuth1Credentials& credentials, Timestamp now,
                         std::string_view nonce) {
    const Url url = TRY(Url::parse(request.url));
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    QueryParams own{{"oauth_consumer_key", credentials.consumer_key},
                    {"oauth_nonce", std::string(nonce)},
                    {"oauth_signature_method", "HMAC-SHA1"},
                    {"oauth_timestamp", std::to_string(seconds)}};
    if (!credentials.token.empty()) own.emplace_back("oauth_token", credentials.token);
    own.emplace_back("oauth_version", "1.0");
    QueryParams all = parse_query(url.query);
    all.insert(all.end(), own.begin(), own.end());
    if (is_form(request)) {
        const QueryParams form = parse_query(request.body);
        all.insert(all.end(), form.begin(), form.end());
    }
    const std::string base = oauth1_base_string(request.method, url, std::move(all));
    own.emplace_back("oauth_signature", oauth1_signature(base, credentials.consumer_secret, credentials.token_secret));
    std::string header(kScheme);
    for (const auto& [name, value] : own) {
        if (header.size() > kScheme.size()) header += ", ";
        header += name + "=\"" + percent_encode(value) + "\"";
    }
    std::erase_if(request.headers,
                  [](const auto& entry) { return equals_ignoring_case(entry.first, "Authorization"); });
    request.headers.emplace_back("Authorization", std::move(header));
    return {};
}

Result<QueryParams> parse_oauth1_header(std::string_view header) {
    if (!equals_ignoring_case(header.substr(0, kScheme.size()), kScheme))
        return Error(ErrorKind::bad_data, "not an OAuth header: it does not begin with OAuth");
    QueryParams params;
    for (const std::string_view piece : split(header.substr(kScheme.size()), ',')) {
        const std::string_view pair = trim(piece);
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos) return Error(ErrorKind::bad_data, "not an OAuth header: a part has no =");
        std::string_view value = trim(pair.substr(equals + 1));
        if (value.size() < 2 || !value.starts_with('"') || !value.ends_with('"'))
            return Error(ErrorKind::bad_data, "not an OAuth header: a value is not quoted");
        value = value.substr(1, value.size() - 2);
        params.emplace_back(percent_decode(trim(pair.substr(0, equals))), percent_decode(value));
    }
    return params;
}

}  // namespace shaduf
