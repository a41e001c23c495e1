#include "connectors/google_ads/failure.h"

#include "connectors/google_ads/rules.h"
#include "io/crypto.h"
#include "io/url.h"
#include "tests/connectors/google_ads_world.h"

namespace shaduf {
namespace {

using ads::Verdict;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

struct Said {
    int status;
    const char* type;
    const char* code;
    Verdict verdict;
    ErrorKind kind;
    const char* advice;
};

TEST(GoogleAdsFailureTest, MeansWhatTheErrorTablesSay) {
    constexpr ErrorKind kConfig = ErrorKind::invalid_config;
    constexpr ErrorKind kAuth = ErrorKind::auth;
    const Said kCases[] = {
        {500, "internalError", "INTERNAL_ERROR", Verdict::transient, ErrorKind::unavailable, "tried again"},
        {500, "internalError", "TRANSIENT_ERROR", Verdict::transient, ErrorKind::unavailable, "tried again"},
        {503, "databaseError", "CONCURRENT_MODIFICATION", Verdict::transient, ErrorKind::unavailable, ""},
        {504, "internalError", "DEADLINE_EXCEEDED", Verdict::too_large, ErrorKind::too_large, "slice_days"},
        {400, "requestError", "RPC_DEADLINE_TOO_SHORT", Verdict::too_large, ErrorKind::too_large, "slice_days"},
        {429, "quotaError", "RESOURCE_EXHAUSTED", Verdict::throttled, ErrorKind::rate_limited, "used up"},
        {429, "quotaError", "RESOURCE_TEMPORARILY_EXHAUSTED", Verdict::throttled, ErrorKind::rate_limited, "too fast"},
        {429, "quotaError", "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION", Verdict::throttled,
         ErrorKind::rate_limited, "too costly"},
        {429, "quotaError", "EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION", Verdict::throttled,
         ErrorKind::rate_limited, "fewer fields"},
        {401, "authenticationError", "OAUTH_TOKEN_EXPIRED", Verdict::unauthorized, kAuth, "refresh token"},
        {401, "authenticationError", "OAUTH_TOKEN_INVALID", Verdict::unauthorized, kAuth, "refresh token"},
        {401, "authenticationError", "CUSTOMER_NOT_FOUND", Verdict::refused, kConfig, "customer_ids"},
        {401, "authenticationError", "NOT_ADS_USER", Verdict::refused, kAuth, "invite"},
        {401, "authenticationError", "TWO_STEP_VERIFICATION_NOT_ENROLLED", Verdict::refused, kAuth, "2-step"},
        {401, "authenticationError", "DEVELOPER_TOKEN_INVALID", Verdict::refused, kAuth, "developer_token"},
        {403, "authorizationError", "USER_PERMISSION_DENIED", Verdict::refused, kAuth, "login_customer_id"},
        {403, "authorizationError", "CUSTOMER_NOT_ENABLED", Verdict::refused, kAuth, "enable the account"},
        {403, "authorizationError", "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION", Verdict::refused, kAuth, "apply"},
        {403, "authorizationError", "METRIC_ACCESS_DENIED", Verdict::refused, kAuth, "metrics"},
        {403, "authorizationError", "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION", Verdict::refused,
         kConfig, "login_customer_id"},
        {403, "authorizationError", "SOMETHING_NEW", Verdict::refused, kAuth, "login_customer_id"},
        {400, "queryError", "UNRECOGNIZED_FIELD", Verdict::refused, kConfig, "query or fields"},
        {400, "queryError", "REQUESTED_METRICS_FOR_MANAGER", Verdict::refused, kConfig, "client accounts"},
        {400, "requestError", "UNSUPPORTED_VERSION", Verdict::refused, kConfig, "api_version"},
        {404, "requestError", "UNKNOWN", Verdict::refused, kConfig, "base_url"},
    };
    World world;
    for (const Said& said : kCases) {
        SCOPED_TRACE(said.code);
        const auto failure = google_ads::failure_of(GoogleFake::error(said.status, said.type, said.code));
        const auto judgement = google_ads::judge(world.run, failure);
        EXPECT_EQ(judgement.verdict, said.verdict);
        EXPECT_THAT(judgement.message, AllOf(HasSubstr(said.code), HasSubstr("said so"), HasSubstr("request req-1"),
                                             HasSubstr(said.advice)));
        if (said.verdict == Verdict::refused) {
            EXPECT_EQ(judgement.kind, said.kind);
        }
    }
}

TEST(GoogleAdsFailureTest, ReadsBodiesThatAreNoneOfItsOwn) {
    World world;
    const std::tuple<int, const char*, Verdict> kCases[] = {
        {502, "<html><body>Bad gateway</body></html>", Verdict::transient},
        {503, "", Verdict::transient},
        {429, "slow down", Verdict::throttled},
        {401, "[]", Verdict::unauthorized},
        {403, "null", Verdict::refused},
        {404, "<html>", Verdict::refused},
        {400, R"({"error":7})", Verdict::refused},
        {500, R"([{"error":{"details":[7,{"errors":[8,{"errorCode":[]}]}]}}])", Verdict::transient},
    };
    for (const auto& [status, body, verdict] : kCases) {
        SCOPED_TRACE(body);
        const auto failure = google_ads::failure_of(FakeHttp::make_response(status, {}, body));
        EXPECT_EQ(google_ads::judge(world.run, failure).verdict, verdict);
    }
}

// Until midnight in California, where nothing says for how long.
TEST(GoogleAdsFailureTest, PausesUntilTheQuotaComesBack) {
    World world;  // 03:04:05 UTC
    const auto judge = [&](const std::string& more) {
        return google_ads::judge(
            world.run, google_ads::failure_of(GoogleFake::error(429, "quotaError", "RESOURCE_EXHAUSTED", more)));
    };
    EXPECT_EQ(judge("").wait, std::chrono::hours(4) + std::chrono::minutes(55) + std::chrono::seconds(55));
    EXPECT_EQ(judge(R"(,"details":{"quotaErrorDetails":{"retryDelay":"30s"}})").wait, std::chrono::seconds(30));
    EXPECT_EQ(judge(R"(,"details":{"quotaErrorDetails":{"retryDelay":"1.5s"}})").wait, std::chrono::seconds(2));
}

google_ads::Credentials user() {
    google_ads::Credentials credentials;
    credentials.client_id = "1-a.apps";
    credentials.client_secret = "hush";
    credentials.refresh_token = "hush-hush";
    credentials.token_url = "http://api.test/token";
    return credentials;
}

TEST(GoogleAdsTokenTest, SaysWhyNoneIsGiven) {
    const std::tuple<int, const char*, const char*> kCases[] = {
        {400, R"({"error":"invalid_grant","error_description":"Token has been expired or revoked."})", "sign in again"},
        {401, R"({"error":"invalid_client"})", "correct client_id and client_secret"},
        {400, "<html>", "correct client_id, client_secret and refresh_token"},
        {200, "{}", "no access_token"},
    };
    for (const auto& [status, body, message] : kCases) {
        SCOPED_TRACE(body);
        World world;
        world.http.expect("POST /token").reply(status, body);
        const auto token = google_ads::TokenSource(user()).token(world.run);
        ASSERT_FALSE(token.ok());
        EXPECT_EQ(token.error().kind(), ErrorKind::auth);
        EXPECT_THAT(token.error().message(), AllOf(HasSubstr(message), Not(HasSubstr("hush"))));
    }
}

TEST(GoogleAdsTokenTest, IsFetchedAgainShortlyBeforeItEnds) {
    World world;
    world.http.expect("POST /token")
        .reply(503, "busy")
        .reply(R"({"access_token":"one","expires_in":3599})")
        .reply(R"({"access_token":"two","expires_in":3599})");
    google_ads::TokenSource tokens(user());
    EXPECT_EQ(tokens.token(world.run).value(), "one");
    world.clock.advance(std::chrono::minutes(50));
    EXPECT_EQ(tokens.token(world.run).value(), "one");
    world.clock.advance(std::chrono::minutes(9));
    EXPECT_EQ(tokens.token(world.run).value(), "two");
    EXPECT_THAT(world.http.unused(), IsEmpty());
}

TEST(GoogleAdsTokenTest, AnnouncesTheEndOfTheRefreshToken) {
    for (const auto& [seconds, messages] : {std::pair("500000", 1U), std::pair("5000000", 0U)}) {
        World world;
        world.http.expect("POST /token")
            .reply(R"({"access_token":"t","expires_in":3599,"refresh_token_expires_in":)" + std::string(seconds) + "}");
        EXPECT_TRUE(google_ads::TokenSource(user()).token(world.run).ok());
        ASSERT_THAT(world.events.messages(), SizeIs(messages));
        if (messages == 0) continue;
        EXPECT_THAT(world.events.messages()[0], HasSubstr("the refresh token ends at 2026-01-07T21:57:25Z"));
    }
}

// Made for this test, and of no use anywhere else.
const char* const kKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQChctmCGIrtpl87\n"
    "ISF74bfEqaF0V9znauPjWfV0376rZnDnxnBOa55CvxKYJsKqhOu2cdNegOtBPOjz\n"
    "OOuv80fIhiUrqqDigFazUot/qEe4r/9MgsWtUjFRxBfKcEGjQQ2KuYyVm+7ZYFYj\n"
    "OcpB1KeJQxVEuh/Nv/fz7h2Y8k2A/p/IwJp8JnFAvpy8qzME3ZykxvEXT8nXA2gY\n"
    "o4ICnDSGiBR5gnXrVjagIncODr0Mx6m/ECAL4CNMypAbjZaXtlQjhCf8bw8wQZOg\n"
    "HJyNzPhP7/C8EVrA7y3M531KdVqb+QSMeejG5XDFeA/+/oaLuClUwMCAe/FBiEuU\n"
    "yFd3E/zNAgMBAAECggEAA+LZVHXVxkGmcixqe2pj+4JfxgalZRagFKViMKWAF+0X\n"
    "06RlqKWTgiTKREpOjj8z00jrHw+4WfIm40/f8HTJKgz8kRAC3mDbdWaLwA9jZpEp\n"
    "8oQFURY05LR1JCTOl6jltAyiUymVNrtIZ4GpGiuNutKYDPbz9AZmaAM3yCow7mVo\n"
    "0xd2WTSUz620pQHnxX9ekyrciBdkRYvVXUNixjaJZ8F5aawaa4Eg6dxKZLAgioUO\n"
    "poH1rJMPJ70ogN72VJwRRUh2l9lHY0WMwIom1t49rgq/h0yxFoszAknQi8RApkqN\n"
    "0Rno9jWedsLMcrHwt1f0GjriRueU95n3yRw3Rex4qwKBgQDWfBO2GPnjisGgf4rd\n"
    "qVE6LjTDd4EmSHQM6NYRBhDqn6ryZB064s1SwE7/5cb54GOTxFLqGf6XvfAwxDwP\n"
    "LtSj7yTQBDYqe06Vm7kVK5S4+TlVBB8QSOnHIW+HkOzcUijElfoIUIkFGuwNVWjv\n"
    "76JRUWKecTuQ/NAsKSLhMNISQwKBgQDAsskOzAUJAMwqx3a0EKHgEEMyGDuiMAN7\n"
    "yixey3wD1GIYkPh8k+1bJ0c2aQcOSULfHhlGvEpCzqj/1VYKR05GQjWoP6WqRu6b\n"
    "Vcnyz6p8eSD5BeMiwK1F+NMbr4EfgixoluDpSY7ctxTHwUuu5+y2y/NZrO5xw+C2\n"
    "KvoHqBLrrwKBgGVJoPFcqB2JeFj4Ajcdb2t/SJGKTOYsTwmNpxHRAIocLtla5+bY\n"
    "Fkhe4q+77hQwoDW2/8Tn07ALFXOiKA6veeGU3JiTdJTpODo0mNnjg886epWoZZcG\n"
    "J8hPBOFLUl/VOMVlYfctORe9F/5P+EderhOi0GSsaonUqeZA4uTfbkULAoGBAKBm\n"
    "MaX3fVl5KHmTfuNz1MrFvqk8MqdWgA/SwgxGJPyrFNyOD8ji+XgewdAwrIbfxKIk\n"
    "U7XllYr2qwYJdo0nvagOBMv/7s5GLOdwCaHr6mWiDig7Fk4fRBwyesdY14p6uKx2\n"
    "qtCFQj3Gx61e4Li+pPOj4PSMVg6slagNLgKhjN5RAoGBALeSthdlHY72GeOCRUw8\n"
    "5+rdlsJBDw4Df6fTgnId3waU6JlNmefuGkw8m144W7gd0EZc3Bbsp6SDDm0hmq7d\n"
    "shVq/4byLbQnMaPD1S6yU9673wtweKqBGIBW93R8XfLCCdBXmjX2T2LrvwTDagFH\n"
    "upscLQIkGZP15SEw2fBcMkdM\n"
    "-----END PRIVATE KEY-----\n";

TEST(GoogleAdsTokenTest, IsHadByAServiceAccount) {
    World world;
    world.http.expect("POST /token").reply(R"({"access_token":"t","expires_in":3599})");
    google_ads::Credentials credentials;
    credentials.service_email = "a@b.iam";
    credentials.private_key = kKey;
    credentials.subject = "boss@b.example";
    credentials.token_url = "http://api.test/token";
    ASSERT_TRUE(google_ads::TokenSource(credentials).token(world.run).ok());
    const auto form = parse_query(world.http.requests().at(0).body);
    ASSERT_THAT(form, SizeIs(2));
    EXPECT_EQ(form[0].second, "urn:ietf:params:oauth:grant-type:jwt-bearer");
    const std::string& assertion = form[1].second;
    const auto first = assertion.find('.');
    const auto last = assertion.rfind('.');
    EXPECT_EQ(from_base64(assertion.substr(0, first)).value(), R"({"alg":"RS256","typ":"JWT"})");
    EXPECT_EQ(from_base64(assertion.substr(first + 1, last - first - 1)).value(),
              R"({"aud":"http://api.test/token","exp":1767326645,"iat":1767323045,"iss":"a@b.iam",)"
              R"("scope":"https://www.googleapis.com/auth/adwords","sub":"boss@b.example"})");
    // As openssl dgst -sha256 -sign makes it.
    EXPECT_EQ(to_hex(sha256(sign_rs256(kKey, "text").value())),
              "f1dae2548fbf42dac9875a8b42e9232221b8021518408184b74c60624f0a89a9");
    EXPECT_EQ(from_base64(assertion.substr(last + 1)).value(), sign_rs256(kKey, assertion.substr(0, last)).value());
    EXPECT_EQ(sign_rs256("no key", "text").error().kind(), ErrorKind::invalid_config);
}

}  // namespace
}  // namespace shaduf
