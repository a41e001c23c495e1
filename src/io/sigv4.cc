#include "io/sigv4.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "base/time.h"
#include "io/crypto.h"
#include "io/url.h"

namespace shaduf {
namespace {

// What differs between the dialects.
struct Words {
    std::string_view algorithm;
    std::string_view key;      // before the secret
    std::string_view request;  // at the end of the scope
    std::string_view date_header;
};
constexpr Words kAmazon{"AWS4-HMAC-SHA256", "AWS4", "aws4_request", "X-Amz-Date"};
constexpr Words kGoogle{"GOOG4-HMAC-SHA256", "GOOG4", "goog4_request", "X-Goog-Date"};

const Words& words_of(const SigV4Scope& scope) { return scope.dialect == SigV4Dialect::google ? kGoogle : kAmazon; }

// "20150830T123600Z"
std::string basic_format(Timestamp now) {
    std::string text = format_timestamp(std::chrono::floor<std::chrono::seconds>(now));
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
}

std::string canonical_query(const QueryParams& params) {
    std::vector<std::pair<std::string, std::string>> encoded;
    for (const auto& [name, value] : params) encoded.emplace_back(percent_encode(name), percent_encode(value));
    std::sort(encoded.begin(), encoded.end());
    std::string query;
    for (const auto& [name, value] : encoded) query += (query.empty() ? "" : "&") + name + "=" + value;
    return query;
}

// Trimmed, and runs of spaces made one.
std::string canonical_value(std::string_view value) {
    std::string text;
    for (const char c : trim(value)) {
        if (c != ' ' || text.empty() || text.back() != ' ') text += c;
    }
    return text;
}

bool is_signed(std::string_view name) {
    return name == "host" || name == "content-type" || name == "content-md5" || name.starts_with("x-amz-") ||
           name.starts_with("x-goog-") || name.starts_with("if-") || name == "range";
}

// By lower-case name; values of a name given twice are joined in their order.
std::map<std::string, std::string> signed_headers(const HttpRequest& request, const Url& url) {
    std::map<std::string, std::string> headers;
    for (const auto& [name, value] : request.headers) {
        const std::string key = to_lower(name);
        if (!is_signed(key)) continue;
        auto [found, is_new] = headers.emplace(key, canonical_value(value));
        if (!is_new) found->second += "," + canonical_value(value);
    }
    headers.emplace("host", url.authority());
    return headers;
}

std::string signature_of(std::string_view secret, std::string_view date, const SigV4Scope& scope,
                         std::string_view text) {
    auto key = hmac_sha256(std::string(words_of(scope).key) + std::string(secret), date);
    for (const std::string_view part :
         {std::string_view(scope.region), std::string_view(scope.service), words_of(scope).request}) {
        key = hmac_sha256(as_text(key), part);
    }
    return to_hex(hmac_sha256(as_text(key), text));
}

}  // namespace

void sign_sigv4(HttpRequest& request, const AwsCredentials& credentials, const SigV4Scope& scope,
                std::string_view payload_hash, Timestamp now) {
    auto parsed = Url::parse(request.url);
    if (!parsed.ok()) return;  // the transport reports it
    Url& url = parsed.value();
    if (url.path.empty()) url.path = "/";
    url.query = canonical_query(parse_query(url.query));
    request.url = url.to_string();

    const Words& words = words_of(scope);
    const std::string time = basic_format(now);
    const std::string date = time.substr(0, 8);
    std::erase_if(request.headers, [&words](const auto& header) {
        const std::string name = to_lower(header.first);
        return name == to_lower(words.date_header) || name == "authorization" || name == "x-amz-security-token";
    });
    request.headers.emplace_back(words.date_header, time);
    if (!credentials.session_token.empty())
        request.headers.emplace_back("X-Amz-Security-Token", credentials.session_token);

    std::string canonical_headers;
    std::string names;
    for (const auto& [name, value] : signed_headers(request, url)) {
        canonical_headers += name + ":" + value + "\n";
        names += (names.empty() ? "" : ";") + name;
    }
    const std::string path = scope.path == SigV4Path::as_sent ? url.path : percent_encode(url.path, "/");
    const std::string canonical = request.method + "\n" + path + "\n" + url.query + "\n" + canonical_headers + "\n" +
                                  names + "\n" + std::string(payload_hash);
    const std::string scope_text = date + "/" + scope.region + "/" + scope.service + "/" + std::string(words.request);
    const std::string to_sign =
        std::string(words.algorithm) + "\n" + time + "\n" + scope_text + "\n" + to_hex(sha256(canonical));
    request.headers.emplace_back(
        "Authorization", std::string(words.algorithm) + " Credential=" + credentials.access_key + "/" + scope_text +
                             ", SignedHeaders=" + names +
                             ", Signature=" + signature_of(credentials.secret_key, date, scope, to_sign));
}

}  // namespace shaduf
