#include "connectors/kafka/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/connectors/kafka_world.h"

namespace shaduf {
namespace {

using testing::HasSubstr;
using testing::Not;

Result<kafka::Connection> connection_of(const std::string& yaml) {
    Options options;
    for (const Error& error : read_fields(kafka_spec().fields, "brokers: [a:1, b:2]\n" + yaml, options)) return error;
    return kafka::read_connection(options);
}

TEST(KafkaSettingsTest, OptionsBecomeProperties) {
    struct Case {
        std::string yaml;
        KafkaProperties properties;
    };
    const Case cases[] = {
        {"", {{"bootstrap.servers", "a:1,b:2"}, {"security.protocol", "plaintext"}}},
        {"{security: sasl_ssl, mechanism: scram_sha_512, username: ada, password: pw, ca_file: ca.pem}",
         {{"security.protocol", "sasl_ssl"},
          {"sasl.mechanism", "SCRAM-SHA-512"},
          {"sasl.username", "ada"},
          {"sasl.password", "pw"},
          {"ssl.ca.location", "ca.pem"}}},
        {"{security: ssl, certificate_file: c.pem, key_file: k.pem, key_password: pw}",
         {{"ssl.certificate.location", "c.pem"}, {"ssl.key.location", "k.pem"}, {"ssl.key.password", "pw"}}},
        {"{security: ssl, properties: {security.protocol: plaintext, client.rack: eu}}",
         {{"security.protocol", "plaintext"}, {"client.rack", "eu"}}},
    };
    for (const auto& [yaml, properties] : cases) {
        SCOPED_TRACE(yaml);
        Options options;
        const std::string whole = yaml.empty() ? "brokers: [a:1, b:2]" : "{brokers: [a:1, b:2], " + yaml.substr(1);
        ASSERT_TRUE(read_fields(kafka_spec().fields, whole, options).empty());
        const auto connection = must(kafka::read_connection(options));
        for (const auto& [name, value] : properties) EXPECT_EQ(connection.properties.at(name), value) << name;
    }
}

TEST(KafkaSettingsTest, MechanismsSayWhatTheyNeed) {
    const std::pair<std::string, std::string> cases[] = {
        {"security: sasl_ssl\nusername: ada", "mechanism plain needs password; set it"},
        {"security: sasl_plaintext\nmechanism: oauthbearer", "mechanism oauthbearer needs oauth_token_url; set it"},
    };
    for (const auto& [yaml, why] : cases) {
        SCOPED_TRACE(yaml);
        const auto connection = connection_of(yaml);
        ASSERT_FALSE(connection.ok());
        EXPECT_EQ(connection.error().kind(), ErrorKind::invalid_config);
        EXPECT_THAT(connection.error().to_string(), HasSubstr(why));
    }
}

TEST(KafkaSettingsTest, TokensAreAskedForByTheClientsCredentials) {
    World world;
    std::string body;
    std::string login;
    world.http.expect("POST https://login.test/token").answer([&](const HttpRequest& request) {
        body = request.body;
        for (const auto& [name, value] : request.headers) login = name == "Authorization" ? value : login;
        return FakeHttp::make_response(200, {}, R"({"access_token": "t0k3n", "expires_in": 60})");
    });
    world.http.expect("POST https://login.test/token").reply(401, R"({"error": "invalid_client"})");
    const auto connection =
        must(connection_of("security: sasl_ssl\nmechanism: oauthbearer\noauth_token_url: https://login.test/token\n"
                           "oauth_client_id: shaduf\noauth_client_secret: s3cr3t\noauth_scope: kafka"));
    const auto tokens = connection.tokens(world.run);
    const KafkaToken token = must(tokens());
    EXPECT_EQ(token.value, "t0k3n");
    EXPECT_EQ(token.principal, "shaduf");
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(world.clock.now().time_since_epoch());
    EXPECT_EQ(token.expires_ms, now.count() + 60'000);
    EXPECT_EQ(body, "grant_type=client_credentials&scope=kafka");
    EXPECT_EQ(login, "Basic c2hhZHVmOnMzY3IzdA==");
    const auto refused = tokens();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind(), ErrorKind::auth);
    EXPECT_THAT(refused.error().to_string(), Not(HasSubstr("s3cr3t")));
}

}  // namespace
}  // namespace shaduf
