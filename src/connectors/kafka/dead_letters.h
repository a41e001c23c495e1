#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/connector.h"
#include "connectors/kafka/settings.h"
#include "io/kafka.h"

namespace shaduf::kafka {

// Gives messages that were turned away to another topic, as they were, with headers that say where they stood and why:
// shaduf.topic, shaduf.partition, shaduf.offset, shaduf.reason. They are read from their topic once more, by position,
// since what travels with the rows has neither key nor headers. One thread at a time, any but the reader's as well.
class DeadLetterWriter {
public:
    // `properties` are those that the stream's consumer has.
    DeadLetterWriter(Connection connection, KafkaProperties properties, std::string topic);
    ~DeadLetterWriter();

    // All stand on the brokers when it returns; messages that their topic has deleted meanwhile do not.
    Result<void> send(RunContext& run, std::span<const RejectedMessage> rejected);

private:
    struct Wanted;
    Result<void> connect(RunContext& run);
    Result<void> send_partition(RunContext& run, const TopicPartition& partition, const Wanted& wanted);
    Result<void> produce(const TopicPartition& partition, const KafkaMessages& messages, size_t i,
                         const std::string& reason);

    const Connection connection_;
    const KafkaProperties properties_;
    const std::string topic_;
    std::unique_ptr<KafkaConsumer> reader_;
    std::unique_ptr<KafkaProducer> producer_;
};

// "orders/3:42"; nullopt: no position of a message.
struct MessagePosition {
    TopicPartition partition;
    int64_t offset = 0;
};
std::optional<MessagePosition> parse_position(std::string_view text);

}  // namespace shaduf::kafka
