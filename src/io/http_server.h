#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/http.h"
#include "io/url.h"

namespace shaduf {

// A request as it came. `query` is decoded, in the order given; a name may stand in it more than once.
struct HttpServerRequest {
    std::string method;   // upper case
    std::string target;   // path and query, as the client wrote them
    std::string path;     // decoded
    QueryParams query;    // decoded
    HttpHeaders headers;  // sorted by name, those of one name in the order given
    std::string body;     // as sent; of a multipart form: "", its fields are in `form`
    QueryParams form;     // fields of a urlencoded or a multipart form, decoded
    std::string address;  // of the client: an IP address

    // The first of that name (ASCII case ignored for headers), or "".
    std::string_view header(std::string_view name) const;
    std::string_view query_value(std::string_view name) const;
    bool has_query(std::string_view name) const;
};

// What goes wrong with an answer on purpose, so that clients can be tried out.
struct HttpServerFault {
    enum class Kind : uint8_t {
        none,
        reset_before_headers,  // the connection is reset and nothing was written
        reset_in_body,         // headers, `body_bytes` of the body as it stands on the wire, reset
        raw,                   // `raw_bytes` instead of an answer, and the connection is closed
    };
    Kind kind = Kind::none;
    size_t body_bytes = 0;
    std::string raw_bytes = {};
};

struct HttpServerResponse {
    int status = 200;
    HttpHeaders headers;  // Content-Type among them; lengths and Connection are the server's
    std::string body;
    // When set, the body is sent in chunks, each as soon as it is there, instead of `body`: appends the next to `out`
    // (which may stay empty), and returns false behind the last. Called by the thread that called the handler, which
    // it outlives.
    std::function<bool(std::string& out)> next_chunk;
    HttpServerFault fault;
};

struct HttpServerOptions {
    std::string host = "127.0.0.1";
    int port = 0;                                // 0: a free one
    size_t connections_max = 96;                 // served at once, a thread each; more wait until one ends
    std::chrono::seconds idle_timeout{60};       // of a kept connection
    uint64_t request_body_bytes_max = 64 << 20;  // more is answered by 413
    // A request that is not whole by then ends the connection; each 16 KiB of it give a second more.
    std::chrono::milliseconds request_patience{30'000};
    std::chrono::milliseconds answer_patience{60'000};  // for the client to take some of an answer
    std::string tls_certificate_file = {};              // PEM; "": no TLS
    std::string tls_key_file = {};
};

// An HTTP/1.1 server with kept connections, by cpp-httplib. Request lines and header lines end at 8 KiB, longer ones
// are answered by 414 and 400, and a head of more than 64 KiB ends the connection. It compresses nothing by itself.
// Lifecycle: it serves from `start` until `stop`, which waits for the answers that are on their way. Thread-safe.
class HttpServer {
public:
    // Called by many threads at once.
    using Handler = std::function<HttpServerResponse(const HttpServerRequest&)>;

    // conflict when the port is taken; invalid_config for a host that is not of this machine.
    static Result<std::unique_ptr<HttpServer>> start(const HttpServerOptions& options, Handler handler);
    virtual ~HttpServer() = default;

    virtual int port() const = 0;
    std::string url() const;  // http://host:port, or https
    virtual const std::string& host() const = 0;
    virtual bool is_tls() const = 0;
    // Idempotent; done by the destructor too. Not for the handler to call.
    virtual void stop() = 0;
};

}  // namespace shaduf
