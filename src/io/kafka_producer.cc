#include <librdkafka/rdkafka.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "base/time.h"
#include "io/kafka.h"
#include "io/kafka_config.h"
#include "io/kafka_error.h"

namespace shaduf {
namespace {

using namespace std::chrono_literals;

// The longest that a call stays in librdkafka before it looks whether the run was canceled.
constexpr int kTurnMs = 200;
// How long the brokers may be silent about a transaction before that is an error.
constexpr auto kTransactionWait = 120s;
constexpr auto kTopicWait = 10s;
// Reports of failures are taken up every so many records; those of successes are never made.
constexpr uint64_t kPollEvery = 256;
constexpr int kAbortAtEndMs = 2000;
// Longer than the pauses between commits; a run that was killed is fenced, and ended, by the one behind it.
constexpr std::chrono::milliseconds kTransactionMax{300'000};

struct TopicEnd {
    void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};
struct MetadataEnd {
    void operator()(const rd_kafka_metadata_t* metadata) const { rd_kafka_metadata_destroy(metadata); }
};
struct ErrorEnd {
    void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
};
using KafkaFailure = std::unique_ptr<rd_kafka_error_t, ErrorEnd>;

Error error_of(const rd_kafka_error_t* failure, std::string_view what) {
    return kafka_error(rd_kafka_error_code(failure), what, rd_kafka_error_string(failure));
}

// A null and an empty text are different things to librdkafka by the pointer alone.
void* bytes_of(const std::optional<std::string_view>& text) {
    if (!text) return nullptr;
    return const_cast<char*>(text->data() == nullptr ? "" : text->data());  // it is copied, its type is not const
}
size_t size_of(const std::optional<std::string_view>& text) { return text ? text->size() : 0; }

rd_kafka_headers_t* make_headers(const std::vector<KafkaHeader>& headers) {
    rd_kafka_headers_t* made = rd_kafka_headers_new(headers.size());
    for (const auto& [name, value] : headers) {
        rd_kafka_header_add(made, name.data(), static_cast<ssize_t>(name.size()), bytes_of(value),
                            static_cast<ssize_t>(size_of(value)));
    }
    return made;
}

KafkaProperties defaults_for(const KafkaProperties& properties) {
    KafkaProperties defaults = {{"enable.idempotence", "true"},
                                {"client.id", "shaduf"},
                                {"delivery.report.only.error", "true"},
                                {"linger.ms", "20"},
                                {"partitioner", "murmur2_random"},
                                {"queue.buffering.max.kbytes", "65536"},
                                {"queue.buffering.max.messages", "500000"}};
    if (properties.contains("transactional.id")) {
        defaults["transaction.timeout.ms"] = std::to_string(kTransactionMax.count());
    }
    return defaults;
}

std::chrono::milliseconds transaction_max_of(const KafkaProperties& properties) {
    const auto given = properties.find("transaction.timeout.ms");
    if (given == properties.end()) return kTransactionMax;
    return std::chrono::milliseconds(std::strtoll(given->second.c_str(), nullptr, 10));
}

}  // namespace

struct KafkaProducer::Impl : KafkaClientState {
    explicit Impl(const Cancellation& cancellation_in) : cancellation(cancellation_in) {}
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        if (handle == nullptr) return;
        if (in_transaction) KafkaFailure(rd_kafka_abort_transaction(handle, kAbortAtEndMs));
        rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
        topics.clear();
        rd_kafka_destroy(handle);
    }

    struct Topic {
        std::unique_ptr<rd_kafka_topic_t, TopicEnd> handle;
        int32_t partitions = 0;  // 0: not asked yet
    };

    static Impl& of(void* opaque) { return static_cast<Impl&>(*static_cast<KafkaClientState*>(opaque)); }
    static void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
        auto& self = of(opaque);
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR || message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
            message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) {
            return;
        }
        const std::string what = std::string("cannot write to topic ") + rd_kafka_topic_name(message->rkt);
        self.keep(kafka_error(message->err, what));
    }
    static void failed(rd_kafka_t* handle, int code, const char* reason, void* opaque) {
        if (code != RD_KAFKA_RESP_ERR__FATAL) {  // others pass by, or come with the records that they are of
            auto& self = of(opaque);
            auto refusal = self.was_let_in ? std::nullopt : self.refusal(code, reason);
            if (refusal) self.keep(std::move(*refusal));
            return;
        }
        std::array<char, 512> why{};
        const auto fatal = rd_kafka_fatal_error(handle, why.data(), why.size());
        of(opaque).keep(kafka_error(fatal, "Kafka producer cannot go on", why.data()));
    }
    void keep(Error error) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::move(error);
        has_failed.store(true, std::memory_order_release);
    }
    Result<void> check() {
        if (!has_failed.load(std::memory_order_acquire)) return {};
        const std::lock_guard lock(mutex);
        return *failure;
    }
    void forget_failure() {
        const std::lock_guard lock(mutex);
        failure.reset();
        has_failed.store(false, std::memory_order_release);
    }

    Topic& topic_of(const std::string& name) {
        const std::lock_guard lock(mutex);
        Topic& topic = topics[name];
        if (topic.handle == nullptr) topic.handle.reset(rd_kafka_topic_new(handle, name.c_str(), nullptr));
        return topic;
    }
    Result<int32_t> partitions_of(const std::string& name, Topic& topic);
    Result<int32_t> partition_of(const std::string& name, Topic& topic, const KafkaRecord& record);
    template <class Call>
    Result<void> transact(std::string_view what, Call call);
    Error explained(Error error) const;

    const Cancellation& cancellation;
    rd_kafka_t* handle = nullptr;
    bool in_transaction = false;
    std::chrono::steady_clock::time_point began_at;  // of the transaction
    std::chrono::milliseconds transaction_max{0};
    std::atomic<uint64_t> sent = 0;
    std::atomic<bool> has_failed = false;
    std::atomic<bool> was_let_in = false;  // a broker that restarts may refuse for a moment
    std::mutex mutex;
    std::optional<Error> failure;         // by mutex
    std::map<std::string, Topic> topics;  // by mutex; entries stay where they are
};

Result<int32_t> KafkaProducer::Impl::partitions_of(const std::string& name, Topic& topic) {
    if (topic.partitions > 0) return topic.partitions;
    const std::string what = "cannot find the partitions of topic " + name;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (auto until = std::chrono::steady_clock::now() + kTopicWait; std::chrono::steady_clock::now() < until;) {
        TRY(cancellation.check());
        const rd_kafka_metadata_t* answer = nullptr;
        code = rd_kafka_metadata(handle, 0, topic.handle.get(), &answer, kTurnMs * 4);
        const std::unique_ptr<const rd_kafka_metadata_t, MetadataEnd> metadata(answer);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1) {
            code = metadata->topics[0].err;
            if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
                was_let_in = true;
                return topic.partitions = metadata->topics[0].partition_cnt;
            }
        }
        rd_kafka_poll(handle, 0);
        TRY(check());
        if (kafka_error_kind(code) == ErrorKind::auth) break;
        // A topic that was made a moment ago may not be known to every broker.
        if (!cancellation.wait_for(std::chrono::milliseconds(kTurnMs))) break;
    }
    TRY(cancellation.check());
    return kafka_error(code, what);
}

Result<int32_t> KafkaProducer::Impl::partition_of(const std::string& name, Topic& topic, const KafkaRecord& record) {
    if (record.partition >= 0) return record.partition;
    if (!record.partition_key) return RD_KAFKA_PARTITION_UA;
    const int32_t count = TRY(partitions_of(name, topic));
    return rd_kafka_msg_partitioner_murmur2(topic.handle.get(), bytes_of(record.partition_key),
                                            size_of(record.partition_key), count, nullptr, nullptr);
}

// Brokers end a transaction that is too old as they do when another producer takes over.
Error KafkaProducer::Impl::explained(Error error) const {
    const auto lasted = std::chrono::steady_clock::now() - began_at;
    if (error.kind() != ErrorKind::conflict || !in_transaction || lasted < transaction_max) return error;
    return Error(ErrorKind::conflict, "brokers have ended the transaction, which was open for " +
                                          format_duration(std::chrono::duration_cast<std::chrono::seconds>(lasted)) +
                                          ", longer than transaction.timeout.ms (" +
                                          std::to_string(transaction_max.count()) +
                                          "); commit more often, or raise it under properties");
}

// Calls, again where the brokers let it wait, and says what became of the transaction.
template <class Call>
Result<void> KafkaProducer::Impl::transact(std::string_view what, Call call) {
    const auto until = std::chrono::steady_clock::now() + kTransactionWait;
    for (;;) {
        TRY(cancellation.check());
        const KafkaFailure said(call(kTurnMs));
        if (said == nullptr) {
            was_let_in = true;
            return {};
        }
        rd_kafka_poll(handle, 0);
        if (!was_let_in) TRY(check());
        if (!rd_kafka_error_is_retriable(said.get()) || std::chrono::steady_clock::now() > until) {
            auto known = check();  // of a record, which says more
            const bool is_plain = known.ok() || rd_kafka_error_is_fatal(said.get());
            return explained(is_plain ? error_of(said.get(), what) : known.error());
        }
    }
}

KafkaProducer::KafkaProducer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KafkaProducer::~KafkaProducer() = default;

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::create(const KafkaProperties& properties,
                                                             const Cancellation& cancellation,
                                                             KafkaTokenSource tokens) {
    auto impl = std::make_unique<Impl>(cancellation);
    impl->tokens = std::move(tokens);
    KafkaConfig config = TRY(make_kafka_config(properties, defaults_for(properties), *impl));
    impl->transaction_max = transaction_max_of(properties);
    rd_kafka_conf_set_dr_msg_cb(config.get(), Impl::delivered);
    rd_kafka_conf_set_error_cb(config.get(), Impl::failed);
    std::array<char, 512> why{};
    impl->handle = rd_kafka_new(RD_KAFKA_PRODUCER, config.get(), why.data(), why.size());
    if (impl->handle == nullptr) {
        return Error(ErrorKind::invalid_config, "Kafka producer cannot be made: " + std::string(why.data()));
    }
    (void)config.release();  // it is the handle's now
    TRY(enable_kafka_tokens(impl->handle, *impl));
    return std::unique_ptr<KafkaProducer>(new KafkaProducer(std::move(impl)));
}

Result<void> KafkaProducer::send(const std::string& topic, const KafkaRecord& record) {
    if (auto known = impl_->check(); !known.ok()) return impl_->explained(known.release_error());
    Impl::Topic& to = impl_->topic_of(topic);
    const int32_t partition = TRY(impl_->partition_of(topic, to, record));
    std::array<rd_kafka_vu_t, 7> parts{};
    parts[0] = {RD_KAFKA_VTYPE_RKT, {.rkt = to.handle.get()}};
    parts[1] = {RD_KAFKA_VTYPE_PARTITION, {.i32 = partition}};
    parts[2] = {RD_KAFKA_VTYPE_VALUE, {.mem = {bytes_of(record.value), size_of(record.value)}}};
    parts[3] = {RD_KAFKA_VTYPE_KEY, {.mem = {bytes_of(record.key), size_of(record.key)}}};
    parts[4] = {RD_KAFKA_VTYPE_MSGFLAGS, {.i = RD_KAFKA_MSG_F_COPY}};
    parts[5] = {RD_KAFKA_VTYPE_TIMESTAMP, {.i64 = record.timestamp_ms < 0 ? 0 : record.timestamp_ms}};
    size_t count = 6;
    rd_kafka_headers_t* headers = record.headers.empty() ? nullptr : make_headers(record.headers);
    if (headers != nullptr) parts[count++] = {RD_KAFKA_VTYPE_HEADERS, {.headers = headers}};
    for (;;) {
        const KafkaFailure said(rd_kafka_produceva(impl_->handle, parts.data(), count));
        if (said == nullptr) break;
        const bool full = rd_kafka_error_code(said.get()) == RD_KAFKA_RESP_ERR__QUEUE_FULL;
        auto known = impl_->check();
        if (full && known.ok()) {
            rd_kafka_poll(impl_->handle, kTurnMs);
            known = impl_->cancellation.check();
            if (known.ok()) continue;
        }
        if (headers != nullptr) rd_kafka_headers_destroy(headers);
        if (!known.ok()) return known;
        return error_of(said.get(), "cannot write to topic " + topic);
    }
    if (impl_->sent.fetch_add(1, std::memory_order_relaxed) % kPollEvery == 0) rd_kafka_poll(impl_->handle, 0);
    return {};
}

Result<void> KafkaProducer::flush() {
    for (;;) {
        const auto code = rd_kafka_flush(impl_->handle, kTurnMs);
        TRY(impl_->check());
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            impl_->was_let_in = impl_->was_let_in || impl_->sent > 0;
            return {};
        }
        if (code != RD_KAFKA_RESP_ERR__TIMED_OUT) return kafka_error(code, "cannot write what waits");
        TRY(impl_->cancellation.check());
    }
}

Result<void> KafkaProducer::init_transactions() {
    return impl_->transact("cannot begin with transactions",
                           [&](int wait) { return rd_kafka_init_transactions(impl_->handle, wait); });
}

Result<void> KafkaProducer::begin_transaction() {
    TRY(impl_->transact("cannot begin a transaction", [&](int) { return rd_kafka_begin_transaction(impl_->handle); }));
    impl_->in_transaction = true;
    impl_->began_at = std::chrono::steady_clock::now();
    return {};
}

Result<void> KafkaProducer::commit_transaction() {
    if (auto flushed = flush(); !flushed.ok()) return impl_->explained(flushed.release_error());
    TRY(impl_->transact("cannot commit the transaction",
                        [&](int wait) { return rd_kafka_commit_transaction(impl_->handle, wait); }));
    impl_->in_transaction = false;
    return {};
}

Result<void> KafkaProducer::abort_transaction() {
    TRY(impl_->transact("cannot end the transaction",
                        [&](int wait) { return rd_kafka_abort_transaction(impl_->handle, wait); }));
    impl_->in_transaction = false;
    impl_->forget_failure();
    return {};
}

}  // namespace shaduf
