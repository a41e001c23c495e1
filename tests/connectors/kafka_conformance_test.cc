#include "tests/connectors/kafka_world.h"

namespace shaduf {
namespace {

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

private:
    KafkaCluster cluster_;
};

}  // namespace

std::unique_ptr<ConformanceFixture> conformance_kafka() { return std::make_unique<KafkaConformance>(); }

}  // namespace shaduf
