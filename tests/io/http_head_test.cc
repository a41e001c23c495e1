#include "io/http_head.h"

#include <gtest/gtest.h>

#include <string>

namespace shaduf {
namespace {

struct Case {
    const char* head;  // without the empty line at the end
    int status;
};

constexpr Case kCases[] = {
    {"GET / HTTP/1.1\r\nHost: a\r\n", 0},
    {"GET / HTTP/1.0\r\n", 0},
    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n", 0},
    {"GET /a?b=c%20d HTTP/1.1\r\nhost:a:80\r\nX:\r\nY: a\tb \x80\r\n", 0},
    {"GET http://A/b HTTP/1.1\r\nHost: a\r\n", 0},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n", 0},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked \r\n", 0},
    {"GET http://b/ HTTP/1.1\r\nHost: a\r\n", 400},
    {"GET http://a@b/ HTTP/1.1\r\nHost: a\r\n", 400},
    {"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n", 400},
    {"GET / HTTP/1.1\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400},
    {"GET / HTTP/2.0\r\nHost: a\r\n", 505},
    {"GET / HTTP\r\nHost: a\r\n", 400},
    {"GET /\r\nHost: a\r\n", 400},
    {"GET  / HTTP/1.1\r\nHost: a\r\n", 400},
    {"GET / a HTTP/1.1\r\nHost: a\r\n", 400},
    {"G(T / HTTP/1.1\r\nHost: a\r\n", 400},
    {"\r\nGET / HTTP/1.1\r\nHost: a\r\n", 400},
    {"GET / HTTP/1.1\nHost: a\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\nX: y\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\n X: y\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\n: y\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nX\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
    {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n", 501},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n", 501},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n", 400},
};

TEST(HttpHead, IsReadInOneWayOrNotAtAll) {
    for (const auto& [head, status] : kCases) {
        SCOPED_TRACE(head);
        EXPECT_EQ(check_request_head(std::string(head) + "\r\n"), status);
    }
    EXPECT_EQ(check_request_head(std::string("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 30)), 400);
    EXPECT_EQ(check_request_head("GET / HTTP/1.1\r\nHost: a\r\n"), 400) << "without its end";
    EXPECT_EQ(check_request_head(""), 400);
}

TEST(HttpHead, HasNotTooManyLines) {
    std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 1; i < kHeadersMax; ++i) head += "X: y\r\n";
    EXPECT_EQ(check_request_head(head + "\r\n"), 0);
    EXPECT_EQ(check_request_head(head + "X: y\r\n\r\n"), 431);
}

}  // namespace
}  // namespace shaduf
