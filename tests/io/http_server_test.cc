#include "io/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <thread>

namespace shaduf {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;

// A socket to a server, for what a client would hide.
class RawClient {
public:
    explicit RawClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(static_cast<uint16_t>(port));
        EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    ~RawClient() { ::close(socket_); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    void send(std::string_view bytes) {
        EXPECT_EQ(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    }
    // All there is until the other side closes; "<reset>" at the end when it did so by force.
    std::string read_to_end() {
        std::string all;
        char buffer[4096];
        for (;;) {
            const ssize_t count = ::recv(socket_, buffer, sizeof buffer, 0);
            if (count == 0) return all;
            if (count < 0) return all + "<reset>";
            all.append(buffer, static_cast<size_t>(count));
        }
    }
    std::string read_until(std::string_view end) {
        std::string all;
        char byte = 0;
        while (!all.ends_with(end) && ::recv(socket_, &byte, 1, 0) == 1) all += byte;
        return all;
    }

private:
    int socket_;
};

// What a handler was called with last, from thread to thread.
class LastRequest {
public:
    void set(const HttpServerRequest& request) {
        const std::lock_guard lock(mutex_);
        request_ = request;
    }
    HttpServerRequest get() const {
        const std::lock_guard lock(mutex_);
        return request_;
    }

private:
    mutable std::mutex mutex_;
    HttpServerRequest request_;
};

std::unique_ptr<HttpServer> start(HttpServer::Handler handler) {
    auto server = HttpServer::start({}, std::move(handler));
    EXPECT_TRUE(server.ok()) << server.error().to_string();
    return server.release_value();
}

std::string answer_of(const HttpServer& server, std::string_view request) {
    RawClient client(server.port());
    client.send(request);
    return client.read_to_end();
}

TEST(HttpServer, HandsOverARequestAsItCame) {
    LastRequest last;
    const auto server = start([&](const HttpServerRequest& request) {
        last.set(request);
        return HttpServerResponse{.status = 201, .headers = {{"Content-Type", "application/json"}}, .body = "{}"};
    });
    const std::string answer = answer_of(
        *server,
        "POST /a%20b/c?x=1&y=a%2Bb+c&x=2 HTTP/1.1\r\nHost: h\r\nX-Key: v\r\nAccept-Encoding: gzip\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\nConnection: close\r\n\r\np=%7B&q=2");
    const HttpServerRequest seen = last.get();
    EXPECT_EQ(seen.method, "POST");
    EXPECT_EQ(seen.target, "/a%20b/c?x=1&y=a%2Bb+c&x=2");
    EXPECT_EQ(seen.path, "/a b/c");
    EXPECT_THAT(seen.query, ElementsAre(Pair("x", "1"), Pair("y", "a+b c"), Pair("x", "2")));
    EXPECT_THAT(seen.form, ElementsAre(Pair("p", "{"), Pair("q", "2")));
    EXPECT_EQ(seen.body, "p=%7B&q=2");
    EXPECT_EQ(seen.header("x-key"), "v");
    EXPECT_EQ(seen.header("accept-encoding"), "gzip");
    EXPECT_EQ(seen.header("REMOTE_ADDR"), "");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 201 Created\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Type: application/json\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\n{}"));
}

TEST(HttpServer, ReadsFormsOfManyKilobytesAndMultipartForms) {
    LastRequest last;
    const auto server = start([&](const HttpServerRequest& request) {
        last.set(request);
        return HttpServerResponse{};
    });
    const std::string large(100'000, 'v');
    answer_of(*server,
              "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
                  std::to_string(large.size() + 2) + "\r\nConnection: close\r\n\r\nk=" + large);
    EXPECT_THAT(last.get().form, ElementsAre(Pair("k", large)));
    const std::string parts =
        "--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
        "--xx\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\ntwo\r\n--xx--\r\n";
    answer_of(*server,
              "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=xx\r\nContent-Length: " +
                  std::to_string(parts.size()) + "\r\nConnection: close\r\n\r\n" + parts);
    EXPECT_THAT(last.get().form, ElementsAre(Pair("a", "1"), Pair("b", "two")));
}

TEST(HttpServer, APostWithoutALengthHasNoBody) {
    const auto server = start([](const HttpServerRequest& request) {
        return HttpServerResponse{.body = request.method + std::to_string(request.body.size())};
    });
    RawClient client(server->port());
    client.send("POST / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(client.read_until("POST0"), HasSubstr("200 OK"));
}

TEST(HttpServer, ABodyOfAGetIsNoRequest) {
    const auto server =
        start([](const HttpServerRequest& request) { return HttpServerResponse{.body = request.path}; });
    RawClient client(server->port());
    client.send("GET /one HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}GET /two HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(client.read_until("/one"), HasSubstr("200 OK"));
    EXPECT_THAT(client.read_until("/two"), HasSubstr("200 OK"));
    EXPECT_THAT(answer_of(*server, "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                HasSubstr("400 Bad Request"));
}

TEST(HttpServer, KeepsAConnection) {
    const auto server =
        start([](const HttpServerRequest& request) { return HttpServerResponse{.body = request.path}; });
    RawClient client(server->port());
    for (const std::string path : {"/one", "/two", "/six"}) {
        client.send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
        EXPECT_THAT(client.read_until(path), HasSubstr("Content-Length: 4\r\n"));
    }
}

TEST(HttpServer, SendsChunksAsTheyAreMade) {
    const auto server = start([](const HttpServerRequest&) {
        HttpServerResponse response{.headers = {{"Content-Type", "text/csv"}}};
        response.next_chunk = [n = 0](std::string& out) mutable {
            if (n == 1) return ++n, true;  // an empty one is not the end
            out = "row" + std::to_string(n);
            return ++n < 3;
        };
        return response;
    });
    const std::string answer = answer_of(*server, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, HasSubstr("Transfer-Encoding: chunked\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Type: text/csv\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\n4\r\nrow0\r\n4\r\nrow2\r\n0\r\n\r\n"));
}

TEST(HttpServer, BreaksAnswersWhereItIsTold) {
    using Kind = HttpServerFault::Kind;
    const auto server = start([](const HttpServerRequest& request) {
        HttpServerResponse response{.body = "0123456789"};
        if (request.path == "/before") response.fault = {.kind = Kind::reset_before_headers};
        if (request.path == "/after") response.fault = {.kind = Kind::reset_in_body};
        if (request.path == "/within") response.fault = {.kind = Kind::reset_in_body, .body_bytes = 4};
        if (request.path == "/raw") response.fault = {.kind = Kind::raw, .raw_bytes = "\x15\x03\x01"};
        if (request.path == "/chunks") {
            response.fault = {.kind = Kind::reset_in_body, .body_bytes = 4};
            response.next_chunk = [](std::string& out) { return out = "0123456789", false; };
        }
        return response;
    });
    const auto get = [&](const std::string& path) {
        return answer_of(*server, "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    };
    EXPECT_EQ(get("/before"), "<reset>");
    EXPECT_THAT(get("/after"), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\n<reset>")));
    EXPECT_THAT(get("/within"), HasSubstr("\r\n\r\n0123<reset>"));
    EXPECT_THAT(get("/chunks"), HasSubstr("\r\n\r\na\r\n0<reset>"));
    EXPECT_EQ(get("/raw"), "\x15\x03\x01");
}

TEST(HttpServer, StopsWhileConnectionsAreKept) {
    const auto server = start([](const HttpServerRequest&) { return HttpServerResponse{.body = "!"}; });
    RawClient client(server->port());
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    client.read_until("!");
    server->stop();
    server->stop();
    EXPECT_EQ(client.read_to_end(), "");
}

TEST(HttpServer, RefusesAPortThatIsTaken) {
    const auto server = start([](const HttpServerRequest&) { return HttpServerResponse{}; });
    const auto second =
        HttpServer::start({.port = server->port()}, [](const HttpServerRequest&) { return HttpServerResponse{}; });
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().kind(), ErrorKind::conflict) << second.error().to_string();
}

TEST(HttpServer, ServesManyConnectionsAtOnce) {
    constexpr int kClients = 64;
    std::latch all_here(kClients);
    const auto server = start([&](const HttpServerRequest&) {
        all_here.arrive_and_wait();
        return HttpServerResponse{.body = "ok"};
    });
    std::vector<std::thread> clients;
    std::atomic<int> answered{0};
    for (int i = 0; i < kClients; ++i) {
        clients.emplace_back([&] {
            const auto answer = answer_of(*server, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            answered += answer.ends_with("ok") ? 1 : 0;
        });
    }
    for (auto& client : clients) client.join();
    EXPECT_EQ(answered, kClients);
}

std::unique_ptr<HttpServer> start_bounded() {
    HttpServerOptions options;
    options.request_patience = std::chrono::milliseconds(50);
    options.request_body_bytes_max = 1'000;
    return HttpServer::start(options,
                             [](const HttpServerRequest& request) {
                                 HttpServerResponse response;
                                 response.body = request.address + " " + std::to_string(request.body.size());
                                 return response;
                             })
        .release_value();
}

TEST(HttpServer, EndsRequestsThatDoNotCome) {
    const auto server = start_bounded();
    const char* const kBody = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx";
    for (const char* begun : {"G", "GET / HTTP/1.1\r\nHost: a\r\n", kBody}) {
        SCOPED_TRACE(begun);
        RawClient client(server->port());
        client.send(begun);
        EXPECT_THAT(client.read_to_end(), testing::Not(HasSubstr("200 OK")));
    }
}

TEST(HttpServer, EndsHeadsWithoutAnEnd) {
    const auto server = start_bounded();
    RawClient client(server->port());
    std::string head = "GET / HTTP/1.1\r\n";
    while (head.size() < 70'000) head += "X-Padding: " + std::string(1'000, 'x') + "\r\n";
    client.send(head + "\r\n");
    EXPECT_THAT(client.read_to_end(), testing::Not(HasSubstr("200 OK")));
}

TEST(HttpServer, RefusesBodiesInChunksThatTurnOutTooLarge) {
    const auto server = start_bounded();
    RawClient client(server->port());
    std::string body;
    for (int i = 0; i < 3; ++i) body += "190\r\n" + std::string(400, 'x') + "\r\n";
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + body + "0\r\n\r\n");
    EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 413"));
}

TEST(HttpServer, TellsTheClientsAddress) {
    const auto server = start_bounded();
    RawClient client(server->port());
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.read_to_end(), EndsWith("127.0.0.1 0"));
}

TEST(HttpServer, RefusesACertificateThatIsNone) {
    HttpServerOptions options;
    options.tls_certificate_file = options.tls_key_file = "/dev/null";
    const auto server = HttpServer::start(options, [](const HttpServerRequest&) { return HttpServerResponse(); });
    ASSERT_FALSE(server.ok());
    EXPECT_THAT(server.error().message(), HasSubstr("cannot use the certificate: /dev/null"));
}

}  // namespace
}  // namespace shaduf
