#include "tests/observe/channels/channel_fixture.h"

namespace shaduf::observe {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class TelegramTest : public ChannelFixture {
protected:
    TelegramTest() {
        make("telegram", "{token: '77:sesame', chat: '-100'}");
        secrets = {"77:sesame"};
    }
    const std::string path = "/bot77:sesame/sendMessage";
};

TEST_F(TelegramTest, EscapesAndReplies) {
    world.http.expect("POST " + path).reply(R"({"ok":true,"result":{"message_id":41}})");
    EXPECT_EQ(send().reference, "41");
    EXPECT_EQ(last_json()["chat_id"], "-100");
    const std::string text = last_json()["text"];
    EXPECT_THAT(text, HasSubstr("<b>[acme, prod] Flow &lt;orders&gt; &amp; co failed</b>"));
    EXPECT_THAT(text, HasSubstr("<a href=\"https://data.example/runs/1?task=load\">Open</a>"));
    AlertMessage over = message(MessageKind::resolved);
    over.reference = "41";
    world.http.expect("POST " + path).reply(R"({"ok":true,"result":{"message_id":42}})");
    EXPECT_TRUE(send(over).is_delivered);
    EXPECT_EQ(last_json()["reply_parameters"]["message_id"], 41);
    over.reference = "C1 17.25";  // of another channel that had the name before
    world.http.expect("POST " + path).reply(R"({"ok":true,"result":{"message_id":43}})");
    EXPECT_TRUE(send(over).is_delivered);
    EXPECT_FALSE(last_json().contains("reply_parameters"));
}

TEST_F(TelegramTest, FailuresByWhoMustAct) {
    constexpr Case kCases[] = {
        {429, R"({"ok":false,"error_code":429,"parameters":{"retry_after":35}})", ErrorKind::rate_limited, true},
        {400, R"({"ok":false,"description":"Bad Request: chat not found"})", ErrorKind::invalid_config, false},
        {403, R"({"ok":false,"description":"Forbidden: bot was blocked by the user"})", ErrorKind::auth, false},
        {401, R"({"ok":false,"description":"Unauthorized"})", ErrorKind::auth, false},
        {502, "<html>bad gateway</html>", ErrorKind::unavailable, true},
        {200, "<html>a portal</html>", ErrorKind::unavailable, true},
        {400, R"({"ok":false,"description":7,"parameters":{"retry_after":"x"}})", ErrorKind::invalid_config, false},
    };
    expect_failures(path, kCases);
    world.http.expect("POST " + path).reply(429, R"({"ok":false,"parameters":{"retry_after":35}})");
    EXPECT_EQ(send().error->retry_delay(), 35s);
}

TEST_F(TelegramTest, FollowsAGroupThatMoved) {
    world.http.expect("POST " + path)
        .reply(400, R"({"ok":false,"description":"upgraded","parameters":{"migrate_to_chat_id":-100123}})")
        .reply(R"({"ok":true,"result":{"message_id":1}})")
        .reply(R"({"ok":true,"result":{"message_id":2}})");
    const SendOutcome outcome = send();
    EXPECT_TRUE(outcome.is_delivered);
    EXPECT_THAT(outcome.note, HasSubstr("another id"));
    EXPECT_EQ(last_json()["chat_id"], "-100123");
    EXPECT_TRUE(send().is_delivered);
    EXPECT_EQ(last_json()["chat_id"], "-100123") << "the next one goes there at once";
    EXPECT_EQ(world.http.requests().size(), 3U);
}

TEST_F(TelegramTest, KeepsToTheLimit) {
    world.http.expect("POST " + path).reply(R"({"ok":true,"result":{"message_id":1}})");
    EXPECT_TRUE(send(huge()).is_delivered);
    EXPECT_LE(last_json()["text"].get<std::string>().size(), 4'096U);
}

}  // namespace
}  // namespace shaduf::observe
