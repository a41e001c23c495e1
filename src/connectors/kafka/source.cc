#include "connectors/kafka/source.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/run_events.h"
#include "base/text.h"
#include "connectors/kafka/dead_letters.h"
#include "connectors/kafka/gathering.h"
#include "connectors/kafka/lag.h"
#include "connectors/kafka/positions.h"
#include "connectors/kafka/topics.h"

// Two ways to read. With an end, the source assigns all partitions to itself, from the sink's checkpoint up to what
// stood in them when it was opened; a partition has ended when its position has, which need not be a message (markers
// of transactions and compaction leave gaps). Without an end, the group assigns: each event becomes a batch that
// settles, and is answered in resume_at, when the sink has said where the partitions stand by now.
namespace shaduf::kafka {
namespace {

using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr size_t kMessagesAtOnce = 20'000;  // of the consumer
constexpr size_t kRowsMax = 100'000;        // of a batch
constexpr milliseconds kIdleMin{200};       // without a message, before the writer may look at the clock

// Brokers are waited for in their time, whatever clock the run has.
SteadyTime steady_now() { return std::chrono::steady_clock::now(); }

Timestamp time_of(int64_t milliseconds_since_1970) {
    return Timestamp(std::chrono::milliseconds(milliseconds_since_1970));
}

class KafkaSource final : public Source, public SharedSource, public ColumnTeller, public DeadLetters {
public:
    KafkaSource(Connection connection, StreamSettings settings, std::unique_ptr<Decoder> decoder)
        : connection_(std::move(connection)),
          settings_(std::move(settings)),
          decoder_(std::move(decoder)),
          gathering_({settings_.decoder.metadata.key, settings_.decoder.metadata.headers,
                      settings_.decoder.registry != nullptr, settings_.decoder.teller != nullptr}),
          lag_(settings_.pipeline, settings_.stream),
          dead_letters_(connection_, consumer_properties(connection_, settings_), settings_.dead_letter_topic) {}

    Result<void> hand_on(RunContext& run, std::span<const RejectedMessage> rejected) override {
        return settings_.dead_letter_topic.empty() ? Result<void>() : dead_letters_.send(run, rejected);
    }

    Result<void> open(RunContext& run, const std::optional<Checkpoint>& resume_from) override {
        arrived_ = {};
        consumer_.reset();
        positions_.clear();
        news_ = {};
        ended_.clear();
        has_told_end_ = false;
        const CheckpointParts stands = TRY(parse_parts(resume_from));
        consumer_ = TRY(KafkaConsumer::create(consumer_properties(connection_, settings_), run.cancellation,
                                              connection_.tokens(run)));
        consumer_->set_patience(connection_.timeout);
        const auto topics = TRY(consumer_->topics(connection_.timeout));
        auto partitions = find_partitions(topics, settings_.topics);
        // Topics of a sink of ours are made when it first runs.
        const bool may_come =
            !settings_.columns_of.empty() ||
            (!settings_.until && std::any_of(settings_.topics.begin(), settings_.topics.end(), is_pattern));
        if (!partitions.ok() && !may_come) return partitions.release_error();
        if (settings_.until && !partitions.ok()) return begin_bounded(run, {}, stands);
        if (settings_.until) return begin_bounded(run, partitions.value(), stands);
        if (partitions.ok()) return consumer_->subscribe(settings_.topics);
        std::vector<std::string> patterns;
        for (const auto& topic : settings_.topics) patterns.push_back(pattern_of(topic));
        return consumer_->subscribe(patterns);
    }

    Result<std::optional<ReadBatch>> read(RunContext& run) override {
        if (messages_ == nullptr) {
            TRY(gather(run));
            TRY(find_lost(run));
            if (gathering_.rows() > 0) messages_ = gathering_.finish();
        }
        lag_.report(run, *consumer_, positions_);
        if (messages_ != nullptr) return give_rows(run);
        ReadBatch batch{.rows = RawRows(), .next = checkpoint(run)};
        batch.settles = consumer_->rebalance().has_value();
        if (batch.settles || !has_ended()) return std::optional(std::move(batch));
        if (std::exchange(has_told_end_, true)) return std::nullopt;
        return std::optional(std::move(batch));
    }

    Result<void> resume_at(RunContext& run, const std::optional<Checkpoint>& stands) override {
        const CheckpointParts parts = TRY(parse_parts(stands));
        const auto event = consumer_->rebalance();
        if (!event) return {};
        std::vector<std::string> warnings;
        if (event->revoked) {
            TRY(check_kept(event->partitions, parts));
            TRY(consumer_->give_up(event->partitions));
            for (const auto& partition : event->partitions) positions_.erase(partition);
        } else {
            TRY(check_kept({}, parts));
            TRY(pin_all(parts, warnings));
            Positions taken = TRY(starts_.find(*consumer_, event->partitions, parts, warnings));
            TRY(consumer_->take(to_offsets(taken)));
            for (auto& [partition, position] : taken) positions_.insert_or_assign(partition, position);
        }
        current_topic_ = nullptr;
        lag_.rebalanced();
        tell(run, warnings);
        run.events.message(Severity::info, place(),
                           std::string(event->lost      ? "lost "
                                       : event->revoked ? "gives up "
                                                        : "takes ") +
                               format_count(static_cast<int64_t>(event->partitions.size())) + " partitions, reads " +
                               format_count(static_cast<int64_t>(positions_.size())));
        return {};
    }

    Result<void> acknowledge(RunContext& run, const Checkpoint& checkpoint) override {
        lag_.committed(checkpoint);
        pinned_.clear();
        KafkaOffsets offsets;
        for (const auto& [name, part] : TRY(parse_parts(checkpoint))) {
            const auto partition = parse_part_name(name);
            if (!partition || !positions_.contains(*partition)) continue;
            offsets[*partition] = std::strtoll(part.at.c_str(), nullptr, 10);
        }
        if (offsets.empty()) return {};
        const auto told = consumer_->commit_to_group(offsets);
        const bool passes =
            told.ok() || told.error().kind() == ErrorKind::unavailable;  // the next commit says it again
        if (!passes && !std::exchange(group_is_deaf_, true)) {
            run.events.message(Severity::warning, place(),
                               "others do not see the group's lag: " + told.error().to_string());
        }
        return {};
    }

    std::vector<ShapeColumn> known_columns() const override { return decoder_->known_columns(); }

private:
    std::string place() const { return settings_.pipeline + "." + settings_.stream; }

    void tell(RunContext& run, const std::vector<std::string>& warnings) const {
        for (const auto& warning : warnings) run.events.message(Severity::warning, place(), warning);
    }

    // ------------------------------------------------------------------------------------------------ with an end

    Result<void> begin_bounded(RunContext& run, const std::vector<TopicPartition>& partitions,
                               const CheckpointParts& stands) {
        opened_at_ = run.clock.now();
        const auto& until_ms = settings_.until->timestamp_ms;
        if (until_ms) opened_at_ = std::min(opened_at_, time_of(*until_ms));
        std::vector<std::string> warnings;
        positions_ = TRY(starts_.find(*consumer_, partitions, stands, warnings));
        KafkaOffsets ends;
        if (until_ms) {
            ends = TRY(consumer_->offsets_at(partitions, *until_ms, connection_.timeout));
        } else {
            for (const auto& [partition, bounds] : TRY(consumer_->bounds(partitions, connection_.timeout))) {
                ends[partition] = bounds.end;
            }
        }
        KafkaOffsets wanted;
        for (auto& [partition, position] : positions_) {
            position.end = ends.at(partition);
            if (position.is_done()) {
                position.see(opened_at_);
            } else {
                wanted[partition] = position.next;
            }
        }
        kept_ = stands;
        for (const auto& [partition, position] : positions_) kept_.erase(part_name(partition));
        tell(run, warnings);
        progressed_at_ = steady_now();
        if (!wanted.empty()) TRY(consumer_->assign(wanted));
        return {};
    }

    bool has_ended() const {
        return settings_.until && std::all_of(positions_.begin(), positions_.end(),
                                              [](const auto& entry) { return entry.second.is_done(); });
    }

    Result<void> end_partitions() {
        if (ended_.empty()) return {};
        for (const auto& partition : ended_) positions_.at(partition).see(opened_at_);
        TRY(consumer_->give_up(ended_));
        ended_.clear();
        return {};
    }

    // Brokers may be there, and one partition's leader not.
    Result<void> check_progress() {
        if (steady_now() - progressed_at_ < connection_.timeout) return {};
        progressed_at_ = steady_now();
        const auto waits = std::find_if(positions_.begin(), positions_.end(),
                                        [](const auto& entry) { return !entry.second.is_done(); });
        return Error(ErrorKind::unavailable, "partition gives nothing: " + part_name(waits->first) + " at " +
                                                 std::to_string(waits->second.next) + " of " +
                                                 std::to_string(waits->second.end) +
                                                 "; see whether its leader is there");
    }

    // ------------------------------------------------------------------------------------------------- messages

    Result<void> gather(RunContext& run) {
        auto until = steady_now() + std::max(settings_.linger, kIdleMin);
        bool has_rows = gathering_.rows() > 0;
        for (;;) {
            take_arrived();
            if (arrived_at_ < arrived_.size()) return {};  // the batch is full
            note_ends(run);
            TRY(end_partitions());
            if (!has_rows && gathering_.rows() > 0) {
                has_rows = true;
                until = steady_now() + settings_.linger;
            }
            const auto left = std::chrono::duration_cast<milliseconds>(until - steady_now());
            if (is_full() || has_ended() || consumer_->rebalance() || left <= milliseconds(0)) break;
            current_topic_ = nullptr;
            arrived_at_ = 0;
            arrived_ = {};
            arrived_ = TRY(consumer_->poll(left, kMessagesAtOnce));
            news_ = consumer_->news();
            if (arrived_.size() > 0 || !news_.ends.empty()) progressed_at_ = steady_now();
            if (!news_.out_of_range.empty() && arrived_.size() == 0) break;
        }
        if (!has_rows && settings_.until && !has_ended()) TRY(check_progress());
        return {};
    }

    bool is_full() const { return gathering_.bytes() >= settings_.batch_bytes || gathering_.rows() >= kRowsMax; }

    void take_arrived() {
        for (; arrived_at_ < arrived_.size() && !is_full(); ++arrived_at_) {
            const KafkaMessage message = arrived_[arrived_at_];
            const bool is_another = current_topic_ != message.topic.data() || current_partition_ != message.partition;
            if (is_another) find_position(message);
            // Of a partition that was given up, or that goes on before where it was told to.
            if (current_ == nullptr || message.offset < current_->next) continue;
            if (message.offset < current_->end) add(message);
            current_->next = std::min(message.offset + 1, current_->end);
            if (!current_->is_done()) continue;
            ended_.push_back({std::string(message.topic), message.partition});
            current_ = nullptr;
        }
    }

    void add(const KafkaMessage& message) {
        gathering_.add(arrived_, arrived_at_, message);
        if (message.timestamp_ms < 0) return;
        current_->see(time_of(message.timestamp_ms));
        if (oldest_ms_ < 0 || message.timestamp_ms < oldest_ms_) oldest_ms_ = message.timestamp_ms;
    }

    void find_position(const KafkaMessage& message) {
        current_topic_ = message.topic.data();
        current_partition_ = message.partition;
        const auto found = positions_.find({std::string(message.topic), message.partition});
        current_ = found == positions_.end() || found->second.is_done() ? nullptr : &found->second;
    }

    // Behind the messages that came with them.
    void note_ends(RunContext& run) {
        for (const auto& [partition, offset] : news_.ends) {
            const auto found = positions_.find(partition);
            if (found == positions_.end() || found->second.is_done()) continue;
            Position& position = found->second;
            if (offset >= position.next && !settings_.until) position.see(run.clock.now());
            position.next = std::min(std::max(position.next, offset), position.end);
            if (position.is_done()) ended_.push_back(partition);
        }
        news_.ends.clear();
    }

    // Retention was faster than the reading.
    Result<void> find_lost(RunContext& run) {
        if (news_.out_of_range.empty() || gathering_.rows() > 0) return {};
        std::vector<TopicPartition> partitions;
        for (const auto& [partition, offset] : news_.out_of_range) {
            if (positions_.contains(partition)) partitions.push_back(partition);
        }
        std::vector<std::string> warnings;
        KafkaOffsets offsets;
        for (const auto& [partition, bounds] : TRY(consumer_->bounds(partitions, connection_.timeout))) {
            const int64_t next = positions_.at(partition).next;
            offsets[partition] = TRY(go_on_behind(partition, next, bounds, settings_.on_lost, warnings));
        }
        if (!offsets.empty()) TRY(consumer_->seek(offsets));
        for (const auto& [partition, offset] : offsets) positions_.at(partition).next = offset;
        news_.out_of_range.clear();
        tell(run, warnings);
        return {};
    }

    Result<std::optional<ReadBatch>> give_rows(RunContext& run) {
        Rows rows = TRY(decoder_->to_rows(run, messages_));
        messages_ = nullptr;
        ReadBatch batch{.rows = RawRows(), .next = checkpoint(run)};
        std::visit([&](auto& given) { batch.rows = std::move(given); }, rows);
        return std::optional(std::move(batch));
    }

    // ------------------------------------------------------------------------------------------------- positions

    std::optional<Checkpoint> checkpoint(RunContext& run) {
        if (!settings_.until) see_idle(run);
        CheckpointParts parts = to_parts(positions_);
        parts.insert(kept_.begin(), kept_.end());
        if (!positions_.empty()) parts.insert(pinned_.begin(), pinned_.end());
        if (parts.empty()) return std::nullopt;
        Checkpoint behind = to_checkpoint(parts);
        lag_.gave(behind, std::exchange(oldest_ms_, -1));
        return behind;
    }

    // A partition that nobody writes to must not keep the others' dates open.
    void see_idle(RunContext& run) {
        if (consumer_->brokers_are_away()) return;
        const Timestamp now = run.clock.now();
        for (auto& [partition, position] : positions_) {
            const auto bounds = consumer_->known_bounds(partition);
            if (bounds && bounds->end <= position.next) position.see(now);
        }
    }

    // When nothing is committed yet, and partitions do not begin at their earliest message: they begin where they do
    // now for all members of the group, whoever reads them first.
    Result<void> pin_all(const CheckpointParts& stands, std::vector<std::string>& warnings) {
        pinned_.clear();
        if (!stands.empty() || settings_.start.kind == Start::Kind::earliest) return {};
        const auto topics = TRY(consumer_->topics(connection_.timeout));
        const auto partitions = find_partitions(topics, settings_.topics);
        if (!partitions.ok()) return {};  // a pattern, and topics that are still to come
        pinned_ = to_parts(TRY(starts_.find(*consumer_, partitions.value(), stands, warnings)));
        return {};
    }

    // What this process reads on must be what the sink holds.
    Result<void> check_kept(const std::vector<TopicPartition>& revoked, const CheckpointParts& stands) const {
        for (const auto& [partition, position] : positions_) {
            if (std::find(revoked.begin(), revoked.end(), partition) != revoked.end()) continue;
            const auto part = stands.find(part_name(partition));
            if (part == stands.end() || part->second.at == std::to_string(position.next)) continue;
            return Error(ErrorKind::conflict, "another process has read on: part " + part->first + " stands at " +
                                                  part->second.at + ", not at " + std::to_string(position.next) +
                                                  "; this one begins again from there");
        }
        return {};
    }

    const Connection connection_;
    const StreamSettings settings_;
    const std::unique_ptr<Decoder> decoder_;
    const Starts starts_{settings_, connection_.timeout};
    std::unique_ptr<KafkaConsumer> consumer_;  // outlives its messages

    KafkaMessages arrived_;
    size_t arrived_at_ = 0;
    KafkaConsumer::News news_;  // met behind them
    Gathering gathering_;
    MessagesPtr messages_;  // a whole batch that is not decoded yet
    int64_t oldest_ms_ = -1;

    Positions positions_;  // behind all that was gathered
    Position* current_ = nullptr;
    const char* current_topic_ = nullptr;
    int32_t current_partition_ = -1;
    std::vector<TopicPartition> ended_;
    CheckpointParts kept_;    // of partitions that are read no longer
    CheckpointParts pinned_;  // of partitions that others of the group may read
    Timestamp opened_at_;
    SteadyTime progressed_at_;
    bool has_told_end_ = false;
    bool group_is_deaf_ = false;
    LagWatch lag_;
    DeadLetterWriter dead_letters_;
};

Result<std::vector<KafkaConsumer::TopicInfo>> list_topics(RunContext& run, const Connection& connection) {
    KafkaProperties properties = connection.properties;
    properties.try_emplace("group.id", "shaduf");  // the library wants one, and nobody joins
    const auto consumer = TRY(KafkaConsumer::create(properties, run.cancellation, connection.tokens(run)));
    return consumer->topics(connection.timeout);
}

}  // namespace

Result<std::unique_ptr<Source>> make_kafka_source(Connection connection, StreamSettings settings) {
    auto decoder = TRY(make_decoder(settings.decoder));
    return std::unique_ptr<Source>(
        std::make_unique<KafkaSource>(std::move(connection), std::move(settings), std::move(decoder)));
}

Result<void> check_kafka(RunContext& run, const Connection& connection) {
    TRY(list_topics(run, connection));
    return {};
}

Result<std::vector<StreamInfo>> discover_kafka(RunContext& run, const Connection& connection) {
    std::vector<StreamInfo> streams;
    for (const auto& topic : TRY(list_topics(run, connection))) {
        if (topic.name.starts_with("__")) continue;  // the brokers' own
        streams.push_back({.name = topic.name,
                           .schema = std::nullopt,
                           .key = {},
                           .cursor_field = "",
                           .modes = {ReadMode::incremental, ReadMode::full_refresh, ReadMode::stream}});
    }
    return streams;
}

}  // namespace shaduf::kafka
