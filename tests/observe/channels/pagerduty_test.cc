#include "tests/observe/channels/channel_fixture.h"

namespace shaduf::observe {
namespace {

using namespace std::chrono_literals;

class PagerDutyTest : public ChannelFixture {
protected:
    PagerDutyTest() {
        make("pagerduty", "routing_key: sesame7890123456789012345678901x");
        secrets = {"sesame7890123456789012345678901x"};
    }
};

TEST_F(PagerDutyTest, AnIncidentIsOneThere) {
    world.http.expect("POST /v2/enqueue").reply(202, R"({"status":"success"})").reply(202, R"({"status":"success"})");
    EXPECT_TRUE(send().is_delivered);
    const auto fired = last_json();
    EXPECT_EQ(fired["event_action"], "trigger");
    EXPECT_EQ(fired["payload"]["severity"], "error");
    EXPECT_EQ(fired["payload"]["custom_details"]["matters"][0]["advice"], "Ask <ada>.");
    EXPECT_TRUE(send(message(MessageKind::resolved)).is_delivered);
    EXPECT_EQ(last_json()["event_action"], "resolve");
    EXPECT_EQ(last_json()["dedup_key"], fired["dedup_key"]);
    EXPECT_EQ(last_json()["routing_key"], fired["routing_key"]);
}

TEST_F(PagerDutyTest, FailuresByWhoMustAct) {
    constexpr Case kCases[] = {
        {400, R"({"status":"invalid event","errors":["'payload' is missing"]})", ErrorKind::invalid_config, false},
        {429, "", ErrorKind::rate_limited, true},
        {500, "", ErrorKind::unavailable, true},
        {200, "<html></html>", ErrorKind::unavailable, true},
    };
    expect_failures("/v2/enqueue", kCases);
    world.http.expect("POST /v2/enqueue").reply(429, "");
    EXPECT_EQ(send().error->retry_delay(), 2min) << "its limit moves: minutes";
}

TEST_F(PagerDutyTest, ATrialWakesNobodyForLong) {
    world.http.expect("POST /v2/enqueue").reply(202, "{}").reply(202, "{}");
    AlertMessage trial = message(MessageKind::test);
    EXPECT_TRUE(send(trial).is_delivered);
    ASSERT_EQ(world.http.requests().size(), 2U);
    EXPECT_EQ(last_json()["event_action"], "resolve");
}

TEST_F(PagerDutyTest, KeepsToTheLimits) {
    world.http.expect("POST /v2/enqueue").reply(202, "{}");
    EXPECT_TRUE(send(huge()).is_delivered);
    EXPECT_LE(last_json()["payload"]["summary"].get<std::string>().size(), 1'024U);
    EXPECT_LE(last().body.size(), 512U << 10U);
}

}  // namespace
}  // namespace shaduf::observe
