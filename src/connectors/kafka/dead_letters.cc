#include "connectors/kafka/dead_letters.h"

#include <charconv>
#include <map>
#include <utility>

namespace shaduf::kafka {
namespace {

using namespace std::chrono_literals;

constexpr auto kPollWait = 200ms;
constexpr size_t kMessagesMax = 1000;
// What lies between two messages that are wanted is read over up to here; beyond it, reading begins anew.
constexpr int64_t kGapMax = 2000;

template <class Number>
bool parse_number(std::string_view text, Number& number) {
    const auto done = std::from_chars(text.data(), text.data() + text.size(), number);
    return done.ec == std::errc{} && done.ptr == text.data() + text.size();
}

}  // namespace

struct DeadLetterWriter::Wanted {
    std::map<int64_t, std::string> reasons;  // by offset
};

std::optional<MessagePosition> parse_position(std::string_view text) {
    const auto colon = text.rfind(':');
    const auto slash = text.rfind('/', colon);
    if (colon == text.npos || slash == text.npos || slash == 0) return std::nullopt;
    MessagePosition position{{std::string(text.substr(0, slash))}};
    if (!parse_number(text.substr(slash + 1, colon - slash - 1), position.partition.partition)) return std::nullopt;
    if (!parse_number(text.substr(colon + 1), position.offset)) return std::nullopt;
    return position;
}

DeadLetterWriter::DeadLetterWriter(Connection connection, KafkaProperties properties, std::string topic)
    : connection_(std::move(connection)), properties_(std::move(properties)), topic_(std::move(topic)) {}
DeadLetterWriter::~DeadLetterWriter() = default;

Result<void> DeadLetterWriter::connect(RunContext& run) {
    if (producer_ != nullptr) return {};
    KafkaProperties properties = properties_;
    properties["group.id"] = "shaduf-dead-letters";  // never joined
    properties["fetch.message.max.bytes"] = "262144";
    reader_ = TRY(KafkaConsumer::create(properties, run.cancellation, connection_.tokens(run)));
    const KafkaTopicSpec topics[] = {{topic_, -1, -1, {}}};
    TRY(create_kafka_topics(connection_.properties, topics, run.cancellation, connection_.tokens(run)));
    producer_ = TRY(KafkaProducer::create(connection_.properties, run.cancellation, connection_.tokens(run)));
    return {};
}

Result<void> DeadLetterWriter::send(RunContext& run, std::span<const RejectedMessage> rejected) {
    std::map<TopicPartition, Wanted> wanted;
    for (const auto& [position, reason] : rejected) {
        if (auto at = parse_position(position)) wanted[at->partition].reasons.insert_or_assign(at->offset, reason);
    }
    if (wanted.empty()) return {};
    TRY(connect(run));
    for (const auto& [partition, messages] : wanted) TRY(send_partition(run, partition, messages));
    return producer_->flush();
}

Result<void> DeadLetterWriter::send_partition(RunContext& run, const TopicPartition& partition, const Wanted& wanted) {
    auto next = wanted.reasons.begin();
    const auto end = wanted.reasons.end();
    while (next != end) {
        TRY(reader_->assign({{partition, next->first}}));
        int64_t at = next->first;
        auto until = run.clock.steady_now() + connection_.timeout;
        while (next != end && next->first - at <= kGapMax) {
            const KafkaMessages messages = TRY(reader_->poll(kPollWait, kMessagesMax));
            for (size_t i = 0; i < messages.size() && next != end; ++i) {
                if (messages[i].topic != partition.topic || messages[i].partition != partition.partition) continue;
                at = messages[i].offset;
                while (next != end && next->first < at) ++next;  // deleted meanwhile
                if (next == end || next->first != at) continue;
                TRY(produce(partition, messages, i, next->second));
                ++next;
            }
            const auto news = reader_->news();
            if (news.ends.contains(partition) || news.out_of_range.contains(partition)) next = end;
            if (messages.size() > 0) until = run.clock.steady_now() + connection_.timeout;
            if (next != end && run.clock.steady_now() > until) {
                return Error(ErrorKind::unavailable,
                             "cannot read again what was turned away: topic " + partition.topic);
            }
        }
        TRY(reader_->give_up({partition}));
    }
    return {};
}

Result<void> DeadLetterWriter::produce(const TopicPartition& partition, const KafkaMessages& messages, size_t i,
                                       const std::string& reason) {
    const KafkaMessage message = messages[i];
    const std::string number = std::to_string(partition.partition);
    const std::string offset = std::to_string(message.offset);
    KafkaRecord record{.key = message.key, .value = message.value, .timestamp_ms = message.timestamp_ms};
    record.headers = messages.headers(i);
    record.headers.push_back({"shaduf.topic", partition.topic});
    record.headers.push_back({"shaduf.partition", number});
    record.headers.push_back({"shaduf.offset", offset});
    record.headers.push_back({"shaduf.reason", reason});
    return producer_->send(topic_, record);
}

}  // namespace shaduf::kafka
