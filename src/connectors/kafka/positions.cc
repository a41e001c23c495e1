#include "connectors/kafka/positions.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace shaduf::kafka {
namespace {

template <typename Number>
bool read_number(std::string_view text, Number& number) {
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && number >= 0;
}

}  // namespace

std::string part_name(const TopicPartition& partition) {
    return partition.topic + "/" + std::to_string(partition.partition);
}

std::optional<TopicPartition> parse_part_name(const std::string& name) {
    const size_t slash = name.rfind('/');
    TopicPartition partition;
    if (slash == std::string::npos || !read_number(std::string_view(name).substr(slash + 1), partition.partition)) {
        return std::nullopt;
    }
    partition.topic = name.substr(0, slash);
    return partition;
}

CheckpointParts to_parts(const Positions& positions) {
    CheckpointParts parts;
    for (const auto& [partition, position] : positions) {
        parts[part_name(partition)] = {std::to_string(position.next), position.seen};
    }
    return parts;
}

KafkaOffsets to_offsets(const Positions& positions) {
    KafkaOffsets offsets;
    for (const auto& [partition, position] : positions) offsets[partition] = position.next;
    return offsets;
}

Result<KafkaOffsets> Starts::first_offsets(KafkaConsumer& consumer, const std::vector<TopicPartition>& partitions,
                                           const Bounds& bounds) const {
    const Start& start = settings_.start;
    if (start.kind == Start::Kind::time) return consumer.offsets_at(partitions, start.timestamp_ms, timeout_);
    KafkaOffsets offsets;
    for (const auto& partition : partitions) {
        const KafkaConsumer::Bounds& there = bounds.at(partition);
        offsets[partition] = start.kind == Start::Kind::latest ? there.end : there.first;
        const auto wanted = start.offsets.find(partition.partition);
        if (wanted == start.offsets.end()) continue;
        if (wanted->second < there.first || wanted->second > there.end) {
            return Error(ErrorKind::invalid_config, "start is not in partition " + part_name(partition) + ": " +
                                                        std::to_string(wanted->second) + "; it has offsets from " +
                                                        std::to_string(there.first) + " to " +
                                                        std::to_string(there.end));
        }
        offsets[partition] = wanted->second;
    }
    return offsets;
}

Result<Positions> Starts::find(KafkaConsumer& consumer, const std::vector<TopicPartition>& partitions,
                               const CheckpointParts& stands, std::vector<std::string>& warnings) const {
    const Bounds bounds = TRY(consumer.bounds(partitions, timeout_));
    std::vector<TopicPartition> first_read;
    Positions positions;
    for (const auto& partition : partitions) {
        const KafkaConsumer::Bounds& there = bounds.at(partition);
        const auto part = stands.find(part_name(partition));
        if (part == stands.end() && stands.empty()) {
            first_read.push_back(partition);
            continue;
        }
        Position& position = positions[partition];
        position.next = there.first;
        if (part == stands.end()) continue;
        if (!read_number(part->second.at, position.next)) {
            return Error(ErrorKind::bad_data, "checkpoint has no offset of partition " + part_name(partition) + ": " +
                                                  part->second.at + "; set it anew with shaduf state");
        }
        position.seen = part->second.seen;
        position.next = TRY(go_on_behind(partition, position.next, there, settings_.on_lost, warnings));
    }
    if (first_read.empty()) return positions;
    for (const auto& [partition, offset] : TRY(first_offsets(consumer, first_read, bounds))) {
        positions[partition].next = offset;
    }
    return positions;
}

Result<int64_t> go_on_behind(const TopicPartition& partition, int64_t wanted, const KafkaConsumer::Bounds& bounds,
                             OnLost on_lost, std::vector<std::string>& warnings) {
    if (wanted >= bounds.first && wanted <= bounds.end) return wanted;
    std::string what;
    if (wanted < bounds.first) {
        what = "messages were deleted before they were read: " + format_count(bounds.first - wanted) +
               " of partition " + part_name(partition) + ", whose first is " + std::to_string(bounds.first) +
               " and not " + std::to_string(wanted);
    } else {
        what = "partition " + part_name(partition) + " ends before the checkpoint: at " + std::to_string(bounds.end) +
               " and not " + std::to_string(wanted) + "; its topic was made anew, or lost messages";
    }
    if (on_lost == OnLost::fail) {
        return Error(ErrorKind::bad_data, what + "; set on_lost: earliest to go on with the first that is there");
    }
    warnings.push_back(what + "; reading goes on with the first that is there");
    return bounds.first;
}

}  // namespace shaduf::kafka
