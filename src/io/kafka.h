#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancellation.h"
#include "base/result.h"

// Thin owners of librdkafka's handles (its C API). No notion of a pipeline: offsets are kept by whoever reads.
// Every call that waits ends within a second of cancellation. Errors: auth (SASL, TLS, ACLs), invalid_config (a
// property or topic that cannot be), unavailable (brokers, timeouts; may be retried), too_large, conflict (fenced),
// internal.
namespace shaduf {

// Properties by librdkafka's own names, such as "bootstrap.servers"; what they mean is told in its CONFIGURATION.md.
using KafkaProperties = std::map<std::string, std::string>;

// For OAUTHBEARER. The source is asked when a token is about to run out, by a thread of the library's own; it must not
// outlast the cancellation that the client was given.
struct KafkaToken {
    std::string value;
    std::string principal;
    int64_t expires_ms = 0;  // since 1970
};
using KafkaTokenSource = std::function<Result<KafkaToken>()>;

struct TopicPartition {
    std::string topic;
    int32_t partition = 0;
    auto operator<=>(const TopicPartition&) const = default;
};
using KafkaOffsets = std::map<TopicPartition, int64_t>;

// One message, borrowed from the KafkaMessages that it stands in.
struct KafkaMessage {
    std::string_view topic;
    int32_t partition = 0;
    int64_t offset = 0;
    int64_t timestamp_ms = -1;  // since 1970; -1: the broker gives none
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;  // nullopt: a tombstone
};
struct KafkaHeader {
    std::string_view name;
    std::optional<std::string_view> value;
};

// What one poll gave, in the order of each partition. Movable; gives the memory back when it goes away.
class KafkaMessages {
public:
    KafkaMessages();
    ~KafkaMessages();
    KafkaMessages(KafkaMessages&&) noexcept;
    KafkaMessages& operator=(KafkaMessages&&) noexcept;

    size_t size() const;
    KafkaMessage operator[](size_t i) const;
    std::vector<KafkaHeader> headers(size_t i) const;  // slower: only where someone wants them

private:
    friend class KafkaConsumer;
    struct Handles;
    std::unique_ptr<Handles> handles_;
};

// What became of a group's partitions; until `take` or `give_up` answers it, the group waits.
struct KafkaRebalance {
    bool revoked = false;  // else assigned
    bool lost = false;     // revoked, and another member has them already
    std::vector<TopicPartition> partitions;
};

// Reads topics, as a member of a consumer group (`subscribe`) or alone (`assign`). One thread at a time.
class KafkaConsumer {
public:
    // Sets enable.auto.commit and enable.auto.offset.store to false, partition.assignment.strategy to
    // cooperative-sticky, and isolation.level to read_committed, where `properties` do not say otherwise.
    static Result<std::unique_ptr<KafkaConsumer>> create(const KafkaProperties& properties,
                                                         const Cancellation& cancellation,
                                                         KafkaTokenSource tokens = {});
    ~KafkaConsumer();  // leaves the group; all KafkaMessages are gone before

    // Topics by name, or patterns that begin with ^.
    Result<void> subscribe(const std::vector<std::string>& topics);
    // Alone, without the group's coordinator: these partitions more, from these offsets on. `give_up` ends them.
    Result<void> assign(const KafkaOffsets& offsets);

    // What has come, waiting for the first up to `wait`. Nothing may have come: look at `rebalance` and `news`. Brokers
    // that are away are waited for by the library; all of them gone for `patience` is unavailable.
    Result<KafkaMessages> poll(std::chrono::milliseconds wait, size_t messages_max);
    void set_patience(std::chrono::milliseconds patience);  // 30 s
    // What was met on the way since it was asked last.
    struct News {
        KafkaOffsets ends;          // partitions that were read up to where they end by now: the offset behind
        KafkaOffsets out_of_range;  // partitions whose broker does not have the offset that was asked for
    };
    News news();
    // The event that `poll` met, if any; answered by exactly one of the next two.
    std::optional<KafkaRebalance> rebalance();
    // Partitions that were assigned, from these offsets on.
    Result<void> take(const KafkaOffsets& offsets);
    // Partitions that were revoked: nothing of them comes any more.
    Result<void> give_up(const std::vector<TopicPartition>& partitions);

    // Partitions that are read go on from these offsets.
    Result<void> seek(const KafkaOffsets& offsets);
    // While no broker can be reached; known_bounds then says nothing new.
    bool brokers_are_away() const;

    // For others that watch the group's lag; nobody here reads it.
    Result<void> commit_to_group(const KafkaOffsets& offsets);

    struct TopicInfo {
        std::string name;
        int32_t partitions = 0;
    };
    Result<std::vector<TopicInfo>> topics(std::chrono::milliseconds wait);
    struct Bounds {
        int64_t first = 0;
        int64_t end = 0;  // behind the last message that a reader of committed messages can see
    };
    Result<std::map<TopicPartition, Bounds>> bounds(std::span<const TopicPartition> partitions,
                                                    std::chrono::milliseconds wait);
    // The first message of each partition that is not older; the end where there is none.
    Result<KafkaOffsets> offsets_at(std::span<const TopicPartition> partitions, int64_t timestamp_ms,
                                    std::chrono::milliseconds wait);
    // Of a partition that is read, as known from the last answers of its broker, without a call.
    std::optional<Bounds> known_bounds(const TopicPartition& partition) const;

private:
    struct Impl;
    explicit KafkaConsumer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

struct KafkaRecord {
    int32_t partition = -1;  // -1: by `partition_key`, or by the key; by neither, as it comes
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;
    std::optional<std::string_view> partition_key = std::nullopt;  // hashed in the key's place
    int64_t timestamp_ms = -1;                                     // -1: now
    std::vector<KafkaHeader> headers = {};
};

// Writes topics. Thread-safe, but transactions, which are one thread's.
class KafkaProducer {
public:
    // Idempotent, unless `properties` say otherwise; with "transactional.id" in transactions. Keys are spread over
    // partitions as Kafka's own Java client does it.
    static Result<std::unique_ptr<KafkaProducer>> create(const KafkaProperties& properties,
                                                         const Cancellation& cancellation,
                                                         KafkaTokenSource tokens = {});
    ~KafkaProducer();

    // Copies the record; waits while the queue is full. An earlier record that failed for good is returned here, and
    // by every call behind it until `abort_transaction`.
    Result<void> send(const std::string& topic, const KafkaRecord& record);
    // Until all that was sent stands on the brokers.
    Result<void> flush();

    // Fences whoever had the same transactional.id before.
    Result<void> init_transactions();
    Result<void> begin_transaction();
    Result<void> commit_transaction();
    Result<void> abort_transaction();

private:
    struct Impl;
    explicit KafkaProducer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

struct KafkaTopicSpec {
    std::string name;
    int32_t partitions = 1;
    int32_t replication = -1;  // -1: the broker's default
    std::map<std::string, std::string> config;
};
// Creates what is not there; a topic that is there stays as it is. Returns the names that were created.
Result<std::vector<std::string>> create_kafka_topics(const KafkaProperties& properties,
                                                     std::span<const KafkaTopicSpec> topics,
                                                     const Cancellation& cancellation, KafkaTokenSource tokens = {});

}  // namespace shaduf
