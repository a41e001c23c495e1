#include "io/oauth1.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/io/fake_http.h"

namespace shaduf {
namespace {

const OAuth1Credentials kPublishedKeys{"xvz1evFS4wEEPTGEFPHBog", "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
                                       "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
                                       "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE"};
constexpr std::string_view kForm = "application/x-www-form-urlencoded";

// The base string of RFC 5849, section 3.4.1.1: a name without value, a repeated name, escapes of both kinds.
TEST(OAuth1, MakesTheBaseStringOfTheStandard) {
    const Url url = Url::parse("http://EXAMPLE.com:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b").value();
    QueryParams params = parse_query(url.query);
    for (auto& param : parse_query("c2&a3=2+q")) params.push_back(param);
    for (const auto& param : QueryParams{{"oauth_consumer_key", "9djdj82h48djs9d2"},
                                         {"oauth_token", "kkk9d7dh3k39sjv7"},
                                         {"oauth_signature_method", "HMAC-SHA1"},
                                         {"oauth_timestamp", "137131201"},
                                         {"oauth_nonce", "7d8f3e4a"}})
        params.push_back(param);
    EXPECT_EQ(oauth1_base_string("POST", url, params),
              "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%25"
              "40%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method"
              "%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7");
}

// The request for photographs of RFC 5849, section 1.2 (whose requests have no oauth_version).
TEST(OAuth1, SignsTheRequestOfTheStandard) {
    const Url url = Url::parse("http://photos.example.net/photos").value();
    const std::string base = oauth1_base_string("GET", url,
                                                {{"file", "vacation.jpg"},
                                                 {"size", "original"},
                                                 {"oauth_consumer_key", "dpf43f3p2l4k3l03"},
                                                 {"oauth_token", "nnch734d00sl2jdk"},
                                                 {"oauth_signature_method", "HMAC-SHA1"},
                                                 {"oauth_timestamp", "137131202"},
                                                 {"oauth_nonce", "chapoH"}});
    EXPECT_EQ(oauth1_signature(base, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00"), "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
}

// The example that the makers of the API publish: a form, a comma and a plus in its text.
TEST(OAuth1, SignsTheExampleOfTheApi) {
    HttpRequest request{.method = "POST",
                        .url = "https://api.twitter.com/1/statuses/update.json?include_entities=true",
                        .headers = {{"Content-Type", std::string(kForm)}},
                        .body = "status=Hello%20Ladies%20%2b%20Gentlemen%2c%20a%20signed%20OAuth%20request%21"};
    const Timestamp now{std::chrono::seconds(1'318'622'958)};
    ASSERT_TRUE(sign_oauth1(request, kPublishedKeys, now, "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg").ok());
    const auto header = parse_oauth1_header(FakeHttp::header(request, "Authorization"));
    ASSERT_TRUE(header.ok()) << header.error().to_string();
    EXPECT_THAT(header.value(), testing::Contains(testing::Pair("oauth_signature", "tnnArxj06cWHq44gCs1OSKk/jLY=")));
    EXPECT_THAT(header.value(), testing::Contains(testing::Pair("oauth_timestamp", "1318622958")));
}

TEST(OAuth1, LeavesJsonBodiesOutAndReplacesAnOldSignature) {
    HttpRequest first{.method = "POST", .url = "https://a.test/x", .body = R"({"a":1})"};
    HttpRequest second{.method = "POST",
                       .url = "https://a.test/x",
                       .headers = {{"Authorization", "OAuth old"}, {"Content-Type", "application/json"}},
                       .body = "other"};
    ASSERT_TRUE(sign_oauth1(first, kPublishedKeys, {}, "n").ok());
    ASSERT_TRUE(sign_oauth1(second, kPublishedKeys, {}, "n").ok());
    EXPECT_EQ(FakeHttp::header(first, "Authorization"), FakeHttp::header(second, "Authorization"));
}

TEST(OAuth1, RefusesHeadersThatAreNone) {
    for (const char* header : {"", "Bearer abc", "OAuth abc", "OAuth a=b", "OAuth a=\"b"}) {
        SCOPED_TRACE(header);
        EXPECT_FALSE(parse_oauth1_header(header).ok());
    }
}

}  // namespace
}  // namespace shaduf
