#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "connectors/kafka/settings.h"
#include "connectors/parts/checkpoint_parts.h"
#include "io/kafka.h"

namespace shaduf::kafka {

// Where the reading of a partition stands.
struct Position {
    static constexpr int64_t kNoEnd = std::numeric_limits<int64_t>::max();

    int64_t next = 0;  // the offset that is read next
    int64_t end = kNoEnd;
    std::optional<Timestamp> seen = {};  // see CheckpointPart

    bool is_done() const { return next >= end; }
    void see(Timestamp time) {
        if (!seen || *seen < time) seen = time;
    }
};
using Positions = std::map<TopicPartition, Position>;

std::string part_name(const TopicPartition& partition);  // orders/3
std::optional<TopicPartition> parse_part_name(const std::string& name);
CheckpointParts to_parts(const Positions& positions);
KafkaOffsets to_offsets(const Positions& positions);

// Says where partitions begin that are not read yet.
class Starts {
public:
    Starts(const StreamSettings& settings, std::chrono::milliseconds timeout)
        : settings_(settings), timeout_(timeout) {}

    // `stands` is what the sink holds. A partition that is not in it begins as the stream's options say, or, when
    // others are in it, at its earliest message: it is new. bad_data: what a checkpoint points at is gone, and the
    // stream is to fail then; `warnings` get a line for each where it is not.
    Result<Positions> find(KafkaConsumer& consumer, const std::vector<TopicPartition>& partitions,
                           const CheckpointParts& stands, std::vector<std::string>& warnings) const;

private:
    using Bounds = std::map<TopicPartition, KafkaConsumer::Bounds>;
    Result<KafkaOffsets> first_offsets(KafkaConsumer& consumer, const std::vector<TopicPartition>& partitions,
                                       const Bounds& bounds) const;

    const StreamSettings& settings_;
    const std::chrono::milliseconds timeout_;
};

// The offset to go on from when `wanted` is not between the bounds; the error of OnLost::fail.
Result<int64_t> go_on_behind(const TopicPartition& partition, int64_t wanted, const KafkaConsumer::Bounds& bounds,
                             OnLost on_lost, std::vector<std::string>& warnings);

}  // namespace shaduf::kafka
