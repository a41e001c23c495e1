#include "connectors/kafka/topic_reader.h"

#include <algorithm>

namespace shaduf::kafka {
namespace {

using namespace std::chrono_literals;

constexpr auto kAnswerWait = 30s;
constexpr auto kPollWait = 200ms;
constexpr size_t kMessagesMax = 10'000;
// Transactions of others on these topics are short; that of a process which was killed ends with its time.
constexpr auto kOpenTransactionWait = 60s;

using Bounds = std::map<TopicPartition, KafkaConsumer::Bounds>;

Result<std::unique_ptr<KafkaConsumer>> make_reader(RunContext& run, const Connection& connection,
                                                   const char* isolation) {
    KafkaProperties properties = connection.properties;
    properties["group.id"] = "shaduf-reader";  // never joined
    properties["isolation.level"] = isolation;
    return KafkaConsumer::create(properties, run.cancellation, connection.tokens(run));
}

Result<std::vector<TopicPartition>> partitions_of(KafkaConsumer& reader, const std::string& topic) {
    std::vector<TopicPartition> partitions;
    for (const auto& known : TRY(reader.topics(kAnswerWait))) {
        if (known.name != topic) continue;
        for (int32_t i = 0; i < known.partitions; ++i) partitions.push_back({topic, i});
    }
    return partitions;
}

// Behind all that is committed up to now.
Result<Bounds> stable_bounds(RunContext& run, const Connection& connection, KafkaConsumer& reader,
                             const std::vector<TopicPartition>& partitions) {
    auto all = TRY(make_reader(run, connection, "read_uncommitted"));
    const Bounds ends = TRY(all->bounds(partitions, kAnswerWait));
    const auto until = run.clock.steady_now() + kOpenTransactionWait;
    for (;;) {
        Bounds stable = TRY(reader.bounds(partitions, kAnswerWait));
        const bool reached = std::all_of(ends.begin(), ends.end(), [&](const auto& entry) {
            const auto found = stable.find(entry.first);
            return found != stable.end() && found->second.end >= entry.second.end;
        });
        if (reached) return stable;
        if (run.clock.steady_now() > until) {
            return Error(ErrorKind::unavailable, "a transaction of another process stays open on topic " +
                                                     partitions.front().topic + "; run again when it has ended");
        }
        if (!run.cancellation.wait_for(kPollWait)) return run.cancellation.check().error();
    }
}

}  // namespace

Result<void> read_whole_topic(RunContext& run, const Connection& connection, const std::string& topic, Absence absence,
                              const std::function<Result<void>(const KafkaMessage&)>& each) {
    auto reader = TRY(make_reader(run, connection, "read_committed"));
    const auto partitions = TRY(partitions_of(*reader, topic));
    if (partitions.empty()) {
        if (absence == Absence::is_empty) return {};
        return Error(ErrorKind::unavailable, "brokers do not know a topic that is there: " + topic + "; run again");
    }
    KafkaOffsets begin;
    KafkaOffsets wanted;  // what is not read yet, up to where
    for (const auto& [partition, bounds] : TRY(stable_bounds(run, connection, *reader, partitions))) {
        if (bounds.first >= bounds.end) continue;
        begin[partition] = bounds.first;
        wanted[partition] = bounds.end;
    }
    if (wanted.empty()) return {};
    TRY(reader->assign(begin));
    while (!wanted.empty()) {
        TRY(run.cancellation.check());
        const KafkaMessages messages = TRY(reader->poll(kPollWait, kMessagesMax));
        for (size_t i = 0; i < messages.size(); ++i) {
            const KafkaMessage message = messages[i];
            const TopicPartition partition{std::string(message.topic), message.partition};
            TRY(each(message));
            const auto end = wanted.find(partition);
            if (end != wanted.end() && message.offset + 1 >= end->second) wanted.erase(end);
        }
        for (const auto& [partition, offset] : reader->news().ends) {
            const auto end = wanted.find(partition);
            if (end != wanted.end() && offset >= end->second) wanted.erase(end);
        }
    }
    return {};
}

}  // namespace shaduf::kafka
