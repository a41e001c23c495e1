#include "io/crypto.h"
#include "tests/observe/channels/channel_fixture.h"

namespace shaduf::observe {
namespace {

class WebhookTest : public ChannelFixture {
protected:
    std::string header(const std::string& name) const {
        const HttpRequest request = last();
        for (const auto& [key, value] : request.headers) {
            if (key == name) return value;
        }
        return "";
    }
};

TEST_F(WebhookTest, SendsJsonSigned) {
    make("webhook",
         "{url: 'https://x.example/hook/sesame', key: opensesame, headers: {Authorization: 'Bearer tok12'}}");
    world.http.expect("POST /hook/sesame").reply(204, "");
    EXPECT_TRUE(send().is_delivered);
    EXPECT_EQ(last_json()["kind"], "fired");
    EXPECT_EQ(last_json()["id"], "inc1-1");
    EXPECT_EQ(last_json()["alert"], "inc1");
    EXPECT_EQ(last_json()["matters"][0]["cause"], "The data is not as expected.");
    EXPECT_EQ(header("Idempotency-Key"), "inc1-1");
    EXPECT_EQ(header("Authorization"), "Bearer tok12");
    const auto time = std::chrono::floor<std::chrono::seconds>(world.clock.now()).time_since_epoch().count();
    const std::string signed_text = std::to_string(time) + "." + last().body;
    EXPECT_EQ(header("X-Shaduf-Signature"),
              "t=" + std::to_string(time) + ",v1=" + to_hex(hmac_sha256("opensesame", signed_text)));
}

TEST_F(WebhookTest, FailuresByWhoMustAct) {
    make("webhook", "{url: 'https://x.example/hook/sesame', headers: {Authorization: 'Bearer tok12'}}");
    secrets = {"sesame", "tok12"};
    constexpr Case kCases[] = {
        {400, "you sent Bearer tok12", ErrorKind::invalid_config, false},
        {401, "", ErrorKind::auth, false},
        {408, "", ErrorKind::unavailable, true},
        {429, "", ErrorKind::rate_limited, true},
        {503, "", ErrorKind::unavailable, true},
    };
    expect_failures("/hook/sesame", kCases);
    world.http.expect("POST /hook/sesame").reply(504, "");
    EXPECT_TRUE(send().may_be_delivered) << "a gateway does not know";
}

}  // namespace
}  // namespace shaduf::observe
