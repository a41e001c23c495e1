#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "connectors/kafka/settings.h"
#include "connectors/kafka/topic_reader.h"
#include "tests/connectors/kafka_world.h"

namespace shaduf {
namespace {

using namespace std::chrono_literals;

// Brokers that know transactions: the library's own mock has none that readers would see.
const char* real_brokers() { return std::getenv("SHADUF_TEST_KAFKA"); }

// Until no broker knows them.
void delete_topics(const std::string& brokers, const std::vector<std::string>& names) {
    std::array<char, 512> why{};
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers.c_str(), why.data(), why.size());
    rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size());
    rd_kafka_queue_t* answers = rd_kafka_queue_new(client);
    std::vector<rd_kafka_DeleteTopic_t*> topics;
    for (const auto& name : names) topics.push_back(rd_kafka_DeleteTopic_new(name.c_str()));
    rd_kafka_DeleteTopics(client, topics.data(), topics.size(), nullptr, answers);
    rd_kafka_event_destroy(rd_kafka_queue_poll(answers, 30'000));
    for (bool known = true; known;) {
        const rd_kafka_metadata_t* metadata = nullptr;
        if (rd_kafka_metadata(client, 1, nullptr, &metadata, 30'000) != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
        known = std::any_of(metadata->topics, metadata->topics + metadata->topic_cnt, [&](const auto& topic) {
            return std::find(names.begin(), names.end(), topic.topic) != names.end();
        });
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_DeleteTopic_destroy_array(topics.data(), topics.size());
    rd_kafka_queue_destroy(answers);
    rd_kafka_destroy(client);
}

class KafkaConformance final : public ConformanceFixture {
public:
    std::string connection(const std::string& secret) override {
        return kafka_connection(cluster_, "timeout: 1s\npassword: " + secret + "\nregistry_password: " + secret);
    }
    void fill() override {
        cluster_.create_topic("orders", 3);
        for (int i = 0; i < 30; ++i) {
            cluster_.produce("orders", i % 3, "{\"id\": " + std::to_string(i) + "}", "k", 1'700'000'000'000 + i);
        }
        cluster_.flush();
    }
    std::vector<StreamCase> streams() override {
        return {{.stream = "orders", .options = "batch_size: 40B", .rows = 30},
                {.stream = "all", .options = "{topics: \"^ord\", batch_size: 100B}", .rows = 30},
                {.stream = "full",
                 .mode = ReadMode::full_refresh,
                 .options = "{topics: [orders], batch_size: 1B}",
                 .rows = 30}};
    }
    bool break_reads() override {
        cluster_.stop();
        return true;
    }
    void repair_reads() override { cluster_.start(); }

    std::string missing_sink() override {
        if (real_brokers() == nullptr) return "SHADUF_TEST_KAFKA is not set; run tests/harness/kafka.py";
        if (!is_clean_) delete_topics(real_brokers(), {"t", "_shaduf_checkpoints", "_shaduf_quarantine"});
        is_clean_ = true;
        return "";
    }
    std::string sink_connection(const std::string&) override {
        return "brokers: \"" + std::string(real_brokers()) + "\"";
    }
    std::vector<std::string> visible_rows(const TableTarget& table) override {
        kafka::Connection connection;
        connection.properties["bootstrap.servers"] = real_brokers();
        std::vector<std::string> rows;
        const auto read =
            kafka::read_whole_topic(world.run, connection, table.table, kafka::Absence::is_empty,
                                    [&](const KafkaMessage& message) -> Result<void> {
                                        const auto row = nlohmann::json::parse(*message.value);
                                        const auto& id = row["id"];
                                        rows.push_back((id.is_string() ? id.get<std::string>() : id.dump()) + "|" +
                                                       row["name"].get<std::string>());
                                        return {};
                                    });
        EXPECT_TRUE(read.ok()) << read.error().to_string();
        std::sort(rows.begin(), rows.end());
        return rows;
    }

private:
    KafkaCluster cluster_;
    bool is_clean_ = false;
};

}  // namespace

std::unique_ptr<ConformanceFixture> conformance_kafka() { return std::make_unique<KafkaConformance>(); }

}  // namespace shaduf
