#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <thread>

#include "io/kafka.h"

namespace shaduf {
namespace {

using namespace std::chrono_literals;

TEST(KafkaProducerTest, RefusesPropertiesThatCannotBe) {
    const Cancellation cancellation;
    for (const auto& [name, value] : KafkaProperties{{"no.such", "1"}, {"sasl.mechanism", "s3cret\x01"}}) {
        SCOPED_TRACE(name);
        const auto made = KafkaProducer::create({{name, value}}, cancellation);
        if (made.ok()) continue;  // librdkafka looks at some only when it connects
        EXPECT_EQ(made.error().kind(), ErrorKind::invalid_config);
        EXPECT_THAT(made.error().to_string(), testing::HasSubstr(name));
        EXPECT_THAT(made.error().to_string(), testing::Not(testing::HasSubstr("s3cret")));
    }
    EXPECT_FALSE(KafkaProducer::create({{"no.such", "1"}}, cancellation).ok());
}

TEST(KafkaProducerTest, WaitsEndWhenCanceled) {
    Cancellation cancellation;
    const KafkaProperties properties{{"bootstrap.servers", "127.0.0.1:1"}, {"queue.buffering.max.messages", "2"}};
    auto producer = KafkaProducer::create(properties, cancellation).release_value();
    std::thread stopper([&] { cancellation.cancel(); });
    Result<void> sent;
    for (int i = 0; i < 4 && sent.ok(); ++i) sent = producer->send("t", {.value = "x"});
    stopper.join();
    ASSERT_FALSE(sent.ok());
    EXPECT_EQ(sent.error().kind(), ErrorKind::canceled);
    const auto flushed = producer->flush();
    ASSERT_FALSE(flushed.ok());
    EXPECT_EQ(flushed.error().kind(), ErrorKind::canceled);
}

// Against brokers: tests/harness/kafka.py sets SHADUF_TEST_KAFKA.
class KafkaServerTest : public testing::Test {
protected:
    void SetUp() override {
        const char* brokers = std::getenv("SHADUF_TEST_KAFKA");
        if (brokers == nullptr) GTEST_SKIP() << "SHADUF_TEST_KAFKA is not set; run tests/harness/kafka.py";
        properties_ = {{"bootstrap.servers", brokers}};
        topic_ = "t" + std::to_string(std::random_device{}());
    }

    std::unique_ptr<KafkaProducer> make(const std::string& transactional_id = "") {
        KafkaProperties properties = properties_;
        if (!transactional_id.empty()) properties["transactional.id"] = transactional_id;
        auto made = KafkaProducer::create(properties, cancellation_);
        EXPECT_TRUE(made.ok()) << made.error().to_string();
        return made.release_value();
    }
    std::vector<std::string> create(int32_t partitions) {
        const KafkaTopicSpec specs[] = {{topic_, partitions, -1, {{"retention.ms", "600000"}}}};
        auto created = create_kafka_topics(properties_, specs, cancellation_);
        EXPECT_TRUE(created.ok()) << created.error().to_string();
        return created.ok() ? created.release_value() : std::vector<std::string>();
    }
    // "partition key=value name:value" of each message, by partition and offset.
    std::vector<std::string> read(const std::string& isolation = "read_committed") {
        KafkaProperties properties = properties_;
        properties["group.id"] = "test";
        properties["isolation.level"] = isolation;
        auto reader = KafkaConsumer::create(properties, cancellation_).release_value();
        std::vector<TopicPartition> partitions;
        for (const auto& info : reader->topics(30s).release_value()) {
            for (int32_t i = 0; info.name == topic_ && i < info.partitions; ++i) partitions.push_back({topic_, i});
        }
        KafkaOffsets begin;
        KafkaOffsets open;
        for (const auto& [partition, bounds] : reader->bounds(partitions, 30s).release_value()) {
            if (bounds.first < bounds.end) begin[partition] = open[partition] = bounds.first;
        }
        const bool assigned = begin.empty() || reader->assign(begin).ok();
        EXPECT_TRUE(assigned);
        std::map<std::pair<int32_t, int64_t>, std::string> found;
        while (!open.empty()) {
            const auto messages = reader->poll(200ms, 100).release_value();
            for (size_t i = 0; i < messages.size(); ++i) {
                const auto message = messages[i];
                std::string text = std::to_string(message.partition) + " " + std::string(message.key.value_or("-")) +
                                   "=" + std::string(message.value.value_or("-"));
                for (const auto& [name, value] : messages.headers(i)) {
                    text += " " + std::string(name) + ":" + std::string(value.value_or("-"));
                }
                found[{message.partition, message.offset}] = text;
            }
            for (const auto& [partition, end] : reader->news().ends) open.erase(partition);
        }
        std::vector<std::string> texts;
        for (auto& [at, text] : found) texts.push_back(std::move(text));
        return texts;
    }

    const Cancellation cancellation_;
    KafkaProperties properties_;
    std::string topic_;
};

TEST_F(KafkaServerTest, CreatesWhatIsNotThere) {
    EXPECT_THAT(create(3), testing::ElementsAre(topic_));
    EXPECT_THAT(create(5), testing::IsEmpty());
    auto reader = KafkaConsumer::create({{"bootstrap.servers", properties_["bootstrap.servers"]}, {"group.id", "test"}},
                                        cancellation_)
                      .release_value();
    for (const auto& info : reader->topics(30s).release_value()) {
        EXPECT_EQ(info.partitions, info.name == topic_ ? 3 : info.partitions);
    }
    const KafkaTopicSpec wrong[] = {{topic_ + "w", 1, -1, {{"no.such", "1"}}}};
    const auto refused = create_kafka_topics(properties_, wrong, cancellation_);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind(), ErrorKind::invalid_config);
}

TEST_F(KafkaServerTest, WritesWhatIsGiven) {
    create(2);
    auto producer = make();
    ASSERT_TRUE(
        producer->send(topic_, {.partition = 1, .key = "k", .value = "v", .headers = {{"a", "1"}, {"b", {}}}}).ok());
    ASSERT_TRUE(producer->send(topic_, {.partition = 1, .value = ""}).ok());
    ASSERT_TRUE(producer->send(topic_, {.partition = 1, .key = "k"}).ok());
    ASSERT_TRUE(producer->flush().ok());
    EXPECT_THAT(read(), testing::ElementsAre("1 k=v a:1 b:-", "1 -=", "1 k=-"));
}

TEST_F(KafkaServerTest, PartitionKeyGoesWhereTheKeyWouldGo) {
    create(7);
    auto producer = make();
    for (const std::string key : {"a", "b", "c", "dd", "eee", "ffff", "ggggg"}) {
        ASSERT_TRUE(producer->send(topic_, {.key = key, .value = "x"}).ok());
        ASSERT_TRUE(producer->send(topic_, {.key = "other", .value = key, .partition_key = key}).ok());
    }
    ASSERT_TRUE(producer->flush().ok());
    std::map<std::string, std::string> by_key;
    std::map<std::string, std::string> by_partition_key;
    for (const auto& text : read()) {
        const auto key = text.substr(2, text.find('=') - 2);
        const auto value = text.substr(text.find('=') + 1);
        (key == "other" ? by_partition_key[value] : by_key[key]) = text.substr(0, 1);
    }
    EXPECT_EQ(by_key.size(), 7U);
    EXPECT_EQ(by_key, by_partition_key);
}

TEST_F(KafkaServerTest, TransactionsAreAllOrNothing) {
    create(1);
    auto producer = make(topic_);
    ASSERT_TRUE(producer->init_transactions().ok());
    ASSERT_TRUE(producer->begin_transaction().ok());
    ASSERT_TRUE(producer->send(topic_, {.value = "lost"}).ok());
    ASSERT_TRUE(producer->flush().ok());
    ASSERT_TRUE(producer->abort_transaction().ok());
    ASSERT_TRUE(producer->begin_transaction().ok());
    ASSERT_TRUE(producer->send(topic_, {.value = "kept"}).ok());
    const auto committed = producer->commit_transaction();
    ASSERT_TRUE(committed.ok()) << committed.error().to_string();
    EXPECT_THAT(read(), testing::ElementsAre("0 -=kept"));
    EXPECT_THAT(read("read_uncommitted"), testing::ElementsAre("0 -=lost", "0 -=kept"));
}

TEST_F(KafkaServerTest, WhoComesLaterFencesWhoWasThere) {
    create(1);
    auto zombie = make(topic_);
    ASSERT_TRUE(zombie->init_transactions().ok());
    ASSERT_TRUE(zombie->begin_transaction().ok());
    ASSERT_TRUE(zombie->send(topic_, {.value = "zombie"}).ok());
    ASSERT_TRUE(zombie->flush().ok());
    auto heir = make(topic_);
    ASSERT_TRUE(heir->init_transactions().ok());
    const auto lost = zombie->commit_transaction();
    ASSERT_FALSE(lost.ok());
    EXPECT_EQ(lost.error().kind(), ErrorKind::conflict) << lost.error().to_string();
    ASSERT_TRUE(heir->begin_transaction().ok());
    ASSERT_TRUE(heir->send(topic_, {.value = "heir"}).ok());
    ASSERT_TRUE(heir->commit_transaction().ok());
    EXPECT_THAT(read(), testing::ElementsAre("0 -=heir"));
}

// The marker of its end tells that the brokers have given it up.
TEST_F(KafkaServerTest, ATransactionThatIsTooOldIsCalledThat) {
    create(1);
    properties_["transaction.timeout.ms"] = "1000";
    auto producer = make(topic_);
    properties_.erase("transaction.timeout.ms");
    ASSERT_TRUE(producer->init_transactions().ok());
    ASSERT_TRUE(producer->begin_transaction().ok());
    ASSERT_TRUE(producer->send(topic_, {.value = "late"}).ok());
    ASSERT_TRUE(producer->flush().ok());
    auto reader = KafkaConsumer::create({{"bootstrap.servers", properties_["bootstrap.servers"]}, {"group.id", "test"}},
                                        cancellation_)
                      .release_value();
    const TopicPartition partitions[] = {{topic_, 0}};
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (reader->bounds(partitions, 30s).release_value().at(partitions[0]).end == 0) {
        ASSERT_LT(std::chrono::steady_clock::now(), until);
        cancellation_.wait_for(50ms);
    }
    const auto late = producer->commit_transaction();
    ASSERT_FALSE(late.ok());
    EXPECT_EQ(late.error().kind(), ErrorKind::conflict) << late.error().to_string();
    EXPECT_THAT(late.error().message(), testing::HasSubstr("longer than transaction.timeout.ms (1000)"));
}

TEST_F(KafkaServerTest, AMessageThatIsTooLargeHarmsNoOther) {
    create(1);
    auto producer = make(topic_);
    ASSERT_TRUE(producer->init_transactions().ok());
    ASSERT_TRUE(producer->begin_transaction().ok());
    const std::string large(2'000'000, 'x');
    const auto refused = producer->send(topic_, {.value = large});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind(), ErrorKind::too_large) << refused.error().to_string();
    ASSERT_TRUE(producer->send(topic_, {.value = "fits"}).ok());
    ASSERT_TRUE(producer->commit_transaction().ok());
    EXPECT_THAT(read(), testing::ElementsAre("0 -=fits"));
}

TEST_F(KafkaServerTest, ATopicThatIsNotThereIsNamed) {
    auto producer = make();
    const auto sent = producer->send(topic_, {.value = "x", .partition_key = "k"});
    // The brokers of the harness make no topics by themselves.
    const auto done = sent.ok() ? producer->flush() : sent;
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().kind(), ErrorKind::invalid_config);
    EXPECT_THAT(done.error().to_string(), testing::HasSubstr(topic_));
}

}  // namespace
}  // namespace shaduf
