#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace shaduf {

// Brokers that live in this process: librdkafka's own mock cluster, on ports of its choice. Knows no security, no
// transactions of readers, no times of offsets, no retention.
class KafkaCluster {
public:
    explicit KafkaCluster(int brokers = 1) {
        rd_kafka_conf_t* config = rd_kafka_conf_new();
        std::array<char, 256> why{};
        const auto set = [&](const char* name, const std::string& value) {
            rd_kafka_conf_set(config, name, value.c_str(), why.data(), why.size());
        };
        set("test.mock.num.brokers", std::to_string(brokers));
        set("linger.ms", "1");
        rd_kafka_conf_set_log_cb(config, [](const rd_kafka_t*, int, const char*, const char*) {});
        client_ = rd_kafka_new(RD_KAFKA_PRODUCER, config, why.data(), why.size());
        cluster_ = rd_kafka_handle_mock_cluster(client_);
    }
    ~KafkaCluster() { rd_kafka_destroy(client_); }
    KafkaCluster(const KafkaCluster&) = delete;
    KafkaCluster& operator=(const KafkaCluster&) = delete;

    std::string brokers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
    void create_topic(const std::string& name, int partitions) {
        rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, 1);
    }
    // Stands on the broker when `flush` has returned.
    void produce(const std::string& topic, int32_t partition, std::optional<std::string_view> value,
                 std::string_view key = {}, int64_t timestamp_ms = 0) {
        const auto text = value.value_or(std::string_view());
        void* bytes = value ? const_cast<char*>(text.data()) : nullptr;
        rd_kafka_producev(client_, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK),
                          RD_KAFKA_V_VALUE(bytes, text.size()), RD_KAFKA_V_KEY(key.data(), key.size()),
                          RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_END);
    }
    void flush() { rd_kafka_flush(client_, 10'000); }

    void stop() { rd_kafka_mock_broker_set_down(cluster_, -1); }
    void start() { rd_kafka_mock_broker_set_up(cluster_, -1); }
    // What the next requests of that kind (key of the protocol) are answered with.
    void answer_next(int16_t request, std::initializer_list<rd_kafka_resp_err_t> errors) {
        rd_kafka_mock_push_request_errors_array(cluster_, request, errors.size(), errors.begin());
    }

private:
    rd_kafka_t* client_ = nullptr;
    rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

}  // namespace shaduf
