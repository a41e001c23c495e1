#include "connectors/x_ads/rules.h"

#include "tests/connectors/x_ads_world.h"

namespace shaduf {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

class XAdsRules : public testing::Test {
protected:
    Result<BufferPtr> get() {
        return x_ads_api()->get(world.run, x_ads::Family::entities, "a1", "/accounts/a1/campaigns", {{"count", "1"}});
    }
    World world;
};

std::string error_body(const std::string& code, const std::string& message, const std::string& parameter = "") {
    return R"({"errors":[{"code":")" + code + R"(","message":")" + message + "\"" +
           (parameter.empty() ? "" : R"(,"parameter":")" + parameter + "\"") + R"(}],"request":{"params":{}}})";
}

TEST_F(XAdsRules, EveryClassOfErrorSaysWhatToDo) {
    struct Case {
        int status;
        std::string body;
        ErrorKind kind;
        const char* says;
        size_t requests;
    };
    const Case cases[] = {
        {400, error_body("INVALID_PARAMETER", "not a placement", "placement"), ErrorKind::invalid_config,
         "INVALID_PARAMETER: not a placement (parameter placement); check the options", 1},
        {400, error_body("INVALID_TIME_WINDOW", "too long"), ErrorKind::invalid_config, "INVALID_TIME_WINDOW", 1},
        {400, error_body("REQUEST_TOO_COMPLEX", "too much"), ErrorKind::too_large, "REQUEST_TOO_COMPLEX", 1},
        {401, error_body("UNAUTHORIZED_ACCESS", "no"), ErrorKind::auth, "access_token_secret", 1},
        {403, error_body("UNAUTHORIZED_CLIENT_APPLICATION", "no"), ErrorKind::auth, "apply for Ads API access", 1},
        {403, error_body("ACCOUNT_NOT_FOUND", "no"), ErrorKind::auth, "have an administrator of the account", 1},
        {404, error_body("ROUTE_NOT_FOUND", "no"), ErrorKind::invalid_config, "check account_ids and api_version", 1},
        {404, "<html>Not found</html>", ErrorKind::invalid_config, "HTTP 404, an answer that is no JSON", 1},
        {408, error_body("CANCELLED_REQUEST", "slow"), ErrorKind::unavailable, "CANCELLED_REQUEST", 6},
        {423, error_body("LOCK_ACQUISITION_TIMEOUT", "busy"), ErrorKind::unavailable, "LOCK_ACQUISITION", 6},
        {500, "<html>oops</html>", ErrorKind::unavailable, "HTTP 500", 6},
        {503, error_body("OVER_CAPACITY", "busy"), ErrorKind::unavailable, "OVER_CAPACITY", 6},
        {200, "<html>welcome</html>", ErrorKind::unavailable, "no JSON", 6},
        {200, error_body("INTERNAL_ERROR", "in an answer of 200"), ErrorKind::invalid_config, "INTERNAL_ERROR", 1},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(std::to_string(one.status) + " " + one.body);
        World fresh;
        fresh.http.expect("GET /12/accounts/a1/campaigns").reply(one.status, one.body).repeat();
        const auto answer = x_ads_api()->get(fresh.run, x_ads::Family::entities, "a1", "/accounts/a1/campaigns", {});
        ASSERT_FALSE(answer.ok());
        EXPECT_EQ(answer.error().kind(), one.kind) << answer.error().to_string();
        EXPECT_THAT(answer.error().to_string(), AllOf(HasSubstr(one.says), Not(HasSubstr("token-secret"))));
        EXPECT_EQ(fresh.http.requests().size(), one.requests);
    }
}

TEST_F(XAdsRules, TooManyRequestsWaitUntilTheLimitIsReset) {
    // The clock stands at 1767323045. The account's limit goes before the user's.
    world.http.expect("GET /12/accounts/a1/campaigns")
        .reply(429,
               {{"x-rate-limit-limit", "10"},
                {"x-rate-limit-remaining", "3"},
                {"x-rate-limit-reset", "1767323945"},
                {"x-account-rate-limit-limit", "10"},
                {"x-account-rate-limit-remaining", "0"},
                {"x-account-rate-limit-reset", "1767323105"}},
               error_body("TOO_MANY_REQUESTS", "slow down"))
        .reply(R"({"data":[]})");
    ASSERT_TRUE(get().ok());
    EXPECT_THAT(world.clock.slept(), ElementsAre(std::chrono::seconds(60)));
}

TEST_F(XAdsRules, WhatIsLeftOfALimitIsKept) {
    for (const char* family : {"x-rate-limit-", "x-account-rate-limit-"}) {
        SCOPED_TRACE(family);
        World fresh;
        fresh.http.expect("GET /12/accounts/a1/campaigns")
            .reply(200, {{std::string(family) + "remaining", "0"}, {std::string(family) + "reset", "1767323075"}},
                   R"({"data":[]})")
            .reply(R"({"data":[]})");
        const auto api = x_ads_api();
        for (int i = 0; i < 2; ++i)
            ASSERT_TRUE(api->get(fresh.run, x_ads::Family::entities, "a1", "/accounts/a1/campaigns", {}).ok());
        EXPECT_THAT(fresh.clock.slept(), ElementsAre(std::chrono::seconds(30)));
    }
}

TEST_F(XAdsRules, AWrongClockIsSetByTheServersOnce) {
    // The server is 20 minutes ahead of this machine.
    const HttpHeaders date{{"Date", "Fri, 02 Jan 2026 03:24:05 GMT"}};
    world.http.expect("GET /12/accounts/a1/campaigns")
        .reply(401, date, error_body("UNAUTHORIZED_ACCESS", "timestamp out of bounds"))
        .reply(R"({"data":[]})");
    ASSERT_TRUE(get().ok());
    const auto requests = world.http.requests();
    ASSERT_EQ(requests.size(), 2U);
    const auto stamp = [](const HttpRequest& request) {
        return parse_oauth1_header(FakeHttp::header(request, "Authorization")).value();
    };
    EXPECT_THAT(stamp(requests[0]), Contains(Pair("oauth_timestamp", "1767323045")));
    EXPECT_THAT(stamp(requests[1]), Contains(Pair("oauth_timestamp", "1767324245")));
    EXPECT_THAT(world.events.messages(), ElementsAre(HasSubstr("differs from X's by 1200 s")));
}

TEST_F(XAdsRules, AWrongSecretIsNotTakenForAWrongClock) {
    const HttpHeaders date{{"Date", "Fri, 02 Jan 2026 03:24:05 GMT"}};
    world.http.expect("GET /12/accounts/a1/campaigns")
        .reply(401, date, error_body("UNAUTHORIZED_ACCESS", "no"))
        .repeat();
    const auto answer = get();
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().kind(), ErrorKind::auth);
    EXPECT_THAT(answer.error().message(), HasSubstr("check consumer_key"));
    EXPECT_EQ(world.http.requests().size(), 2U);
}

TEST_F(XAdsRules, EachRequestIsSignedAnew) {
    world.http.expect("GET /12/accounts/a1/campaigns").reply(503, "busy").reply(R"({"data":[]})");
    ASSERT_TRUE(get().ok());
    const auto requests = world.http.requests();
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_NE(FakeHttp::header(requests[0], "Authorization"), FakeHttp::header(requests[1], "Authorization"));
}

}  // namespace
}  // namespace shaduf
