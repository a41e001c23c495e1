#include "tests/observe/channels/channel_fixture.h"

namespace shaduf::observe {
namespace {

class TeamsTest : public ChannelFixture {
protected:
    TeamsTest() {
        make("teams", "url: https://flows.example/workflows/w1?sig=sesame");
        secrets = {"sesame", "w1"};
    }
};

TEST_F(TeamsTest, SendsACard) {
    world.http.expect("POST /workflows/w1").reply(202, "");
    EXPECT_TRUE(send().is_delivered);
    const auto attachment = last_json()["attachments"][0];
    EXPECT_EQ(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
    EXPECT_EQ(attachment["content"]["body"][0]["text"], "\\[acme, prod\\] Flow <orders> & co failed");
    EXPECT_EQ(attachment["content"]["body"][0]["color"], "Attention");
    EXPECT_EQ(attachment["content"]["actions"][0]["url"], "https://data.example/alerts?id=inc1");
    world.http.expect("POST /workflows/w1").reply("1");
    EXPECT_TRUE(send(message(MessageKind::resolved)).is_delivered);
    EXPECT_EQ(last_json()["attachments"][0]["content"]["body"][0]["color"], "Good");
}

TEST_F(TeamsTest, FailuresByWhoMustAct) {
    constexpr Case kCases[] = {
        {400, "Bad payload", ErrorKind::invalid_config, false},
        {401, "", ErrorKind::auth, false},
        {404, "", ErrorKind::invalid_config, false},
        {429, "", ErrorKind::rate_limited, true},
        {200, "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
         ErrorKind::rate_limited, true},
        {200, "Webhook message delivery failed with error: HTTP error 500", ErrorKind::unavailable, true},
    };
    expect_failures("/workflows/w1", kCases);
}

TEST_F(TeamsTest, KeepsToTheLimit) {
    world.http.expect("POST /workflows/w1").reply(202, "");
    EXPECT_TRUE(send(huge()).is_delivered);
    EXPECT_LE(last().body.size(), 28'000U);
}

}  // namespace
}  // namespace shaduf::observe
