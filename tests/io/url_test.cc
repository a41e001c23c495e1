#include "io/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shaduf {
namespace {

TEST(Url, ParsesAndPrintsAgain) {
    struct Case {
        const char* text;
        const char* printed;  // nullptr: not a URL
        const char* authority;
        int port;
    };
    const Case cases[] = {
        {"https://Example.COM", "https://example.com", "example.com", 443},
        {"http://h:8080/a/b?x=1&y#f", "http://h:8080/a/b?x=1&y#f", "h:8080", 8080},
        {"http://h:80/", "http://h/", "h", 80},
        {"http://u:p%40@h/", "http://u:p%40@h/", "h", 80},
        {"http://[::1]:9000/x", "http://[::1]:9000/x", "[::1]:9000", 9000},
        {"HTTP://h?q=a/b", "http://h?q=a/b", "h", 80},
        {"s3://bucket/prefix", "s3://bucket/prefix", "bucket", 80},
        {"http://h:99999/", nullptr, "", 0},
        {"http://h:8x/", nullptr, "", 0},
        {"http:///path", nullptr, "", 0},
        {"http://a b/", nullptr, "", 0},
        {"/path", nullptr, "", 0},
        {"1http://h", nullptr, "", 0},
        {"", nullptr, "", 0},
    };
    for (const auto& [text, printed, authority, port] : cases) {
        SCOPED_TRACE(text);
        const auto url = Url::parse(text);
        ASSERT_EQ(url.ok(), printed != nullptr);
        if (!url.ok()) continue;
        EXPECT_EQ(url.value().to_string(), printed);
        EXPECT_EQ(url.value().authority(), authority);
        EXPECT_EQ(url.value().effective_port(), port);
    }
}

TEST(Url, ResolvesReferencesAsRfc3986Does) {
    const auto base = Url::parse("http://a/b/c/d;p?q").release_value();
    struct Case {
        const char* reference;
        const char* expected;
    };
    // From RFC 3986, sections 5.4.1 and 5.4.2.
    const Case cases[] = {
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {";x", "http://a/b/c/;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"https://z/x", "https://z/x"},
    };
    for (const auto& [reference, expected] : cases) {
        SCOPED_TRACE(reference);
        const auto url = resolve_reference(base, reference);
        ASSERT_TRUE(url.ok());
        EXPECT_EQ(url.value().to_string(), expected);
    }
    EXPECT_FALSE(resolve_reference(base, "mailto:x").ok());
}

TEST(Url, KnowsTheSameSite) {
    struct Case {
        const char* from;
        const char* to;
        bool same;
    };
    const Case cases[] = {
        {"http://a/x", "http://a/y", true},    {"http://a/", "http://A:80/", true},
        {"http://a/", "https://a/", true},     {"https://a/", "http://a/", false},
        {"http://a/", "http://a:81/", false},  {"http://a/", "http://b/", false},
        {"http://a:81/", "https://a/", false}, {"http://a/", "http://a.evil/", false},
    };
    for (const auto& [from, to, same] : cases) {
        SCOPED_TRACE(std::string(from) + " " + to);
        EXPECT_EQ(is_same_site(Url::parse(from).release_value(), Url::parse(to).release_value()), same);
    }
}

TEST(Url, EncodesAndDecodes) {
    EXPECT_EQ(percent_encode("a b/ü~*"), "a%20b%2F%C3%BC~%2A");
    EXPECT_EQ(percent_encode("a b/c", "/"), "a%20b/c");
    EXPECT_EQ(percent_decode("a%20b%2fc%zz%4"), "a b/c%zz%4");
    const QueryParams params = {{"a", "1 2"}, {"b", "&="}, {"c", ""}};
    EXPECT_EQ(format_query(params), "a=1%202&b=%26%3D&c=");
    EXPECT_EQ(parse_query("a=1+2&b=%26%3D&c&"), params);
}

TEST(Url, SetsQueryParameters) {
    struct Case {
        const char* url;
        const char* expected;
    };
    const Case cases[] = {
        {"http://h/p", "http://h/p?page=2"},
        {"http://h/p?a=b%20c", "http://h/p?a=b%20c&page=2"},
        {"http://h/p?page=1&a=b", "http://h/p?a=b&page=2"},
        {"http://h/p?a=b#f", "http://h/p?a=b&page=2#f"},
        {"http://h/p?", "http://h/p?page=2"},
    };
    for (const auto& [url, expected] : cases) EXPECT_EQ(with_query_param(url, "page", "2"), expected);
    EXPECT_EQ(without_query_param("http://h/p?a=1&b=2&a=3#f", "a"), "http://h/p?b=2#f");
    EXPECT_EQ(without_query_param("http://h/p?a=1", "a"), "http://h/p");
}

TEST(Url, PrintsNoSecrets) {
    struct Case {
        const char* url;
        const char* expected;
    };
    const Case cases[] = {
        {"http://user:word@h/p?a=1", "http://h/p?a=1"},
        {"http://h/p?X-Amz-Signature=abc&access_token=x&page=2",
         "http://h/p?X-Amz-Signature=***&access_token=***&page=2"},
        {"http://h/p?max-keys=9&key=abc", "http://h/p?max-keys=9&key=***"},
        {"http://h/p?mine=abc", "http://h/p?mine=***"},
        {"http://h/p@q?flag", "http://h/p@q?flag"},
        {"not a url", "not a url"},
    };
    const std::string mine[] = {"mine"};
    for (const auto& [url, expected] : cases) EXPECT_EQ(printable_url(url, mine), expected);
}

}  // namespace
}  // namespace shaduf
