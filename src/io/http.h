#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/run_context.h"
#include "data/buffer.h"

namespace shaduf {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method = "GET";
    std::string url;      // http or https, already encoded
    HttpHeaders headers;  // one with Accept-Encoding gets the body as it was sent, not decompressed
    std::string body;
    std::vector<std::string> secret_params;  // names of query parameters that no message may show the values of
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds idle_timeout{60'000};  // without a byte arriving
    uint64_t response_bytes_max = 256ULL << 20;      // more is an error of kind bad_data
    bool follow_redirects = true;                    // within the same host only; to another host: an error
};

struct HttpResponse {
    int status = 0;
    HttpHeaders headers;
    BufferPtr body;  // decompressed, padded

    std::string_view text() const { return body->view(); }
    // The first header of that name (ASCII case ignored), or "".
    std::string_view header(std::string_view name) const;
};

// Gets a body while it comes, decompressed; an error ends the exchange and is its result.
using HttpBodySink = std::function<Result<void>(std::string_view bytes)>;

// Sends requests; any status is a response, only a failed exchange is an error (unavailable: connection refused or
// reset, time-out, body cut short, TLS failure permanent). Retries nothing. Thread-safe; connections are kept and
// reused. A request ends within a second of cancellation.
class HttpTransport {
public:
    virtual ~HttpTransport() = default;
    virtual Result<HttpResponse> send(RunContext& run, const HttpRequest& request) = 0;
    // As `send`, but the body of an answer of status 2xx goes to `on_bytes` as it comes, on this thread, and is empty
    // in the response; response_bytes_max does not hold for it.
    virtual Result<HttpResponse> stream(RunContext& run, const HttpRequest& request, const HttpBodySink& on_bytes);

    // What several users of the same host share, limits and tokens: made by the first who asks for `key`, alive while
    // one of them holds it. A prefix of the key says of what type it is.
    std::shared_ptr<void> shared_state(const std::string& key, const std::function<std::shared_ptr<void>()>& make);

private:
    std::mutex shared_mutex_;
    std::map<std::string, std::weak_ptr<void>> shared_;
};

// By libcurl: HTTP/1.1 and 2, TLS always verified, gzip, deflate, br and zstd, the proxy of the environment (never for
// loopback). The library is initialised by the first request.
std::unique_ptr<HttpTransport> make_curl_transport();

// How long the headers Retry-After (seconds or an HTTP date) or X-RateLimit-Reset (seconds, or an epoch) ask to wait.
std::optional<std::chrono::milliseconds> retry_delay(const RunContext& run, const HttpResponse& response);

// Whether an error of a transport means that nothing of the request has left: no address, no connection.
bool is_unsent(const Error& error);

// When the header Date says that the answer was made; nullopt without one that can be read.
std::optional<Timestamp> answer_date(const HttpResponse& response);

// The error that a status means: 401, 403 auth; 429 rate_limited and 408, 425, 500, 502, 503, 504 unavailable, with the
// delay of `retry_delay`; 404 and other 4xx invalid_config. The message
// has method, URL without query values that are secret, status, and the start of the body. REQUIRES: status >= 400
Error http_error(const RunContext& run, const HttpRequest& request, const HttpResponse& response);

}  // namespace shaduf
