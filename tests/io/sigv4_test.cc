#include "io/sigv4.h"

#include <gtest/gtest.h>

#include "io/crypto.h"
#include "tests/io/fake_http.h"

namespace shaduf {
namespace {

const Timestamp kSuiteTime{std::chrono::seconds(1'440'938'160)};  // 2015-08-30T12:36:00Z
const AwsCredentials kSuiteKeys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};

// Cases of AWS's published Signature Version 4 test suite (region us-east-1, service "service").
TEST(SigV4, SignsTheTestSuite) {
    struct Case {
        const char* name;
        HttpRequest request;
        const char* headers;
        const char* signature;
    };
    const std::string host = "https://example.amazonaws.com";
    const Case cases[] = {
        {"get-vanilla",
         {.url = host + "/"},
         "host;x-amz-date",
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-vanilla-query-order-key-case",
         {.url = host + "/?Param2=value2&Param1=value1"},
         "host;x-amz-date",
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        {"get-vanilla-empty-query-key",
         {.url = host + "/?Param1=value1"},
         "host;x-amz-date",
         "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
        {"post-vanilla",
         {.method = "POST", .url = host + "/"},
         "host;x-amz-date",
         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        {"post-x-www-form-urlencoded",
         {.method = "POST",
          .url = host + "/",
          .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
          .body = "Param1=value1"},
         "content-type;host;x-amz-date",
         "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    };
    for (const auto& [name, original, headers, signature] : cases) {
        SCOPED_TRACE(name);
        HttpRequest request = original;
        sign_sigv4(request, kSuiteKeys, {"us-east-1", "service", SigV4Path::encoded_again},
                   to_hex(sha256(request.body)), kSuiteTime);
        EXPECT_EQ(FakeHttp::header(request, "X-Amz-Date"), "20150830T123600Z");
        EXPECT_EQ(FakeHttp::header(request, "Authorization"),
                  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" +
                      std::string(headers) + ", Signature=" + signature);
    }
}

// The examples of the S3 API reference, "Authenticating Requests: Using the Authorization Header".
TEST(SigV4, SignsTheS3Examples) {
    struct Case {
        const char* name;
        HttpRequest request;
        const char* signature;
    };
    const std::string host = "https://examplebucket.s3.amazonaws.com";
    const Case cases[] = {
        {"GET Object",
         {.url = host + "/test.txt", .headers = {{"Range", "bytes=0-9"}}},
         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
        {"GET Bucket Lifecycle",
         {.url = host + "/?lifecycle"},
         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
        {"List Objects",
         {.url = host + "/?prefix=J&max-keys=2"},
         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    };
    for (const auto& [name, original, signature] : cases) {
        SCOPED_TRACE(name);
        HttpRequest request = original;
        const std::string hash = to_hex(sha256(""));
        request.headers.emplace_back("X-Amz-Content-Sha256", hash);
        sign_sigv4(request, {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""},
                   {"us-east-1", "s3"}, hash, Timestamp(std::chrono::seconds(1'369'353'600)));
        const std::string authorization(FakeHttp::header(request, "Authorization"));
        EXPECT_EQ(authorization.substr(authorization.rfind('=') + 1), signature);
    }
}

TEST(SigV4, SigningAgainReplacesTheFirst) {
    HttpRequest request{.url = "https://h/k%20y?b=2&a=1"};
    const AwsCredentials keys{"A", "S", "TOKEN"};
    sign_sigv4(request, keys, {"r", "s3"}, kUnsignedPayload, kSuiteTime);
    const auto once = request.headers;
    sign_sigv4(request, keys, {"r", "s3"}, kUnsignedPayload, kSuiteTime);
    EXPECT_EQ(request.headers, once);
    EXPECT_EQ(request.url, "https://h/k%20y?a=1&b=2");
    EXPECT_EQ(FakeHttp::header(request, "X-Amz-Security-Token"), "TOKEN");
}

}  // namespace
}  // namespace shaduf
