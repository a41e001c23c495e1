#include "observe/channel_http.h"

#include "base/text.h"
#include "io/url.h"
#include "observe/channel_text.h"

namespace shaduf::observe {
namespace {

constexpr std::chrono::seconds kConnectTimeout{10};
constexpr std::chrono::seconds kIdleTimeout{20};
constexpr uint64_t kResponseMax = 1 << 20;
constexpr size_t kSaidMax = 200;

// What is said of a request by its URL is said of its host alone.
std::string without_url(std::string text, const HttpRequest& request) {
    for (const std::string& url : {request.url, printable_url(request.url)}) {
        for (size_t at = text.find(url); !url.empty() && at != std::string::npos; at = text.find(url)) {
            text.replace(at, url.size(), host_of(request.url));
        }
    }
    return text;
}

bool comes_again(int status) { return status == 408 || status == 425 || status == 429 || status >= 500; }

}  // namespace

std::string host_of(std::string_view url) {
    const auto parsed = Url::parse(url);
    return parsed.ok() ? parsed.value().authority() : "";
}

Result<void> check_url(const Options& options, std::string_view field) {
    const auto parsed = Url::parse(options.text(field));
    const bool is_web = parsed.ok() && (parsed.value().scheme == "https" || parsed.value().scheme == "http");
    if (is_web) return {};
    return options.error(field, "not an address that begins with https:// or http://");
}

ChannelReply post(RunContext& run, const std::string& url, HttpHeaders headers, std::string body) {
    HttpRequest request;
    request.method = "POST";
    request.url = url;
    request.headers = std::move(headers);
    request.body = std::move(body);
    request.connect_timeout = kConnectTimeout;
    request.idle_timeout = kIdleTimeout;
    request.response_bytes_max = kResponseMax;
    request.follow_redirects = false;
    auto response = run.http.send(run, request);
    if (response.ok()) return {response.release_value(), {}};
    const Error& said = response.error();
    // Whatever it was may pass, a certificate that has expired, too: but for an address that is none.
    const bool is_kept = said.kind() == ErrorKind::invalid_config || said.kind() == ErrorKind::canceled;
    const Error error(is_kept ? said.kind() : ErrorKind::unavailable, without_url(said.to_string(), request));
    const bool is_certain = is_unsent(said) || said.kind() == ErrorKind::invalid_config;
    return {std::nullopt, SendOutcome::failed(error, !is_certain)};
}

SendOutcome refusal(const RunContext& run, std::string_view who, const HttpResponse& response, std::string_view said) {
    const std::string what = said.empty() ? std::string(trim(response.text())) : std::string(said);
    std::string text = std::string(who) + " answered " + std::to_string(response.status);
    if (!what.empty()) text += ": " + shorten(one_line(make_valid_utf8(what)), kSaidMax);
    if (!comes_again(response.status)) {
        const bool is_denied = response.status == 401 || response.status == 403;
        return SendOutcome::failed(Error(is_denied ? ErrorKind::auth : ErrorKind::invalid_config, text), false);
    }
    Error error(response.status == 429 ? ErrorKind::rate_limited : ErrorKind::unavailable, text);
    if (const auto delay = retry_delay(run, response)) error = error.retry_after(*delay);
    // A gateway that gives up does not know what became of the request.
    return SendOutcome::failed(error, response.status == 502 || response.status == 504);
}

}  // namespace shaduf::observe
