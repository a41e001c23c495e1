#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <deque>
#include <set>
#include <utility>

#include "base/assert.h"
#include "io/kafka.h"
#include "io/kafka_config.h"
#include "io/kafka_error.h"

// Messages come by the consumer's queue, which librdkafka's threads fill; it is emptied in batches, since one call a
// message costs as much as the message. The library's main queue (errors) is served beside it. Callbacks run within
// these calls, on the caller's thread: they only note what happened.
namespace shaduf {
namespace {

using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr milliseconds kSliceMax{200};    // of a wait, so that cancellation is seen
constexpr milliseconds kRequestMax{900};  // of a call that cannot be interrupted
constexpr milliseconds kClosingMax{700};  // for the group to let go
constexpr milliseconds kGroupCommitMax{500};
constexpr milliseconds kGroupOffsetsMax{5000};

struct ListFree {
    void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, ListFree>;

PartitionList make_list(size_t size) {
    return PartitionList(rd_kafka_topic_partition_list_new(static_cast<int>(size)));
}

void add(rd_kafka_topic_partition_list_t* list, const TopicPartition& partition, int64_t offset) {
    rd_kafka_topic_partition_list_add(list, partition.topic.c_str(), partition.partition)->offset = offset;
}

PartitionList list_of(const KafkaOffsets& offsets) {
    PartitionList list = make_list(offsets.size());
    for (const auto& [partition, offset] : offsets) add(list.get(), partition, offset);
    return list;
}

std::span<const rd_kafka_topic_partition_t> elements_of(const rd_kafka_topic_partition_list_t& list) {
    return {list.elems, static_cast<size_t>(list.cnt)};
}

std::vector<TopicPartition> partitions_of(const rd_kafka_topic_partition_list_t& list) {
    std::vector<TopicPartition> partitions;
    for (const auto& element : elements_of(list)) partitions.push_back({element.topic, element.partition});
    return partitions;
}

Result<void> result_of(rd_kafka_error_t* error, std::string_view what) {
    if (error == nullptr) return {};
    Error failed = kafka_error(rd_kafka_error_code(error), what, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return failed;
}

Result<void> result_of(rd_kafka_resp_err_t code, std::string_view what) {
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return kafka_error(code, what);
}

bool is_cooperative(rd_kafka_t* client) {
    return std::string_view(rd_kafka_rebalance_protocol(client)) == "COOPERATIVE";
}

// What callbacks and errors among the messages have left.
struct ConsumerState : KafkaClientState {
    std::deque<KafkaRebalance> rebalances;
    KafkaConsumer::News news;
    std::optional<Error> failed;           // to be returned by the next poll
    std::optional<Error> refused;          // a broker did not let us in
    std::string last_trouble;              // the library's own words
    std::optional<SteadyTime> away_since;  // all brokers
    bool is_closing = false;
    bool was_assigned = false;  // ever, be it nothing
};

void answer_at_once(rd_kafka_t* client, rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t* partitions) {
    const bool unassigns = event == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS && is_cooperative(client);
    if (unassigns) {
        static_cast<void>(result_of(rd_kafka_incremental_unassign(client, partitions), ""));
    } else {
        rd_kafka_assign(client, nullptr);
    }
}

void on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t* partitions,
                  void* opaque) {
    auto& state = static_cast<ConsumerState&>(*static_cast<KafkaClientState*>(opaque));
    const bool assigns = event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    state.was_assigned = state.was_assigned || assigns;
    if (state.is_closing || (!assigns && event != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)) {
        answer_at_once(client, event, partitions);
        return;
    }
    const bool lost = !assigns && rd_kafka_assignment_lost(client) != 0;
    // No rd_kafka_yield here, so that the poll would end at once: the library then takes the next message off its queue
    // and forgets it (rd_kafka_q_serve_rkmessages, still so in 2.12). The poll ends with its slice.
    state.rebalances.push_back({!assigns, lost, partitions_of(*partitions)});
}

void on_error(rd_kafka_t* client, int code, const char* reason, void* opaque) {
    auto& state = static_cast<ConsumerState&>(*static_cast<KafkaClientState*>(opaque));
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        std::array<char, 512> why{};
        const auto cause = rd_kafka_fatal_error(client, why.data(), why.size());
        state.failed = kafka_error(cause, "the consumer cannot go on", why.data()).permanent();
        return;
    }
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        if (!state.away_since) state.away_since = std::chrono::steady_clock::now();
        return;
    }
    state.last_trouble = kafka_reason(reason);
    if (auto refusal = state.refusal(code, reason)) state.refused = std::move(*refusal);
}

}  // namespace

// ----------------------------------------------------------------------------------------------------------- messages

struct KafkaMessages::Handles {
    std::vector<rd_kafka_message_t*> messages;
    // Of the topic seen last: its name's length is not to be counted for every message.
    mutable rd_kafka_topic_t* topic = nullptr;
    mutable std::string_view topic_name;

    ~Handles() {
        for (rd_kafka_message_t* message : messages) rd_kafka_message_destroy(message);
    }
};

KafkaMessages::KafkaMessages() = default;
KafkaMessages::~KafkaMessages() = default;
KafkaMessages::KafkaMessages(KafkaMessages&&) noexcept = default;
KafkaMessages& KafkaMessages::operator=(KafkaMessages&&) noexcept = default;

size_t KafkaMessages::size() const { return handles_ == nullptr ? 0 : handles_->messages.size(); }

KafkaMessage KafkaMessages::operator[](size_t i) const {
    const rd_kafka_message_t& message = *handles_->messages[i];
    if (message.rkt != handles_->topic) {
        handles_->topic = message.rkt;
        handles_->topic_name = rd_kafka_topic_name(message.rkt);
    }
    const auto view = [](const void* bytes, size_t size) -> std::optional<std::string_view> {
        if (bytes == nullptr) return std::nullopt;
        return std::string_view(static_cast<const char*>(bytes), size);
    };
    rd_kafka_timestamp_type_t kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const int64_t timestamp = rd_kafka_message_timestamp(&message, &kind);
    return {.topic = handles_->topic_name,
            .partition = message.partition,
            .offset = message.offset,
            .timestamp_ms = kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp,
            .key = view(message.key, message.key_len),
            .value = view(message.payload, message.len)};
}

std::vector<KafkaHeader> KafkaMessages::headers(size_t i) const {
    std::vector<KafkaHeader> found;
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(handles_->messages[i], &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return found;
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    for (size_t at = 0; rd_kafka_header_get_all(headers, at, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++at) {
        KafkaHeader& header = found.emplace_back(KafkaHeader{name, std::nullopt});
        if (value != nullptr) header.value.emplace(static_cast<const char*>(value), size);
    }
    return found;
}

// ----------------------------------------------------------------------------------------------------------- consumer

struct KafkaConsumer::Impl {
    Impl(const Cancellation& wanted_cancellation, KafkaTokenSource tokens) : cancellation(wanted_cancellation) {
        state.tokens = std::move(tokens);
    }
    ~Impl() {
        if (client == nullptr) return;
        if (queue != nullptr) rd_kafka_queue_destroy(queue);
        rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    // Without it the others of the group would wait for the session's end. An event that nobody answers would keep the
    // library's threads for ever.
    void leave_group() {
        state.is_closing = true;
        for (const KafkaRebalance& event : state.rebalances) {
            const PartitionList list = make_list(event.partitions.size());
            for (const auto& partition : event.partitions) add(list.get(), partition, RD_KAFKA_OFFSET_INVALID);
            if (!is_cooperative(client)) {
                rd_kafka_assign(client, nullptr);
            } else if (event.revoked) {
                static_cast<void>(result_of(rd_kafka_incremental_unassign(client, list.get()), ""));
            } else {
                static_cast<void>(result_of(rd_kafka_incremental_assign(client, make_list(0).get()), ""));
            }
        }
        rd_kafka_queue_t* closing = rd_kafka_queue_new(client);
        static_cast<void>(result_of(rd_kafka_consumer_close_queue(client, closing), ""));
        const auto until = std::chrono::steady_clock::now() + kClosingMax;
        while (rd_kafka_consumer_closed(client) == 0 && std::chrono::steady_clock::now() < until) {
            rd_kafka_message_t* message = nullptr;
            const auto came = rd_kafka_consume_batch_queue(closing, 20, &message, 1);
            if (came > 0) rd_kafka_message_destroy(message);
        }
        rd_kafka_queue_destroy(closing);
    }

    rd_kafka_resp_err_t set_group_offsets(const KafkaOffsets& offsets);

    size_t take_batch(milliseconds wait, size_t filled, size_t messages_max) {
        const auto came =
            rd_kafka_consume_batch_queue(queue, static_cast<int>(wait.count()), arrived.data() + filled, messages_max);
        return came < 0 ? 0 : static_cast<size_t>(came);
    }

    // Errors stand among the messages.
    void note(const rd_kafka_message_t& message) {
        const TopicPartition partition{message.rkt == nullptr ? "" : rd_kafka_topic_name(message.rkt),
                                       message.partition};
        switch (message.err) {
            case RD_KAFKA_RESP_ERR__PARTITION_EOF:
                state.news.ends[partition] = message.offset;
                state.away_since.reset();
                return;
            case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
            case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: state.news.out_of_range[partition] = message.offset; return;
            case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED: return;  // told by the rebalance that follows
            case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
                if (partition.topic.starts_with('^')) return;  // a pattern: what it means may come
                break;
            default: break;
        }
        const ErrorKind kind = kafka_error_kind(message.err);
        const char* detail = rd_kafka_message_errstr(&message);
        if (kind == ErrorKind::unavailable || kind == ErrorKind::internal) {
            state.last_trouble = detail;
            return;
        }
        state.failed = kafka_error(
            message.err, partition.topic.empty() ? "cannot read" : "cannot read topic " + partition.topic, detail);
    }

    KafkaMessages sort_out(size_t count) {
        KafkaMessages given;
        given.handles_ = std::make_unique<KafkaMessages::Handles>();
        auto& messages = given.handles_->messages;
        messages.assign(arrived.begin(), arrived.begin() + static_cast<ptrdiff_t>(count));
        std::erase_if(messages, [&](rd_kafka_message_t* message) {
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) [[likely]]
                return false;
            note(*message);
            rd_kafka_message_destroy(message);
            return true;
        });
        if (!messages.empty()) was_let_in = true;
        if (!messages.empty()) state.away_since.reset();
        return given;
    }

    Error unreachable(std::string_view what) const {
        return Error(ErrorKind::unavailable, std::string(what) +
                                                 (state.last_trouble.empty() ? "" : ": " + state.last_trouble) +
                                                 "; check brokers and security of the connection");
    }

    Result<void> check_health() {
        rd_kafka_poll(client, 0);
        TRY(cancellation.check());
        if (state.failed) return *std::exchange(state.failed, std::nullopt);
        // A broker that restarts may refuse for a moment.
        if (state.refused && !was_let_in) return *std::exchange(state.refused, std::nullopt);
        if (!state.away_since || std::chrono::steady_clock::now() - *state.away_since < patience) return {};
        const rd_kafka_metadata_t* metadata = nullptr;
        if (rd_kafka_metadata(client, 0, nullptr, &metadata, static_cast<int>(kRequestMax.count())) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            rd_kafka_metadata_destroy(metadata);
            state.away_since.reset();
            state.refused.reset();
            return {};
        }
        state.away_since = std::chrono::steady_clock::now();
        if (state.refused) return *std::exchange(state.refused, std::nullopt);
        return unreachable("no broker can be reached");
    }

    // Repeats a call that takes its own time limit, until it answers, `wait` has passed or the run is canceled.
    template <typename Call>
    Result<void> ask(milliseconds wait, std::string_view what, const Call& call) {
        const SteadyTime until = std::chrono::steady_clock::now() + wait;
        for (;;) {
            rd_kafka_poll(client, 0);
            TRY(cancellation.check());
            if (state.refused && !was_let_in) return *std::exchange(state.refused, std::nullopt);
            const auto began = std::chrono::steady_clock::now();
            const auto left = std::chrono::duration_cast<milliseconds>(until - began);
            const rd_kafka_resp_err_t code =
                call(static_cast<int>(std::clamp(left, milliseconds(1), kRequestMax).count()));
            if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
                was_let_in = true;
                return {};
            }
            const bool passes = kafka_error_kind(code) == ErrorKind::unavailable;
            if (!passes) return kafka_error(code, what);
            if (std::chrono::steady_clock::now() >= until) {
                rd_kafka_poll(client, 0);
                if (state.refused) return *std::exchange(state.refused, std::nullopt);
                return unreachable(std::string(what) + ": " + rd_kafka_err2str(code));
            }
            constexpr milliseconds kPause{50};  // some fail at once
            if (std::chrono::steady_clock::now() - began < kPause) cancellation.wait_for(kPause);
        }
    }

    Result<KafkaOffsets> list_offsets(std::span<const TopicPartition> partitions, int64_t point, milliseconds wait) {
        PartitionList list = make_list(partitions.size());
        const auto call = [&](int limit_ms) {
            list = make_list(partitions.size());
            for (const auto& partition : partitions) add(list.get(), partition, point);
            const auto code = rd_kafka_offsets_for_times(client, list.get(), limit_ms);
            if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return code;
            for (const auto& element : elements_of(*list)) {
                if (element.err != RD_KAFKA_RESP_ERR_NO_ERROR) return element.err;
            }
            return RD_KAFKA_RESP_ERR_NO_ERROR;
        };
        KafkaOffsets offsets;
        if (partitions.empty()) return offsets;
        TRY(ask(wait, "cannot ask for the offsets of topic " + partitions.front().topic, call));
        for (const auto& element : elements_of(*list)) offsets[{element.topic, element.partition}] = element.offset;
        return offsets;
    }

    const Cancellation& cancellation;
    ConsumerState state;
    rd_kafka_t* client = nullptr;
    rd_kafka_queue_t* queue = nullptr;
    std::vector<rd_kafka_message_t*> arrived;
    milliseconds patience{30'000};
    std::string group;
    bool has_subscribed = false;
    bool was_let_in = false;
};

KafkaConsumer::KafkaConsumer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

// librdkafka before 2.2 ends the process when the handle of a member is destroyed that was never assigned anything
// (confluentinc/librdkafka#4381): such a handle stays, idle, until the process ends.
KafkaConsumer::~KafkaConsumer() {
    if (!impl_->has_subscribed) return;
    impl_->leave_group();
    if (impl_->state.was_assigned || rd_kafka_version() >= 0x02020000) return;
    impl_->state.tokens = [] { return Error(ErrorKind::canceled, "the consumer has left"); };
    static_cast<void>(impl_.release());
}

Result<std::unique_ptr<KafkaConsumer>> KafkaConsumer::create(const KafkaProperties& properties,
                                                             const Cancellation& cancellation,
                                                             KafkaTokenSource tokens) {
    static const KafkaProperties kDefaults{{"auto.offset.reset", "error"},
                                           {"client.id", "shaduf"},
                                           {"enable.auto.commit", "false"},
                                           {"enable.auto.offset.store", "false"},
                                           {"enable.partition.eof", "true"},
                                           {"fetch.message.max.bytes", "1048576"},
                                           // A full queue is of a slow sink: it is emptied long before a second.
                                           {"fetch.queue.backoff.ms", "5"},
                                           {"fetch.wait.max.ms", "100"},
                                           {"isolation.level", "read_committed"},
                                           {"partition.assignment.strategy", "cooperative-sticky"},
                                           {"queued.max.messages.kbytes", "16384"},
                                           {"queued.min.messages", "50000"},
                                           {"session.timeout.ms", "15000"},
                                           {"topic.metadata.refresh.interval.ms", "30000"}};
    auto impl = std::make_unique<Impl>(cancellation, std::move(tokens));
    KafkaConfig config = TRY(make_kafka_config(properties, kDefaults, impl->state));
    if (const auto group = properties.find("group.id"); group != properties.end()) impl->group = group->second;
    rd_kafka_conf_set_rebalance_cb(config.get(), on_rebalance);
    rd_kafka_conf_set_error_cb(config.get(), on_error);
    std::array<char, 512> why{};
    impl->client = rd_kafka_new(RD_KAFKA_CONSUMER, config.get(), why.data(), why.size());
    if (impl->client == nullptr) {
        return Error(ErrorKind::invalid_config,
                     std::string("Kafka's client cannot be made: ") + why.data() + "; correct the connection");
    }
    static_cast<void>(config.release());
    TRY(enable_kafka_tokens(impl->client, impl->state));
    impl->queue = rd_kafka_queue_get_consumer(impl->client);
    return std::unique_ptr<KafkaConsumer>(new KafkaConsumer(std::move(impl)));
}

void KafkaConsumer::set_patience(milliseconds patience) { impl_->patience = patience; }

Result<void> KafkaConsumer::subscribe(const std::vector<std::string>& topics) {
    const PartitionList list = make_list(topics.size());
    for (const auto& topic : topics) {
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    }
    impl_->has_subscribed = true;
    return result_of(rd_kafka_subscribe(impl_->client, list.get()), "cannot subscribe to topics");
}

Result<void> KafkaConsumer::assign(const KafkaOffsets& offsets) {
    return result_of(rd_kafka_incremental_assign(impl_->client, list_of(offsets).get()), "cannot begin to read");
}

Result<KafkaMessages> KafkaConsumer::poll(milliseconds wait, size_t messages_max) {
    SHADUF_ASSERT(messages_max > 1);
    TRY(impl_->check_health());
    if (impl_->arrived.size() < messages_max) impl_->arrived.resize(messages_max);
    size_t count = impl_->take_batch(milliseconds(0), 0, messages_max);
    // The call fills the batch before its time is over, so the first message is waited for alone.
    for (const auto until = std::chrono::steady_clock::now() + wait; count == 0 && impl_->state.rebalances.empty();) {
        const auto left = std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
        if (left <= milliseconds(0)) break;
        count = impl_->take_batch(std::min(left, kSliceMax), 0, 1);
        if (count > 0) count += impl_->take_batch(milliseconds(0), count, messages_max - count);
        if (count == 0) TRY(impl_->cancellation.check());
    }
    return impl_->sort_out(count);
}

KafkaConsumer::News KafkaConsumer::news() { return std::exchange(impl_->state.news, {}); }

std::optional<KafkaRebalance> KafkaConsumer::rebalance() {
    if (impl_->state.rebalances.empty()) return std::nullopt;
    return impl_->state.rebalances.front();
}

Result<void> KafkaConsumer::take(const KafkaOffsets& offsets) {
    const PartitionList list = list_of(offsets);
    constexpr std::string_view kWhat = "cannot take partitions";
    if (is_cooperative(impl_->client)) {
        TRY(result_of(rd_kafka_incremental_assign(impl_->client, list.get()), kWhat));
    } else {
        TRY(result_of(rd_kafka_assign(impl_->client, list.get()), kWhat));
    }
    if (!impl_->state.rebalances.empty()) impl_->state.rebalances.pop_front();
    return {};
}

Result<void> KafkaConsumer::give_up(const std::vector<TopicPartition>& partitions) {
    const PartitionList list = make_list(partitions.size());
    for (const auto& partition : partitions) add(list.get(), partition, RD_KAFKA_OFFSET_INVALID);
    constexpr std::string_view kWhat = "cannot give partitions up";
    // What is assigned without a group goes part by part.
    const bool answers = !impl_->state.rebalances.empty();
    if (!answers || is_cooperative(impl_->client)) {
        TRY(result_of(rd_kafka_incremental_unassign(impl_->client, list.get()), kWhat));
    } else {
        TRY(result_of(rd_kafka_assign(impl_->client, nullptr), kWhat));
    }
    if (answers) impl_->state.rebalances.pop_front();
    return {};
}

// By letting go and beginning anew: the library does not seek in a partition whose reading has stopped, as it has
// behind an offset that is not there.
Result<void> KafkaConsumer::seek(const KafkaOffsets& offsets) {
    const PartitionList list = list_of(offsets);
    constexpr std::string_view kWhat = "cannot go on from another offset";
    if (std::string_view(rd_kafka_rebalance_protocol(impl_->client)) != "EAGER") {
        TRY(result_of(rd_kafka_incremental_unassign(impl_->client, list.get()), kWhat));
        return result_of(rd_kafka_incremental_assign(impl_->client, list.get()), kWhat);
    }
    TRY(result_of(rd_kafka_seek_partitions(impl_->client, list.get(), static_cast<int>(kRequestMax.count())), kWhat));
    for (const auto& element : elements_of(*list)) TRY(result_of(element.err, kWhat));
    return {};
}

bool KafkaConsumer::brokers_are_away() const { return impl_->state.away_since.has_value(); }

// Of who is no member, as an administrator does it: a commit that waits for a coordinator (that of a new cluster may be
// seconds away) would keep the library from ending for session.timeout.ms.
rd_kafka_resp_err_t KafkaConsumer::Impl::set_group_offsets(const KafkaOffsets& offsets) {
    rd_kafka_AdminOptions_t* options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS);
    std::array<char, 512> why{};
    rd_kafka_AdminOptions_set_request_timeout(options, static_cast<int>(kGroupOffsetsMax.count()), why.data(),
                                              why.size());
    auto* change = rd_kafka_AlterConsumerGroupOffsets_new(group.c_str(), list_of(offsets).get());
    rd_kafka_queue_t* answers = rd_kafka_queue_new(client);
    rd_kafka_AlterConsumerGroupOffsets(client, &change, 1, options, answers);
    rd_kafka_event_t* event = nullptr;
    while (event == nullptr && !cancellation.canceled()) {
        event = rd_kafka_queue_poll(answers, static_cast<int>(kSliceMax.count()));
    }
    auto code = event == nullptr ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event);
    const auto* result = event == nullptr ? nullptr : rd_kafka_event_AlterConsumerGroupOffsets_result(event);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && result != nullptr) {
        size_t count = 0;
        const auto* groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(result, &count);
        for (const auto* group_result : std::span(groups, count)) {
            const rd_kafka_error_t* error = rd_kafka_group_result_error(group_result);
            if (error != nullptr) code = rd_kafka_error_code(error);
            for (const auto& element : elements_of(*rd_kafka_group_result_partitions(group_result))) {
                if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = element.err;
            }
        }
    }
    if (event != nullptr) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(answers);
    rd_kafka_AlterConsumerGroupOffsets_destroy(change);
    rd_kafka_AdminOptions_destroy(options);
    return code;
}

Result<void> KafkaConsumer::commit_to_group(const KafkaOffsets& offsets) {
    constexpr std::string_view kWhat = "cannot tell the group where it stands";
    if (!impl_->has_subscribed) return result_of(impl_->set_group_offsets(offsets), kWhat);
    rd_kafka_queue_t* answers = rd_kafka_queue_new(impl_->client);
    const auto sent = rd_kafka_commit_queue(impl_->client, list_of(offsets).get(), answers, nullptr, nullptr);
    rd_kafka_resp_err_t code = sent;
    if (sent == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_event_t* event = rd_kafka_queue_poll(answers, static_cast<int>(kGroupCommitMax.count()));
        code = event == nullptr ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event);
        if (event != nullptr) rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(answers);
    return result_of(code, kWhat);
}

Result<std::vector<KafkaConsumer::TopicInfo>> KafkaConsumer::topics(milliseconds wait) {
    const rd_kafka_metadata_t* metadata = nullptr;
    TRY(impl_->ask(wait, "cannot list topics",
                   [&](int limit_ms) { return rd_kafka_metadata(impl_->client, 1, nullptr, &metadata, limit_ms); }));
    std::vector<TopicInfo> topics;
    for (const auto& topic : std::span(metadata->topics, static_cast<size_t>(metadata->topic_cnt))) {
        if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR) topics.push_back({topic.topic, topic.partition_cnt});
    }
    rd_kafka_metadata_destroy(metadata);
    std::sort(topics.begin(), topics.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return topics;
}

Result<std::map<TopicPartition, KafkaConsumer::Bounds>> KafkaConsumer::bounds(
    std::span<const TopicPartition> partitions, milliseconds wait) {
    const KafkaOffsets first = TRY(impl_->list_offsets(partitions, RD_KAFKA_OFFSET_BEGINNING, wait));
    const KafkaOffsets end = TRY(impl_->list_offsets(partitions, RD_KAFKA_OFFSET_END, wait));
    std::map<TopicPartition, Bounds> bounds;
    for (const auto& [partition, offset] : first) bounds[partition] = {offset, end.at(partition)};
    return bounds;
}

Result<KafkaOffsets> KafkaConsumer::offsets_at(std::span<const TopicPartition> partitions, int64_t timestamp_ms,
                                               milliseconds wait) {
    KafkaOffsets offsets = TRY(impl_->list_offsets(partitions, timestamp_ms, wait));
    std::vector<TopicPartition> behind;
    for (const auto& [partition, offset] : offsets) {
        if (offset < 0) behind.push_back(partition);
    }
    for (const auto& [partition, offset] : TRY(impl_->list_offsets(behind, RD_KAFKA_OFFSET_END, wait))) {
        offsets[partition] = offset;
    }
    return offsets;
}

std::optional<KafkaConsumer::Bounds> KafkaConsumer::known_bounds(const TopicPartition& partition) const {
    int64_t first = RD_KAFKA_OFFSET_INVALID;
    int64_t end = RD_KAFKA_OFFSET_INVALID;
    const auto code =
        rd_kafka_get_watermark_offsets(impl_->client, partition.topic.c_str(), partition.partition, &first, &end);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR || end < 0) return std::nullopt;
    return Bounds{std::max<int64_t>(first, 0), end};
}

}  // namespace shaduf
