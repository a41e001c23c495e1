#include "tests/observe/channels/channel_fixture.h"

namespace shaduf::observe {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class SlackTest : public ChannelFixture {};

TEST_F(SlackTest, WebhookTakesPlainAnswers) {
    make("slack", "url: https://hooks.example/services/T1/B1/sesame");
    secrets = {"sesame", "T1/B1"};
    world.http.expect("POST /services/T1/B1/sesame").reply("ok");
    EXPECT_TRUE(send().is_delivered);
    const auto body = last_json();
    EXPECT_EQ(body["text"], "[acme, prod] Flow &lt;orders&gt; &amp; co failed");
    const std::string block = body["blocks"][1]["text"]["text"];
    EXPECT_THAT(block, HasSubstr("column a_b*c is \"missing\""));
    EXPECT_THAT(block, HasSubstr("_What to do:_ Ask &lt;ada&gt;."));
    EXPECT_THAT(block, HasSubstr("<https://data.example/runs/1?task=load|Open>"));
    constexpr Case kCases[] = {
        {400, "invalid_payload", ErrorKind::invalid_config, false},
        {403, "action_prohibited", ErrorKind::auth, false},
        {404, "no_service", ErrorKind::invalid_config, false},
        {410, "channel_is_archived", ErrorKind::invalid_config, false},
        {429, "", ErrorKind::rate_limited, true},
        {500, "<html>oops https://hooks.example/services/T1/B1/sesame</html>", ErrorKind::unavailable, true},
        {302, "", ErrorKind::invalid_config, false},
    };
    expect_failures("/services/T1/B1/sesame", kCases);
    world.http.expect("POST /services/T1/B1/sesame").reply(429, {{"Retry-After", "30"}}, "");
    EXPECT_EQ(send().error->retry_delay(), 30s);
}

TEST_F(SlackTest, BotAnswers200ToEverything) {
    make("slack", "{token: xoxb-sesame, to: '#alerts'}");
    secrets = {"xoxb-sesame"};
    const std::string path = "/api/chat.postMessage";
    world.http.expect("POST " + path).reply(R"({"ok":true,"ts":"17.25","channel":"C9"})");
    const SendOutcome first = send();
    EXPECT_TRUE(first.is_delivered);
    EXPECT_EQ(first.reference, "C9 17.25");
    EXPECT_EQ(last_json()["channel"], "#alerts");
    EXPECT_FALSE(last_json().contains("thread_ts"));
    AlertMessage over = message(MessageKind::resolved);
    over.reference = first.reference;
    world.http.expect("POST " + path).reply(R"({"ok":true,"ts":"18.25","channel":"C9"})");
    EXPECT_TRUE(send(over).is_delivered);
    EXPECT_EQ(last_json()["thread_ts"], "17.25");
    EXPECT_EQ(last_json()["channel"], "C9");
    EXPECT_EQ(last_json()["reply_broadcast"], true);
    constexpr Case kCases[] = {
        {200, R"({"ok":false,"error":"channel_not_found"})", ErrorKind::invalid_config, false},
        {200, R"({"ok":false,"error":"token_revoked"})", ErrorKind::auth, false},
        {200, R"({"ok":false,"error":"ratelimited"})", ErrorKind::rate_limited, true},
        {200, R"({"ok":false,"error":"internal_error"})", ErrorKind::unavailable, true},
        {200, R"({"ok":false})", ErrorKind::invalid_config, false},
        {200, "<html>sign in</html>", ErrorKind::unavailable, true},
        {429, R"({"ok":false,"error":"ratelimited"})", ErrorKind::rate_limited, true},
        {503, "", ErrorKind::unavailable, true},
    };
    expect_failures(path, kCases);
}

TEST_F(SlackTest, KeepsToTheLimits) {
    make("slack", "url: https://hooks.example/x/y");
    world.http.expect("POST /x/y").reply("ok");
    EXPECT_TRUE(send(huge()).is_delivered);
    for (const auto& block : last_json()["blocks"]) EXPECT_LE(block["text"]["text"].get<std::string>().size(), 3'000U);
    EXPECT_LE(last_json()["text"].get<std::string>().size(), 4'000U);
}

}  // namespace
}  // namespace shaduf::observe
