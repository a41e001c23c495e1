// The server over cpp-httplib. Its own loop over a connection is replaced by ours: so `stop` does not wait for kept
// connections to fall silent, small writes leave together, and an answer can be cut off at a chosen byte, which the
// library has no way for.
#include "io/http_server.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <thread>

#include "base/text.h"
#include "io/growing_threads.h"
#include "io/http_head.h"
#include "io/socket_wire.h"

namespace shaduf {
namespace {

constexpr size_t kReadBytes = 16 << 10;
constexpr size_t kWriteBytes = 64 << 10;
constexpr size_t kHeadBytesMax = 64 << 10;
constexpr size_t kBytesASecond = 16 << 10;  // no client is slower for long
constexpr int kBacklog = 512;
constexpr size_t kKeptRequestsMax = 1'000'000;
constexpr std::string_view kHeadersEnd = "\r\n\r\n";

using Moment = SocketWire::Moment;
Moment in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

// One connection, buffered both ways, that breaks where a fault says. One thread.
class Connection final : public httplib::Stream {
public:
    Connection(int socket, const HttpServerOptions& options, const TlsContext& tls, int stop_event)
        : wire_(socket, tls), options_(options), stop_event_(stop_event) {}

    bool shake_hands() { return wire_.shake_hands(in(options_.request_patience)); }
    // False when there will be no other request: the client went away or was silent, or the server stops.
    bool await_request() {
        if (read_at_ == read_.size() && !wire_.has_pending()) {
            const auto patience = std::chrono::milliseconds(options_.idle_timeout);
            std::array<pollfd, 2> files{pollfd{wire_.socket(), POLLIN, 0}, pollfd{stop_event_, POLLIN, 0}};
            const int ready = ::poll(files.data(), files.size(), static_cast<int>(patience.count()));
            if (ready <= 0 || files[1].revents != 0 || is_broken_) return false;
        }
        request_until_ = in(options_.request_patience);
        head_bytes_left_ = kHeadBytesMax;
        head_.clear();
        return true;
    }
    // What is read from now on is the body.
    void end_head() {
        head_bytes_left_ = SIZE_MAX;
        head_problem_ = check_request_head(head_);
    }
    // Whether the library has found a request in what came.
    bool has_head() const { return head_bytes_left_ == SIZE_MAX; }
    // A status, 0 when there is none.
    int head_problem() const { return head_problem_; }
    void arm(HttpServerFault fault) { fault_ = std::move(fault); }
    // The connection ends with the answer that is made now.
    void end_after_answer() { is_last_ = true; }
    // What goes on its way while the rest of an answer is made; nothing of one that will break.
    bool flush_early() { return is_armed() ? !is_broken_ : flush(); }
    // Behind an answer. False: the connection has ended.
    bool finish_answer() {
        const bool ok = flush();
        return is_armed() && !is_broken_ ? reset() > 0 : ok && !is_last_;
    }
    bool is_broken() const { return is_broken_; }
    bool flush() {
        if (!is_broken_ && !wire_.send(written_, in(options_.answer_patience))) is_broken_ = true;
        written_.clear();
        return !is_broken_;
    }

    bool is_readable() const override { return true; }  // `read` waits, and no longer than it may
    bool is_writable() const override { return !is_broken_; }
    ssize_t read(char* out, size_t size) override {
        if (read_at_ == read_.size() && !fill()) return -1;
        const size_t count = std::min({size, read_.size() - read_at_, head_bytes_left_});
        if (count == 0) return -1;
        if (head_bytes_left_ != SIZE_MAX) {
            head_bytes_left_ -= count;
            head_.append(read_, read_at_, count);
        }
        std::copy_n(read_.data() + read_at_, count, out);
        read_at_ += count;
        return static_cast<ssize_t>(count);
    }
    ssize_t write(const char* bytes, size_t size) override {
        if (is_broken_) return -1;
        if (is_armed()) return write_faulty({bytes, size});
        written_.append(bytes, size);
        if (written_.size() >= kWriteBytes && !flush()) return -1;
        return static_cast<ssize_t>(size);
    }
    void get_remote_ip_and_port(std::string& ip, int& port) const override { name_of(::getpeername, ip, port); }
    void get_local_ip_and_port(std::string& ip, int& port) const override { name_of(::getsockname, ip, port); }
    socket_t socket() const override { return wire_.socket(); }

    std::string accepts;  // the Accept-Encoding of the request, which the library must not see

private:
    bool is_armed() const { return fault_.kind != HttpServerFault::Kind::none; }
    bool fill() {
        flush();
        read_.resize(kReadBytes);
        const ssize_t count = wire_.receive(read_.data(), read_.size(), request_until_);
        read_.resize(count > 0 ? static_cast<size_t>(count) : 0);
        read_at_ = 0;
        request_until_ += std::chrono::milliseconds(read_.size() * 1000 / kBytesASecond);
        return count > 0;
    }
    ssize_t write_faulty(std::string_view bytes) {
        if (fault_.kind == HttpServerFault::Kind::raw) {
            written_ = fault_.raw_bytes;
            flush();
            is_broken_ = true;
            return -1;
        }
        if (fault_.kind == HttpServerFault::Kind::reset_before_headers) return reset();
        written_.append(bytes);
        const size_t head = written_.find(kHeadersEnd);
        if (head == std::string::npos) return static_cast<ssize_t>(bytes.size());
        const size_t end = head + kHeadersEnd.size() + fault_.body_bytes;
        if (written_.size() < end) return static_cast<ssize_t>(bytes.size());
        written_.resize(end);
        flush();
        return reset();
    }
    ssize_t reset() {
        wire_.reset();
        is_broken_ = true;
        return -1;
    }
    template <typename GetName>
    void name_of(GetName get_name, std::string& ip, int& port) const {
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        if (get_name(wire_.socket(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return;
        std::array<char, INET6_ADDRSTRLEN> text{};
        if (address.ss_family == AF_INET) {
            const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
            ip = ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
            port = ntohs(v4.sin_port);
        } else if (address.ss_family == AF_INET6) {
            const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
            ip = ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
            port = ntohs(v6.sin6_port);
        }
    }

    SocketWire wire_;
    const HttpServerOptions& options_;
    const int stop_event_;
    Moment request_until_{};
    size_t head_bytes_left_ = kHeadBytesMax;
    std::string head_;  // as it came
    int head_problem_ = 0;
    std::string read_;
    size_t read_at_ = 0;
    std::string written_;
    HttpServerFault fault_;
    bool is_broken_ = false;
    bool is_last_ = false;
};

// The connection that this thread serves: handlers of the library are not told.
thread_local Connection* serving = nullptr;

bool is_urlencoded(std::string_view content_type) {
    return to_lower(content_type).starts_with("application/x-www-form-urlencoded");
}

HttpServerRequest request_of(const httplib::Request& from) {
    HttpServerRequest request;
    request.method = from.method;
    int port = 0;
    serving->get_remote_ip_and_port(request.address, port);
    request.target = from.target;
    const size_t mark = from.target.find('?');
    request.path = percent_decode(std::string_view(from.target).substr(0, mark));
    if (mark != std::string::npos) request.query = parse_query(std::string_view(from.target).substr(mark + 1));
    for (const auto& [name, value] : from.headers) request.headers.emplace_back(name, value);
    if (!serving->accepts.empty()) request.headers.emplace_back("Accept-Encoding", serving->accepts);
    return request;
}

// Reads the body through `reader`; false when it is broken or, as one in chunks may turn out to be, too large.
bool read_body(const httplib::Request& from, const httplib::ContentReader& reader, uint64_t bytes_max,
               HttpServerRequest& request) {
    auto has_room = [&, bytes = uint64_t{0}](size_t more) mutable { return (bytes += more) <= bytes_max; };
    if (from.is_multipart_form_data()) {
        return reader(
            [&](const httplib::MultipartFormData& part) {
                request.form.emplace_back(part.name, std::string());
                return true;
            },
            [&](const char* bytes, size_t size) {
                if (!request.form.empty()) request.form.back().second.append(bytes, size);
                return has_room(size);
            });
    }
    if (!reader([&](const char* bytes, size_t size) {
            request.body.append(bytes, size);
            return has_room(size);
        })) {
        return false;
    }
    if (is_urlencoded(request.header("Content-Type"))) request.form = parse_query(request.body);
    return true;
}

void put_chunks(Connection& connection, std::function<bool(std::string&)> next, httplib::Response& to) {
    // The library asks again until it is told the end; what was written before is on its way while the next is made.
    to.set_chunked_content_provider("", [&connection, next = std::move(next)](size_t, httplib::DataSink& sink) {
        std::string chunk;
        if (!connection.flush_early()) return false;
        const bool more = next(chunk);
        if (!chunk.empty() && !sink.write(chunk.data(), chunk.size())) return false;
        if (!more) sink.done();
        return true;
    });
    to.headers.erase("Content-Type");
}

class Threads final : public httplib::TaskQueue {
public:
    explicit Threads(size_t threads_max) : threads_(threads_max) {}
    void enqueue(std::function<void()> job) override { threads_.enqueue(std::move(job)); }
    void shutdown() override { threads_.shutdown(); }

private:
    GrowingThreads threads_;
};

// cpp-httplib with the loop over a connection, and how a handler's answer is put, of our own.
class Library final : public httplib::Server {
public:
    Library(const HttpServerOptions& options, HttpServer::Handler handler, TlsContext tls, int stop_event)
        : options_(options), handler_(std::move(handler)), tls_(std::move(tls)), stop_event_(stop_event) {
        new_task_queue = [threads = options.connections_max] { return new Threads(threads); };
        set_payload_max_length(options.request_body_bytes_max);
        set_tcp_nodelay(true);
        set_keep_alive_timeout(options.idle_timeout.count());  // what the header tells; the loop is ours
        set_keep_alive_max_count(kKeptRequestsMax);
        // Not the library's SO_REUSEPORT, by which two servers may have one port.
        set_socket_options([](int socket) {
            const int yes = 1;
            ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        });
        set_pre_routing_handler([this](const httplib::Request& from, httplib::Response& to) {
            if (serving->head_problem() != 0) {
                to.status = serving->head_problem();
                serving->end_after_answer();
                return HandlerResponse::Handled;
            }
            if (has_body(from)) return HandlerResponse::Unhandled;
            HttpServerRequest request = request_of(from);
            if (skip_body(from)) {
                answer(request, to);
            } else {
                to.status = 400;
                serving->end_after_answer();
            }
            return HandlerResponse::Handled;
        });
        const auto with_body = [this](const httplib::Request& from, httplib::Response& to,
                                      const httplib::ContentReader& reader) {
            HttpServerRequest request = request_of(from);
            if (read_body(from, reader, options_.request_body_bytes_max, request)) return answer(request, to);
            if (request.body.size() > options_.request_body_bytes_max) to.status = 413;
            if (to.status == -1) to.status = 400;
            serving->end_after_answer();
        };
        Post(".*", with_body).Put(".*", with_body).Patch(".*", with_body).Delete(".*", with_body);
    }

    // The library's is five connections, of which a burst of clients would wait a second and more for the rest.
    void deepen_backlog() { ::listen(svr_sock_, kBacklog); }

private:
    // Where no length is told there is none (RFC 9112, section 6.3); the library would read until the end.
    static bool has_body(const httplib::Request& request) {
        const bool may_have = request.method == "POST" || request.method == "PUT" || request.method == "PATCH" ||
                              request.method == "DELETE";
        return may_have && (request.has_header("Content-Length") || request.has_header("Transfer-Encoding"));
    }

    // Clients send bodies where none is expected, with a GET: the library would take them for the next request.
    bool skip_body(const httplib::Request& request) {
        uint64_t rest = 0;
        const std::string length = request.get_header_value("Content-Length");
        std::from_chars(length.data(), length.data() + length.size(), rest);
        if (rest > options_.request_body_bytes_max || request.has_header("Transfer-Encoding")) return false;
        std::array<char, 4096> bytes{};
        while (rest > 0) {
            const ssize_t count = serving->read(bytes.data(), std::min<uint64_t>(rest, bytes.size()));
            if (count <= 0) return false;
            rest -= static_cast<uint64_t>(count);
        }
        return true;
    }

    void answer(const HttpServerRequest& request, httplib::Response& to) {
        HttpServerResponse response = handler_(request);
        to.status = response.status;
        for (const auto& [name, value] : response.headers) to.headers.emplace(name, value);
        if (response.next_chunk) {
            put_chunks(*serving, std::move(response.next_chunk), to);
            for (const auto& [name, value] : response.headers) {
                if (equals_ignoring_case(name, "Content-Type")) to.headers.emplace(name, value);
            }
        } else {
            to.body = std::move(response.body);
        }
        serving->arm(std::move(response.fault));
    }

    bool process_and_close_socket(socket_t socket) override {
        Connection connection(socket, options_, tls_, stop_event_);
        serving = &connection;
        bool is_done = !connection.shake_hands();
        while (!is_done && connection.await_request()) {
            bool is_last = false;
            const bool ok = process_request(connection, false, is_last, [](httplib::Request& request) {
                // Compression and ranges are the handler's affair; the library adds what the client never sent.
                request.ranges.clear();
                serving->end_head();
                serving->accepts = request.get_header_value("Accept-Encoding");
                for (const char* name : {"Accept-Encoding", "REMOTE_ADDR", "REMOTE_PORT", "LOCAL_ADDR", "LOCAL_PORT"}) {
                    request.headers.erase(name);
                }
            });
            is_done = !connection.finish_answer() || !ok || is_last || !connection.has_head();
        }
        serving = nullptr;
        if (!connection.is_broken()) ::shutdown(socket, SHUT_RDWR);
        return true;
    }

    const HttpServerOptions options_;
    const HttpServer::Handler handler_;
    const TlsContext tls_;
    const int stop_event_;
};

class LibraryServer final : public HttpServer {
public:
    LibraryServer(const HttpServerOptions& options, Handler handler, TlsContext tls)
        : host_(options.host),
          is_tls_(tls != nullptr),
          stop_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
          library_(options, std::move(handler), std::move(tls), stop_event_) {}
    ~LibraryServer() override {
        stop();
        ::close(stop_event_);
    }
    LibraryServer(const LibraryServer&) = delete;
    LibraryServer& operator=(const LibraryServer&) = delete;

    Result<void> listen(int port) {
        port_ = port;
        if (port == 0) {
            port_ = library_.bind_to_any_port(host_);
        } else if (!library_.bind_to_port(host_, port)) {
            port_ = -1;
        }
        if (port_ <= 0) {
            return Error(errno == EADDRINUSE ? ErrorKind::conflict : ErrorKind::invalid_config,
                         "cannot listen at " + host_ + ":" + std::to_string(port) + ": " +
                             std::error_code(errno, std::generic_category()).message() +
                             "; give another port, or 0 for a free one");
        }
        library_.deepen_backlog();
        thread_ = std::thread([this] {
            library_.listen_after_bind();
            is_ended_ = true;
        });
        while (!library_.is_running() && !is_ended_) std::this_thread::yield();
        return {};
    }

    int port() const override { return port_; }
    const std::string& host() const override { return host_; }
    bool is_tls() const override { return is_tls_; }
    void stop() override {
        if (!thread_.joinable()) return;
        const uint64_t one = 1;
        const ssize_t written = ::write(stop_event_, &one, sizeof one);
        (void)written;
        library_.stop();
        thread_.join();
    }

private:
    const std::string host_;
    const bool is_tls_;
    const int stop_event_;
    int port_ = -1;
    Library library_;
    std::atomic<bool> is_ended_{false};
    std::thread thread_;
};

std::string_view find_value(const QueryParams& values, std::string_view name) {
    for (const auto& [key, value] : values) {
        if (key == name) return value;
    }
    return {};
}

}  // namespace

std::string_view HttpServerRequest::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (equals_ignoring_case(key, name)) return value;
    }
    return {};
}

std::string_view HttpServerRequest::query_value(std::string_view name) const { return find_value(query, name); }

bool HttpServerRequest::has_query(std::string_view name) const {
    return std::any_of(query.begin(), query.end(), [&](const auto& param) { return param.first == name; });
}

std::string HttpServer::url() const {
    const bool is_v6 = host().find(':') != std::string::npos;
    return (is_tls() ? "https://" : "http://") + (is_v6 ? "[" + host() + "]" : host()) + ":" + std::to_string(port());
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpServerOptions& options, Handler handler) {
    TlsContext tls;
    if (!options.tls_certificate_file.empty()) {
        tls = TRY(make_tls_context(options.tls_certificate_file, options.tls_key_file));
    }
    auto server = std::make_unique<LibraryServer>(options, std::move(handler), std::move(tls));
    TRY(server->listen(options.port));
    return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace shaduf
