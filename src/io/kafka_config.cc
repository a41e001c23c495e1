#include "io/kafka_config.h"

#include <librdkafka/rdkafka.h>

#include <array>

#include "io/kafka_error.h"

namespace shaduf {
namespace {

using Text = std::array<char, 512>;

// What the library says of a property, without its value, which may be a secret.
std::string without_value(std::string message, const std::string& value) {
    for (size_t at = message.find(value); !value.empty() && at != std::string::npos; at = message.find(value, at)) {
        message.replace(at, value.size(), "...");
        at += 3;
    }
    return message;
}

Result<void> set(rd_kafka_conf_t* config, const std::string& name, const std::string& value) {
    Text why{};
    if (rd_kafka_conf_set(config, name.c_str(), value.c_str(), why.data(), why.size()) == RD_KAFKA_CONF_OK) return {};
    return Error(ErrorKind::invalid_config, "property of Kafka cannot be set: " + name + ": " +
                                                without_value(why.data(), value) +
                                                "; librdkafka's CONFIGURATION.md tells what there is");
}

void refresh_token(rd_kafka_t* client, const char*, void* opaque) {
    auto& state = *static_cast<KafkaClientState*>(opaque);
    const auto token = state.tokens();
    state.tokens_wait = !token.ok() && token.error().may_retry();
    if (!token.ok()) {
        rd_kafka_oauthbearer_set_token_failure(client, token.error().to_string().c_str());
        return;
    }
    Text why{};
    const KafkaToken& got = token.value();
    const auto code = rd_kafka_oauthbearer_set_token(client, got.value.c_str(), got.expires_ms, got.principal.c_str(),
                                                     nullptr, 0, why.data(), why.size());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_oauthbearer_set_token_failure(client, why.data());
}

void log_nothing(const rd_kafka_t*, int, const char*, const char*) {}

}  // namespace

std::optional<Error> KafkaClientState::refusal(int code, std::string_view reason) const {
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION && tokens_wait) return std::nullopt;
    return kafka_refusal(code, reason);
}

void KafkaConfigFree::operator()(rd_kafka_conf_s* config) const { rd_kafka_conf_destroy(config); }

Result<KafkaConfig> make_kafka_config(const KafkaProperties& properties, const KafkaProperties& defaults,
                                      KafkaClientState& state) {
    KafkaConfig config(rd_kafka_conf_new());
    for (const auto& [name, value] : defaults) {
        if (properties.contains(name)) continue;
        // An older library does not know all of them.
        const auto known = rd_kafka_conf_set(config.get(), name.c_str(), value.c_str(), nullptr, 0);
        if (known != RD_KAFKA_CONF_UNKNOWN) TRY(set(config.get(), name, value));
    }
    for (const auto& [name, value] : properties) TRY(set(config.get(), name, value));
    rd_kafka_conf_set_opaque(config.get(), &state);
    rd_kafka_conf_set_log_cb(config.get(), log_nothing);
    if (state.tokens) {
        rd_kafka_conf_set_oauthbearer_token_refresh_cb(config.get(), refresh_token);
        rd_kafka_conf_enable_sasl_queue(config.get(), 1);
    }
    return config;
}

Result<void> enable_kafka_tokens(rd_kafka_s* client, const KafkaClientState& state) {
    if (!state.tokens) return {};
    rd_kafka_error_t* error = rd_kafka_sasl_background_callbacks_enable(client);
    if (error == nullptr) return {};
    Error failed = kafka_error(rd_kafka_error_code(error), "cannot ask for tokens", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return failed;
}

}  // namespace shaduf
