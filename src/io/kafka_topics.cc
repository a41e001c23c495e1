#include <librdkafka/rdkafka.h>

#include <array>
#include <utility>

#include "io/kafka.h"
#include "io/kafka_config.h"
#include "io/kafka_error.h"

namespace shaduf {
namespace {

constexpr int kRequestMs = 60'000;
constexpr int kTurnMs = 200;

struct HandleEnd {
    void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
};
struct QueueEnd {
    void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};
struct OptionsEnd {
    void operator()(rd_kafka_AdminOptions_t* options) const { rd_kafka_AdminOptions_destroy(options); }
};
struct NewTopicEnd {
    void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
};
struct EventEnd {
    void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};
using Handle = std::unique_ptr<rd_kafka_t, HandleEnd>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, NewTopicEnd>;

Result<NewTopic> make_topic(const KafkaTopicSpec& spec) {
    std::array<char, 512> why{};
    NewTopic topic(rd_kafka_NewTopic_new(spec.name.c_str(), spec.partitions, spec.replication, why.data(), why.size()));
    if (topic == nullptr) {
        return Error(ErrorKind::invalid_config, "topic cannot be made: " + spec.name + ": " + why.data());
    }
    for (const auto& [name, value] : spec.config) {
        const auto code = rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_error(code, "topic " + spec.name + " cannot have " + name);
    }
    return topic;
}

struct AdminState : KafkaClientState {
    std::optional<Error> refused;
};

void note_refusal(rd_kafka_t*, int code, const char* reason, void* opaque) {
    auto& state = static_cast<AdminState&>(*static_cast<KafkaClientState*>(opaque));
    if (auto refusal = state.refusal(code, reason)) state.refused = std::move(*refusal);
}

Result<Handle> make_handle(const KafkaProperties& properties, AdminState& state) {
    KafkaConfig config = TRY(make_kafka_config(properties, {{"client.id", "shaduf"}}, state));
    rd_kafka_conf_set_error_cb(config.get(), note_refusal);
    std::array<char, 512> why{};
    Handle handle(rd_kafka_new(RD_KAFKA_PRODUCER, config.get(), why.data(), why.size()));
    if (handle == nullptr) {
        return Error(ErrorKind::invalid_config, "Kafka client cannot be made: " + std::string(why.data()));
    }
    (void)config.release();  // it is the handle's now
    TRY(enable_kafka_tokens(handle.get(), state));
    return handle;
}

Result<std::vector<std::string>> created_of(rd_kafka_event_t& event) {
    const auto code = rd_kafka_event_error(&event);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_error(code, "cannot create topics", rd_kafka_event_error_string(&event));
    }
    size_t count = 0;
    const auto* answer = rd_kafka_event_CreateTopics_result(&event);
    const rd_kafka_topic_result_t** topics = rd_kafka_CreateTopics_result_topics(answer, &count);
    std::vector<std::string> created;
    for (size_t i = 0; i < count; ++i) {
        const std::string name = rd_kafka_topic_result_name(topics[i]);
        const auto became = rd_kafka_topic_result_error(topics[i]);
        if (became == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
        if (became != RD_KAFKA_RESP_ERR_NO_ERROR) {
            const char* detail = rd_kafka_topic_result_error_string(topics[i]);
            return kafka_error(became, "cannot create topic " + name, detail == nullptr ? "" : detail);
        }
        created.push_back(name);
    }
    return created;
}

}  // namespace

Result<std::vector<std::string>> create_kafka_topics(const KafkaProperties& properties,
                                                     std::span<const KafkaTopicSpec> topics,
                                                     const Cancellation& cancellation, KafkaTokenSource tokens) {
    KafkaProperties plain = properties;
    plain.erase("transactional.id");
    std::vector<NewTopic> made;
    std::vector<rd_kafka_NewTopic_t*> wanted;
    for (const auto& spec : topics) {
        made.push_back(TRY(make_topic(spec)));
        wanted.push_back(made.back().get());
    }
    AdminState state;
    state.tokens = std::move(tokens);
    const Handle handle = TRY(make_handle(plain, state));
    const std::unique_ptr<rd_kafka_queue_t, QueueEnd> answers(rd_kafka_queue_new(handle.get()));
    const std::unique_ptr<rd_kafka_AdminOptions_t, OptionsEnd> options(
        rd_kafka_AdminOptions_new(handle.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS));
    std::array<char, 512> why{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), kRequestMs, why.data(), why.size());
    rd_kafka_AdminOptions_set_operation_timeout(options.get(), kRequestMs / 2, why.data(), why.size());
    rd_kafka_CreateTopics(handle.get(), wanted.data(), wanted.size(), options.get(), answers.get());
    for (;;) {
        TRY(cancellation.check());
        rd_kafka_poll(handle.get(), 0);
        if (state.refused) return *state.refused;
        const std::unique_ptr<rd_kafka_event_t, EventEnd> event(rd_kafka_queue_poll(answers.get(), kTurnMs));
        if (event != nullptr && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_CREATETOPICS_RESULT) {
            return created_of(*event);
        }
    }
}

}  // namespace shaduf
