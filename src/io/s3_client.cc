#include "io/s3_client.h"

#include <algorithm>
#include <ctime>

#include "base/text.h"
#include "io/crypto.h"
#include "io/xml_text.h"

namespace shaduf {
namespace {

using Addressing = ObjectStoreSettings::Addressing;

constexpr std::string_view kAmazon = "s3://";
constexpr std::string_view kGoogle = "gs://";

bool is_one_of(std::string_view code, std::initializer_list<std::string_view> codes) {
    return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// "Fri, 02 Jan 2026 03:04:05 GMT"
std::optional<int64_t> parse_http_date(std::string_view text) {
    std::tm parts{};
    const std::string copy(text);
    if (::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S", &parts) == nullptr) return std::nullopt;
    return static_cast<int64_t>(::timegm(&parts));
}

Result<std::string> make_base_url(const ObjectStoreSettings& settings, const std::string& bucket,
                                  const std::string& region) {
    const bool is_google = settings.url.starts_with(kGoogle);
    const std::string endpoint = !settings.endpoint.empty() ? settings.endpoint
                                 : is_google                ? "https://storage.googleapis.com"
                                                            : "https://s3." + region + ".amazonaws.com";
    Url url = TRY(Url::parse(endpoint));
    if (url.scheme != "http" && url.scheme != "https")
        return Error(ErrorKind::invalid_config, "S3 endpoint is not an http or https URL: " + printable_url(endpoint));
    while (url.path.ends_with('/')) url.path.pop_back();
    const bool by_path = settings.addressing == Addressing::path ||
                         (settings.addressing == Addressing::automatic &&
                          (is_google || !settings.endpoint.empty() || bucket.find('.') != bucket.npos));
    if (by_path) return url.origin() + url.path + "/" + percent_encode(bucket);
    url.host = bucket + "." + url.host;
    return url.origin() + url.path;
}

// What the user can do about a credential that was refused.
std::string auth_advice(std::string_view code) {
    if (code == "SignatureDoesNotMatch") return "check the secret key";
    if (code == "InvalidAccessKeyId") return "check the access key";
    if (code == "ExpiredToken" || code == "InvalidToken") return "renew the session token";
    if (code == "RequestTimeTooSkewed") return "set this machine's clock";
    return "check what the access key may do";
}

}  // namespace

Result<std::unique_ptr<S3Client>> S3Client::create(const ObjectStoreSettings& settings) {
    const std::string_view place = std::string_view(settings.url).substr(kAmazon.size());
    const auto slash = place.find('/');
    auto client = std::unique_ptr<S3Client>(new S3Client());
    client->is_google_ = settings.url.starts_with(kGoogle);
    client->bucket_ = place.substr(0, slash);
    if (client->bucket_.size() < 3 || client->bucket_.find_first_of("?#@: ") != std::string::npos)
        return Error(ErrorKind::invalid_config, "no bucket in the URL: " + printable_url(settings.url) + "; write " +
                                                    std::string(client->scheme()) + "bucket/prefix");
    if (slash != std::string_view::npos) client->prefix_ = place.substr(slash + 1);
    while (client->prefix_.ends_with('/')) client->prefix_.pop_back();
    if (!client->prefix_.empty()) {
        TRY(check_object_key(client->prefix_));
        client->prefix_ += '/';
    }
    if (settings.access_key.empty() != settings.secret_key.empty())
        return Error(ErrorKind::invalid_config,
                     "access key and secret key come together: only one is given for " + printable_url(settings.url));
    if (client->is_google_ && !settings.encryption.empty())
        return Error(ErrorKind::invalid_config, "encryption is S3's: " + printable_url(settings.url) +
                                                    " is encrypted as the bucket says; take it away");
    if (client->is_google_ && !settings.session_token.empty())
        return Error(ErrorKind::invalid_config,
                     "session token is S3's: give an HMAC key of a service account for " + printable_url(settings.url));
    const char* const default_region = client->is_google_ ? "auto" : "us-east-1";
    client->region_ = settings.region.empty() ? default_region : settings.region;
    client->base_url_ = TRY(make_base_url(settings, client->bucket_, client->region_));
    client->credentials_ = {settings.access_key, settings.secret_key, settings.session_token};
    return client;
}

std::pair<std::string, std::string> S3Client::create_only() const {
    if (is_google_) return {"X-Goog-If-Generation-Match", "0"};
    return {"If-None-Match", "*"};
}

HttpRequest S3Client::make_request(const S3Request& request) const {
    HttpRequest http;
    http.method = request.method;
    http.url = base_url_ + "/" + percent_encode(request.key, "/");
    if (!request.query.empty()) http.url += "?" + format_query(request.query);
    http.headers = request.headers;
    http.headers.emplace_back("Accept-Encoding", "identity");  // the object's own bytes, whatever it says it is
    http.body = request.body;
    http.response_bytes_max = request.response_bytes_max;
    http.follow_redirects = false;
    return http;
}

Timestamp S3Client::signing_time(const RunContext& run) const {
    return run.clock.now() + std::chrono::seconds(clock_ahead_seconds_.load());
}

// Takes over the server's clock; false when that has been done already.
bool S3Client::correct_clock(const RunContext& run, const HttpResponse& response) {
    const auto date = parse_http_date(response.header("Date"));
    if (!date) return false;
    const auto now = std::chrono::floor<std::chrono::seconds>(run.clock.now()).time_since_epoch().count();
    const int64_t ahead = *date - now;
    if (std::abs(ahead - clock_ahead_seconds_.load()) < 60) return false;
    clock_ahead_seconds_ = ahead;
    return true;
}

Result<HttpResponse> S3Client::send(RunContext& run, const S3Request& request) {
    HttpRequest http = make_request(request);
    const HttpHeaders unsigned_headers = http.headers;
    const std::string hash = to_hex(sha256(request.body));
    for (;;) {
        http.headers = unsigned_headers;
        if (!credentials_.access_key.empty()) {
            http.headers.emplace_back(is_google_ ? "X-Goog-Content-Sha256" : "X-Amz-Content-Sha256", hash);
            SigV4Scope scope{region_, is_google_ ? "storage" : "s3"};
            scope.dialect = is_google_ ? SigV4Dialect::google : SigV4Dialect::amazon;
            sign_sigv4(http, credentials_, scope, hash, signing_time(run));
        }
        auto response = TRY(run.http.send(run, http));
        if (response.status >= 200 && response.status < 300) return response;
        const std::string code = xml_text(response.text(), "Code");
        if ((response.status == 404 && code != "NoSuchBucket") || response.status == 412) return response;
        if (code == "RequestTimeTooSkewed" && correct_clock(run, response)) continue;
        return error_of(run, http, response);
    }
}

Result<HttpResponse> S3Client::send_with_retries(RunContext& run, const S3Request& request) {
    return with_retries(run, retry_policy_, [&] { return send(run, request); });
}

Error S3Client::error_of(const RunContext& run, const HttpRequest& request, const HttpResponse& response) const {
    const auto xml = response.text();
    const std::string right_region = std::string(response.header("x-amz-bucket-region"));
    const std::string code = xml_text(xml, "Code");
    if ((is_one_of(code, {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}) ||
         response.status == 301) &&
        right_region != region_) {
        const std::string region = right_region.empty() ? xml_text(xml, "Region") : right_region;
        return Error(ErrorKind::invalid_config, "bucket is in another region: " + bucket_ +
                                                    (region.empty() ? "" : " is in " + region) + ", not in " + region_ +
                                                    "; set region" + (region.empty() ? "" : ": " + region));
    }
    if (code.empty()) return http_error(run, request, response);
    return error_of_code(run, code, xml_text(xml, "Message"), request, response);
}

Error S3Client::error_of_code(const RunContext& run, const std::string& code, const std::string& text,
                              const HttpRequest& request, const HttpResponse& response) const {
    const std::string message = "S3 refused " + request.method + " " + printable_url(request.url) + ": " + code +
                                (text.empty() ? "" : ": " + text);
    const auto with_delay = [&](const Error& error) {
        const auto delay = retry_delay(run, response);
        return delay ? error.retry_after(*delay) : error;
    };
    if (is_one_of(code,
                  {"SlowDown", "TooManyRequests", "RequestLimitExceeded", "Throttling", "BandwidthLimitExceeded"}))
        return with_delay(Error(ErrorKind::rate_limited, message));
    if (is_one_of(code, {"InternalError", "ServiceUnavailable", "RequestTimeout", "ConditionalRequestConflict",
                         "OperationAborted", "TemporaryRedirect", "BadDigest", "XAmzContentSHA256Mismatch"}))
        return with_delay(Error(ErrorKind::unavailable, message));
    if (is_one_of(code, {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken",
                         "AccountProblem", "AllAccessDisabled", "RequestTimeTooSkewed", "NotSignedUp"}))
        return Error(ErrorKind::auth,
                     message + " (HTTP status " + std::to_string(response.status) + "); " + auth_advice(code));
    if (is_one_of(code, {"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "InsufficientCapacity"}) ||
        response.status == 507)
        return Error(ErrorKind::exhausted, message);
    if (code == "NoSuchBucket")
        return Error(ErrorKind::invalid_config, "bucket not found: " + bucket_ + "; create it, or name another");
    if (response.status >= 500) {
        const Error error(ErrorKind::unavailable, message);
        return response.status == 501 ? error.permanent() : with_delay(error);
    }
    return Error(response.status == 403 || response.status == 401 ? ErrorKind::auth : ErrorKind::invalid_config,
                 message);
}

}  // namespace shaduf
