#include <curl/curl.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "io/http.h"
#include "io/url.h"

namespace shaduf {
namespace {

constexpr size_t kBodyExcerptBytes = 240;
constexpr int64_t kFirstEpoch = 1'000'000'000;  // a larger number of "seconds" is a point in time

std::optional<int64_t> parse_integer(std::string_view text) {
    text = trim(text);
    int64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || text.empty()) return std::nullopt;
    if (end != text.data() + text.size() && *end != '.') return std::nullopt;  // "3.5" counts as 3
    return value;
}

std::chrono::milliseconds until(const RunContext& run, int64_t epoch_seconds) {
    const auto left = Timestamp(std::chrono::seconds(epoch_seconds)) - run.clock.now();
    return std::max(std::chrono::milliseconds(0), std::chrono::ceil<std::chrono::milliseconds>(left));
}

// One line of the beginning of a body.
std::string excerpt(std::string_view body) {
    std::string line;
    bool gap = false;
    for (const char c : body.substr(0, kBodyExcerptBytes)) {
        const bool is_space = static_cast<unsigned char>(c) <= ' ';
        if (!is_space && gap && !line.empty()) line += ' ';
        if (!is_space) line += c;
        gap = is_space;
    }
    return make_valid_utf8(line) + (body.size() > kBodyExcerptBytes ? "..." : "");
}

ErrorKind kind_of(int status) {
    switch (status) {
        case 401:
        case 403:
        case 407: return ErrorKind::auth;
        case 429: return ErrorKind::rate_limited;
        case 408:
        case 425: return ErrorKind::unavailable;
        default: return status >= 500 ? ErrorKind::unavailable : ErrorKind::invalid_config;
    }
}

std::string_view advice(int status) {
    switch (status) {
        case 401: return "; renew the credentials of this connection";
        case 403: return "; grant these credentials the right to read it";
        case 404: return "; check the path";
        default: return "";
    }
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (equals_ignoring_case(key, name)) return value;
    }
    return {};
}

std::optional<std::chrono::milliseconds> retry_delay(const RunContext& run, const HttpResponse& response) {
    if (const auto text = response.header("Retry-After"); !text.empty()) {
        if (const auto seconds = parse_integer(text))
            return std::chrono::seconds(std::clamp<int64_t>(*seconds, 0, kFirstEpoch));
        const auto date = curl_getdate(std::string(text).c_str(), nullptr);
        if (date >= 0) return until(run, date);
    }
    for (const std::string_view name : {"X-RateLimit-Reset", "X-Rate-Limit-Reset", "RateLimit-Reset"}) {
        const auto seconds = parse_integer(response.header(name));
        if (!seconds || *seconds < 0) continue;
        if (*seconds >= kFirstEpoch * 1000) return until(run, *seconds / 1000);  // milliseconds
        if (*seconds >= kFirstEpoch) return until(run, *seconds);
        return std::chrono::seconds(*seconds);
    }
    return std::nullopt;
}

std::optional<Timestamp> answer_date(const HttpResponse& response) {
    const auto text = response.header("Date");
    if (text.empty()) return std::nullopt;
    const auto seconds = curl_getdate(std::string(text).c_str(), nullptr);
    if (seconds < 0) return std::nullopt;
    return Timestamp(std::chrono::seconds(seconds));
}

Error http_error(const RunContext& run, const HttpRequest& request, const HttpResponse& response) {
    std::string message = "HTTP status " + std::to_string(response.status) + " for " + request.method + " " +
                          printable_url(request.url, request.secret_params) + std::string(advice(response.status));
    const auto delay = retry_delay(run, response);
    const ErrorKind kind = kind_of(response.status);
    if (delay > std::chrono::milliseconds(0) && (kind == ErrorKind::rate_limited || kind == ErrorKind::unavailable)) {
        message += "; it may be asked again in " +
                   std::to_string(std::chrono::ceil<std::chrono::seconds>(*delay).count()) + " s";
    }
    if (const auto body = excerpt(response.text()); !body.empty()) message += "; the answer: " + body;
    Error error(kind, std::move(message));
    if (!error.may_retry()) return error;
    constexpr int kRetryable[] = {408, 425, 429, 500, 502, 503, 504};
    if (std::find(std::begin(kRetryable), std::end(kRetryable), response.status) == std::end(kRetryable) &&
        response.status < 520)
        return error.permanent();  // 501 and 505 to 511 do not change by waiting; 520 and above are a CDN's own
    return delay ? error.retry_after(*delay) : error;
}

}  // namespace shaduf
