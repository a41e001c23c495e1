#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "io/kafka.h"

struct rd_kafka_conf_s;
struct rd_kafka_s;

// Inside src/io: what the clients of Kafka have in common.
namespace shaduf {

// The first base of what a client gives to rd_kafka_conf_set_opaque, always as a KafkaClientState*.
struct KafkaClientState {
    KafkaTokenSource tokens;
    std::atomic<bool> tokens_wait = false;  // none could be had at last, for what passes by

    // What the error callback was told, where it means that brokers will not let us in.
    std::optional<Error> refusal(int code, std::string_view reason) const;
};

struct KafkaConfigFree {
    void operator()(rd_kafka_conf_s* config) const;
};
using KafkaConfig = std::unique_ptr<rd_kafka_conf_s, KafkaConfigFree>;  // rd_kafka_new takes it over

// `properties`, and of `defaults` what they do not say; logs go nowhere; tokens, where the state has a source of them,
// are asked for on a thread of the library's own once enable_kafka_tokens was called. invalid_config: a property that
// does not exist, or whose value cannot be; values are never shown.
Result<KafkaConfig> make_kafka_config(const KafkaProperties& properties, const KafkaProperties& defaults,
                                      KafkaClientState& state);
Result<void> enable_kafka_tokens(rd_kafka_s* client, const KafkaClientState& state);

}  // namespace shaduf
