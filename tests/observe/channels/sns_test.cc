#include "io/url.h"
#include "tests/observe/channels/channel_fixture.h"

namespace shaduf::observe {
namespace {

using testing::HasSubstr;

class SnsTest : public ChannelFixture {
protected:
    void make_topic(const std::string& name) {
        make("sns", "{topic: 'arn:aws:sns:eu-central-1:123456789012:" + name +
                        "', access_key: AKIASESAME, secret_key: opensesame}");
        secrets = {"opensesame", "AKIASESAME"};
    }
    std::string param(const std::string& name) const {
        const HttpRequest request = last();
        for (const auto& [key, value] : parse_query(request.body)) {
            if (key == name) return value;
        }
        return "(none)";
    }
};

constexpr const char* kDone =
    "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>";

TEST_F(SnsTest, PublishesSigned) {
    make_topic("alerts");
    world.http.expect("POST https://sns.eu-central-1.amazonaws.com/").reply(kDone);
    AlertMessage message = this->message();
    message.title = "caf\xC3\xA9 failed";
    EXPECT_EQ(send(message).reference, "m-1");
    EXPECT_EQ(param("Action"), "Publish");
    EXPECT_EQ(param("Subject"), "[acme, prod] caf? failed") << "ASCII alone";
    EXPECT_THAT(param("Message"), HasSubstr("caf\xC3\xA9 failed"));
    EXPECT_EQ(param("MessageGroupId"), "(none)");
    std::string authorization;
    const HttpRequest request = last();
    for (const auto& [name, value] : request.headers) {
        if (name == "Authorization") authorization = value;
    }
    EXPECT_THAT(authorization,
                HasSubstr("AWS4-HMAC-SHA256 Credential=AKIASESAME/20260102/eu-central-1/sns/aws4_request"));
}

TEST_F(SnsTest, FifoTopicsDropRepetitions) {
    make_topic("alerts.fifo");
    world.http.expect("POST https://sns.eu-central-1.amazonaws.com/").reply(kDone).reply(kDone).reply(kDone);
    EXPECT_TRUE(send().is_delivered);
    const std::string first = param("MessageDeduplicationId");
    EXPECT_TRUE(send().is_delivered);
    EXPECT_EQ(param("MessageDeduplicationId"), first);
    EXPECT_EQ(param("MessageGroupId"), "inc1");
    EXPECT_TRUE(send(message(MessageKind::resolved)).is_delivered);
    EXPECT_NE(param("MessageDeduplicationId"), first);
}

TEST_F(SnsTest, FailuresByWhoMustAct) {
    make_topic("alerts");
    constexpr Case kCases[] = {
        {400, "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>",
         ErrorKind::rate_limited, true},
        {403,
         "<ErrorResponse><Error><Code>AuthorizationError</Code><Message>AKIASESAME may "
         "not</Message></Error></ErrorResponse>",
         ErrorKind::auth, false},
        {404, "<ErrorResponse><Error><Code>NotFound</Code></Error></ErrorResponse>", ErrorKind::invalid_config, false},
        {400, "<ErrorResponse><Error><Code>InvalidParameter</Code></Error></ErrorResponse>", ErrorKind::invalid_config,
         false},
        {500, "", ErrorKind::unavailable, true},
        {200, "<html></html>", ErrorKind::unavailable, true},
    };
    expect_failures("/", kCases);
}

TEST_F(SnsTest, KeepsToTheLimits) {
    make_topic("alerts");
    world.http.expect("POST /").reply(kDone);
    EXPECT_TRUE(send(huge()).is_delivered);
    EXPECT_LE(param("Subject").size(), 100U);
    EXPECT_LE(param("Message").size(), 256U << 10U);
}

}  // namespace
}  // namespace shaduf::observe
