#include "io/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "tests/io/loopback_server.h"
#include "tests/world.h"

namespace shaduf {
namespace {

using After = LoopbackServer::After;
using testing::HasSubstr;
using testing::Not;

std::string gzip(std::string_view text) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string packed(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

// A server that writes `bytes` to whoever asks.
LoopbackServer answering(std::string bytes, After after = After::close) {
    return LoopbackServer([bytes = std::move(bytes), after](const std::string&, int socket) {
        LoopbackServer::write(socket, bytes);
        return after;
    });
}

Result<HttpResponse> get(const LoopbackServer& server, World& world, HttpRequest request = {}) {
    request.url = server.url("/x?token=tail&page=1");
    return make_curl_transport()->send(world.run, request);
}

TEST(Http, AnswersArriveWholeInEveryForm) {
    const std::string text(70'000, 'a');
    struct Case {
        const char* name;
        std::string bytes;
        std::string body;
    };
    const Case cases[] = {
        {"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"},
        {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "hello"},
        {"until close", "HTTP/1.1 200 OK\r\n\r\nhello", "hello"},
        {"gzip",
         "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " + std::to_string(gzip(text).size()) +
             "\r\n\r\n" + gzip(text),
         text},
        {"empty", "HTTP/1.1 204 No Content\r\n\r\n", ""},
        {"after an interim answer",
         "HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"},
    };
    for (const auto& [name, bytes, body] : cases) {
        SCOPED_TRACE(name);
        World world;
        const auto server = answering(bytes);
        auto response = get(server, world);
        ASSERT_TRUE(response.ok()) << response.error().to_string();
        EXPECT_EQ(response.value().text(), body);
        EXPECT_EQ(response.value().header("x"), "");
    }
}

TEST(Http, FailedExchangesSayWhetherToRetry) {
    struct Case {
        const char* name;
        std::string bytes;
        After after;
        ErrorKind kind;
        bool may_retry;
        const char* message;
    };
    const Case cases[] = {
        {"cut at a length", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", After::close, ErrorKind::unavailable,
         true, "response cut short after 5 bytes"},
        {"cut in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", After::close,
         ErrorKind::unavailable, true, "response cut short"},
        {"reset after the head", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", After::reset, ErrorKind::unavailable,
         true, ""},
        {"reset at once", "", After::reset, ErrorKind::unavailable, true, "request failed"},
        {"closed at once", "", After::close, ErrorKind::unavailable, true, "request failed"},
        {"not gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", After::close,
         ErrorKind::unavailable, true, "response cut short"},
        {"too large", "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'a'), After::close,
         ErrorKind::bad_data, false, "response is larger than"},
        {"elsewhere", "HTTP/1.1 302 Found\r\nLocation: http://localhost:1/y\r\nContent-Length: 0\r\n\r\n", After::close,
         ErrorKind::invalid_config, false, "redirected to another host"},
        {"for ever", "HTTP/1.1 302 Found\r\nLocation: ?token=x\r\nContent-Length: 0\r\n\r\n", After::keep,
         ErrorKind::bad_data, false, "redirected more than 10 times"},
    };
    for (const auto& [name, bytes, after, kind, may_retry, message] : cases) {
        SCOPED_TRACE(name);
        World world;
        const auto server = answering(bytes, after);
        auto response = get(server, world, {.response_bytes_max = 1000});
        ASSERT_FALSE(response.ok());
        EXPECT_EQ(response.error().kind(), kind) << response.error().to_string();
        EXPECT_EQ(response.error().may_retry(), may_retry);
        EXPECT_THAT(response.error().message(), HasSubstr(message));
        EXPECT_THAT(response.error().message(), HasSubstr("/x?token=***&page=1"));
    }
}

TEST(Http, NothingListeningAndOddSchemesAreErrors) {
    struct Case {
        const char* url;
        ErrorKind kind;
    };
    const Case cases[] = {
        {"http://127.0.0.1:1/", ErrorKind::unavailable},
        {"ftp://127.0.0.1/", ErrorKind::invalid_config},
        {"file:///etc/passwd", ErrorKind::invalid_config},
        {"127.0.0.1", ErrorKind::invalid_config},
    };
    for (const auto& [url, kind] : cases) {
        SCOPED_TRACE(url);
        World world;
        auto response = make_curl_transport()->send(world.run, {.url = url});
        ASSERT_FALSE(response.ok());
        EXPECT_EQ(response.error().kind(), kind) << response.error().to_string();
    }
}

TEST(Http, SilenceEndsTheRequest) {
    World world;
    const LoopbackServer server([](const std::string&, int socket) {
        LoopbackServer::write(socket, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel");
        LoopbackServer::wait_for_end(socket);
        return After::close;
    });
    auto response = get(server, world, {.idle_timeout = std::chrono::milliseconds(50)});
    ASSERT_FALSE(response.ok());
    EXPECT_TRUE(response.error().may_retry());
    EXPECT_THAT(response.error().message(), HasSubstr("no byte arrived for 50 ms"));
}

TEST(Http, CancellationEndsTheRequestAtOnce) {
    World world;
    const LoopbackServer server([&](const std::string&, int socket) {
        world.cancellation.cancel();
        LoopbackServer::wait_for_end(socket);
        return After::close;
    });
    auto response = get(server, world, {.idle_timeout = std::chrono::hours(1)});
    ASSERT_FALSE(response.ok());
    EXPECT_EQ(response.error().kind(), ErrorKind::canceled);
}

TEST(Http, ConnectionsAreKept) {
    World world;
    const auto server = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", After::keep);
    const auto transport = make_curl_transport();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(transport->send(world.run, {.url = server.url("/")}).ok());
    EXPECT_EQ(server.connections(), 1);
}

TEST(Http, RequestsCarryMethodHeadersAndBody) {
    World world;
    const auto server = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", After::keep);
    const auto transport = make_curl_transport();
    const HttpRequest requests[] = {
        {.method = "PUT", .url = server.url("/a/../b"), .headers = {{"X-Empty", ""}, {"X-One", "1"}}, .body = "body"},
        {.method = "DELETE", .url = server.url("/c")},
        {.method = "HEAD", .url = server.url("/d")},
        {.method = "POST", .url = server.url("/e")},
        {.url = server.url("/f"), .headers = {{"Accept-Encoding", "identity"}}},
    };
    for (const auto& request : requests) ASSERT_TRUE(transport->send(world.run, request).ok());
    const auto seen = server.requests();
    ASSERT_EQ(seen.size(), 5U);
    EXPECT_THAT(seen[0], testing::StartsWith("PUT /a/../b HTTP/1.1\r\n"));
    EXPECT_THAT(seen[0], testing::EndsWith("\r\n\r\nbody"));
    EXPECT_THAT(seen[0], HasSubstr("X-Empty:\r\n"));
    EXPECT_THAT(seen[0], HasSubstr("X-One: 1\r\n"));
    EXPECT_THAT(seen[0], Not(HasSubstr("Content-Type")));
    EXPECT_THAT(seen[0], HasSubstr("Accept-Encoding: deflate, gzip"));
    EXPECT_THAT(seen[1], testing::StartsWith("DELETE /c HTTP/1.1\r\n"));
    EXPECT_THAT(seen[2], testing::StartsWith("HEAD /d HTTP/1.1\r\n"));
    EXPECT_THAT(seen[3], HasSubstr("Content-Length: 0\r\n"));
    EXPECT_THAT(seen[4], HasSubstr("Accept-Encoding: identity\r\n"));
}

TEST(Http, RedirectsWithinTheHostAreFollowed) {
    World world;
    const LoopbackServer server([](const std::string& request, int socket) {
        const bool is_start = request.find("/start") != std::string::npos;
        LoopbackServer::write(socket, is_start
                                          ? "HTTP/1.1 303 See Other\r\nLocation: end?a=1\r\nContent-Length: 0\r\n\r\n"
                                          : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        return After::keep;
    });
    HttpRequest request{
        .method = "POST", .url = server.url("/in/start"), .headers = {{"Authorization", "Bearer x"}}, .body = "{}"};
    const auto transport = make_curl_transport();
    auto response = transport->send(world.run, request);
    ASSERT_TRUE(response.ok()) << response.error().to_string();
    EXPECT_EQ(response.value().text(), "ok");
    EXPECT_THAT(server.requests().back(), testing::StartsWith("GET /in/end?a=1 HTTP/1.1\r\n"));
    EXPECT_THAT(server.requests().back(), HasSubstr("Authorization: Bearer x"));

    request.follow_redirects = false;
    auto first = transport->send(world.run, request);
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(first.value().status, 303);
}

TEST(HttpError, StatusesSayWhoMustAct) {
    using std::chrono::milliseconds;
    struct Case {
        int status;
        HttpHeaders headers;
        ErrorKind kind;
        bool may_retry;
        std::optional<milliseconds> delay;
    };
    const Case cases[] = {
        {400, {}, ErrorKind::invalid_config, false, {}},
        {401, {}, ErrorKind::auth, false, {}},
        {403, {{"Retry-After", "3"}}, ErrorKind::auth, false, {}},
        {404, {}, ErrorKind::invalid_config, false, {}},
        {408, {}, ErrorKind::unavailable, true, {}},
        {425, {}, ErrorKind::unavailable, true, {}},
        {429, {}, ErrorKind::rate_limited, true, {}},
        {429, {{"retry-after", "30"}}, ErrorKind::rate_limited, true, milliseconds(30'000)},
        {429, {{"Retry-After", "Fri, 02 Jan 2026 03:04:15 GMT"}}, ErrorKind::rate_limited, true, milliseconds(10'000)},
        {429, {{"Retry-After", "Thu, 01 Jan 2026 00:00:00 GMT"}}, ErrorKind::rate_limited, true, milliseconds(0)},
        {429, {{"Retry-After", "soon"}}, ErrorKind::rate_limited, true, {}},
        {429, {{"X-RateLimit-Reset", "1767323050"}}, ErrorKind::rate_limited, true, milliseconds(5'000)},
        {429, {{"X-RateLimit-Reset", "7"}}, ErrorKind::rate_limited, true, milliseconds(7'000)},
        {500, {}, ErrorKind::unavailable, true, {}},
        {501, {}, ErrorKind::unavailable, false, {}},
        {502, {}, ErrorKind::unavailable, true, {}},
        {503, {{"Retry-After", "2"}}, ErrorKind::unavailable, true, milliseconds(2'000)},
        {504, {}, ErrorKind::unavailable, true, {}},
        {522, {}, ErrorKind::unavailable, true, {}},
    };
    World world;
    for (const auto& [status, headers, kind, may_retry, delay] : cases) {
        SCOPED_TRACE(std::to_string(status) + (headers.empty() ? "" : " " + headers[0].second));
        const HttpRequest request{.url = "https://u:p@api.test/v1?api_key=k&q=1&k9=s", .secret_params = {"k9"}};
        const auto error =
            http_error(world.run, request, FakeHttp::make_response(status, headers, "<b>\n  no\xff</b>"));
        EXPECT_EQ(error.kind(), kind);
        EXPECT_EQ(error.may_retry(), may_retry);
        EXPECT_EQ(error.retry_delay(), delay);
        EXPECT_THAT(error.message(), HasSubstr("HTTP status " + std::to_string(status) +
                                               " for GET https://api.test/v1?api_key=***&q=1&k9=***"));
        EXPECT_THAT(error.message(), testing::EndsWith("; the answer: <b> no\xEF\xBF\xBD</b>"));
    }
}

}  // namespace
}  // namespace shaduf
