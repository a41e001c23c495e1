#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "base/time.h"
#include "io/kafka.h"
#include "io/kafka_error.h"
#include "tests/io/kafka_cluster.h"

namespace shaduf {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr milliseconds kWait{10'000};

class KafkaConsumerTest : public testing::Test {
protected:
    std::unique_ptr<KafkaConsumer> make(KafkaProperties properties = {}) {
        properties.try_emplace("bootstrap.servers", cluster.brokers());
        properties.try_emplace("group.id", "readers");
        properties.try_emplace("session.timeout.ms", "4000");
        properties.try_emplace("heartbeat.interval.ms", "100");
        auto made = KafkaConsumer::create(properties, cancellation);
        EXPECT_TRUE(made.ok()) << made.error().to_string();
        return made.release_value();
    }
    void fill(const std::string& topic, int partitions, int messages) {
        cluster.create_topic(topic, partitions);
        for (int i = 0; i < messages; ++i) {
            cluster.produce(topic, i % partitions, std::to_string(i), "k" + std::to_string(i), 1'000'000 + i);
        }
        cluster.flush();
    }
    // "partition:offset=value" of each message, until `count` came or the time is over.
    std::vector<std::string> read(KafkaConsumer& consumer, size_t count) {
        std::vector<std::string> values;
        const auto until = std::chrono::steady_clock::now() + kWait;
        while (values.size() < count && std::chrono::steady_clock::now() < until) {
            auto messages = consumer.poll(milliseconds(100), 7);
            if (!messages.ok()) {
                ADD_FAILURE() << messages.error().to_string();
                break;
            }
            for (size_t i = 0; i < messages.value().size(); ++i) {
                const KafkaMessage message = messages.value()[i];
                values.push_back(std::to_string(message.partition) + ":" + std::to_string(message.offset) + "=" +
                                 std::string(message.value.value_or("null")));
            }
        }
        return values;
    }
    std::optional<KafkaRebalance> wait_for_rebalance(KafkaConsumer& consumer) {
        const auto until = std::chrono::steady_clock::now() + kWait;
        while (!consumer.rebalance() && std::chrono::steady_clock::now() < until) {
            EXPECT_TRUE(consumer.poll(milliseconds(100), 7).ok());
        }
        return consumer.rebalance();
    }

    Cancellation cancellation;
    KafkaCluster cluster;
};

TEST_F(KafkaConsumerTest, ReadsAloneFromAnyOffset) {
    fill("orders", 2, 10);
    auto consumer = make();
    ASSERT_TRUE(consumer->assign({{{"orders", 0}, 3}, {{"orders", 1}, 4}}).ok());
    auto values = read(*consumer, 3);
    std::sort(values.begin(), values.end());
    EXPECT_THAT(values, ElementsAre("0:3=6", "0:4=8", "1:4=9"));
    KafkaOffsets ends;
    for (const auto until = std::chrono::steady_clock::now() + kWait;
         ends.size() < 2 && std::chrono::steady_clock::now() < until;) {
        ASSERT_TRUE(consumer->poll(milliseconds(100), 7).ok());
        ends.merge(consumer->news().ends);
    }
    EXPECT_EQ(ends, (KafkaOffsets{{{"orders", 0}, 5}, {{"orders", 1}, 5}}));
    EXPECT_EQ(consumer->known_bounds({"orders", 0})->end, 5);
}

TEST_F(KafkaConsumerTest, GivesAllThatAMessageHas) {
    cluster.create_topic("orders", 1);
    cluster.produce("orders", 0, std::nullopt, "key", 1'700'000'000'123);
    cluster.produce("orders", 0, "", "", 1'700'000'000'124);
    cluster.flush();
    auto consumer = make();
    ASSERT_TRUE(consumer->assign({{{"orders", 0}, 0}}).ok());
    std::vector<KafkaMessages> all;
    size_t count = 0;
    while (count < 2) {
        all.push_back(consumer->poll(kWait, 100).release_value());
        count += all.back().size();
    }
    const KafkaMessage first = all.front().size() > 0 ? all.front()[0] : all[1][0];
    EXPECT_EQ(first.topic, "orders");
    EXPECT_EQ(first.value, std::nullopt);
    EXPECT_EQ(first.key, "key");
    EXPECT_EQ(first.timestamp_ms, 1'700'000'000'123);
}

TEST_F(KafkaConsumerTest, KnowsTopicsAndBounds) {
    fill("orders", 2, 10);
    cluster.create_topic("empty", 3);
    auto consumer = make();
    const auto topics = consumer->topics(kWait).release_value();
    ASSERT_EQ(topics.size(), 2U);
    EXPECT_EQ(topics[0].name, "empty");
    EXPECT_EQ(topics[0].partitions, 3);
    const std::vector<TopicPartition> wanted{{"orders", 0}, {"orders", 1}, {"empty", 2}};
    const auto bounds = consumer->bounds(wanted, kWait).release_value();
    EXPECT_EQ(bounds.at({"orders", 1}).first, 0);
    EXPECT_EQ(bounds.at({"orders", 1}).end, 5);
    EXPECT_EQ(bounds.at({"empty", 2}).end, 0);
}

TEST_F(KafkaConsumerTest, TellsOfOffsetsThatAreGone) {
    fill("orders", 1, 4);
    auto consumer = make();
    ASSERT_TRUE(consumer->assign({{{"orders", 0}, 900}}).ok());
    KafkaOffsets gone;
    for (const auto until = std::chrono::steady_clock::now() + kWait;
         gone.empty() && std::chrono::steady_clock::now() < until;) {
        ASSERT_TRUE(consumer->poll(milliseconds(100), 7).ok());
        gone = consumer->news().out_of_range;
    }
    EXPECT_EQ(gone.count({"orders", 0}), 1U);
}

TEST_F(KafkaConsumerTest, StopsReadingWhatIsGivenUp) {
    fill("orders", 2, 10);
    auto consumer = make();
    ASSERT_TRUE(consumer->assign({{{"orders", 0}, 0}}).ok());
    ASSERT_TRUE(consumer->assign({{{"orders", 1}, 0}}).ok());
    EXPECT_EQ(read(*consumer, 10).size(), 10U);
    ASSERT_TRUE(consumer->give_up({{"orders", 0}}).ok());
    cluster.produce("orders", 0, "not wanted");
    cluster.produce("orders", 1, "wanted");
    cluster.flush();
    EXPECT_THAT(read(*consumer, 1), ElementsAre("1:5=wanted"));
}

TEST_F(KafkaConsumerTest, MembersShareTheirTopic) {
    fill("orders", 4, 40);
    auto first = make();
    ASSERT_TRUE(first->subscribe({"^ord.*"}).ok());
    auto assigned = wait_for_rebalance(*first);
    ASSERT_TRUE(assigned.has_value());
    EXPECT_FALSE(assigned->revoked);
    EXPECT_EQ(assigned->partitions.size(), 4U);
    // Nothing comes before it is answered.
    EXPECT_TRUE(first->poll(milliseconds(50), 100).release_value().size() == 0);
    KafkaOffsets offsets;
    for (const auto& partition : assigned->partitions) offsets[partition] = 5;
    ASSERT_TRUE(first->take(offsets).ok());
    EXPECT_FALSE(first->rebalance().has_value());
    EXPECT_EQ(read(*first, 20).size(), 20U);

    auto second = make();
    ASSERT_TRUE(second->subscribe({"orders"}).ok());
    std::optional<KafkaRebalance> taken;
    std::vector<TopicPartition> revoked;
    for (const auto until = std::chrono::steady_clock::now() + seconds(30);
         !taken && std::chrono::steady_clock::now() < until;) {
        ASSERT_TRUE(first->poll(milliseconds(50), 100).ok());
        if (const auto event = first->rebalance()) {
            if (event->revoked) {
                revoked = event->partitions;
                ASSERT_TRUE(first->give_up(event->partitions).ok());
            } else {
                ASSERT_TRUE(first->take({}).ok());
            }
        }
        ASSERT_TRUE(second->poll(milliseconds(50), 100).ok());
        if (const auto event = second->rebalance(); event && !event->partitions.empty()) taken = event;
        if (const auto event = second->rebalance(); event && event->partitions.empty()) {
            ASSERT_TRUE(second->take({}).ok());
        }
    }
    ASSERT_TRUE(taken.has_value());
    EXPECT_EQ(std::set(taken->partitions.begin(), taken->partitions.end()), std::set(revoked.begin(), revoked.end()));
    EXPECT_EQ(revoked.size(), 2U);
    EXPECT_TRUE(second->commit_to_group({{revoked.front(), 10}}).ok());
}

TEST_F(KafkaConsumerTest, BrokersThatAreAwayAreToldOf) {
    fill("orders", 1, 1);
    auto consumer = make();
    ASSERT_TRUE(consumer->assign({{{"orders", 0}, 0}}).ok());
    EXPECT_EQ(read(*consumer, 1).size(), 1U);
    cluster.stop();
    consumer->set_patience(milliseconds(100));
    std::optional<Error> error;
    for (const auto until = std::chrono::steady_clock::now() + kWait;
         !error && std::chrono::steady_clock::now() < until;) {
        auto polled = consumer->poll(milliseconds(100), 7);
        if (!polled.ok()) error = polled.error();
    }
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->kind(), ErrorKind::unavailable);
    const auto listed = consumer->topics(milliseconds(300));
    ASSERT_FALSE(listed.ok());
    EXPECT_EQ(listed.error().kind(), ErrorKind::unavailable);
    consumer->set_patience(kWait);
    cluster.start();
    cluster.produce("orders", 0, "later");
    cluster.flush();
    EXPECT_EQ(read(*consumer, 1).size(), 1U);
}

TEST_F(KafkaConsumerTest, EndsSoonAfterCancellation) {
    fill("orders", 1, 1);
    auto consumer = make();
    ASSERT_TRUE(consumer->subscribe({"orders"}).ok());
    ASSERT_TRUE(wait_for_rebalance(*consumer).has_value());
    ASSERT_TRUE(consumer->take({{{"orders", 0}, 1}}).ok());
    std::thread stopper([&] {
        EXPECT_TRUE(cancellation.wait_for(milliseconds(100)));
        cancellation.cancel();
    });
    while (consumer->poll(kWait, 7).ok()) {
    }
    stopper.join();
    const auto began = std::chrono::steady_clock::now();
    EXPECT_FALSE(consumer->topics(kWait).ok());
    consumer.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(1));
}

TEST_F(KafkaConsumerTest, PropertiesThatCannotBeAreNamedWithoutTheirValues) {
    const KafkaProperties cases[] = {{{"no.such.property", "s3cr3t"}},
                                     {{"security.protocol", "s3cr3t"}},
                                     {{"queued.min.messages", "s3cr3t"}},
                                     {{"ssl.key.pem", "s3cr3t"}, {"security.protocol", "ssl"}}};
    for (const auto& properties : cases) {
        SCOPED_TRACE(properties.begin()->first);
        const auto made = KafkaConsumer::create(properties, cancellation);
        ASSERT_FALSE(made.ok());
        EXPECT_EQ(made.error().kind(), ErrorKind::invalid_config);
        EXPECT_THAT(made.error().to_string(), Not(HasSubstr("s3cr3t")));
    }
}

TEST(KafkaErrorTest, KindsSayWhoActs) {
    const std::pair<rd_kafka_resp_err_t, ErrorKind> cases[] = {
        {RD_KAFKA_RESP_ERR__TRANSPORT, ErrorKind::unavailable},
        {RD_KAFKA_RESP_ERR__TIMED_OUT, ErrorKind::unavailable},
        {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, ErrorKind::unavailable},
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ErrorKind::auth},
        {RD_KAFKA_RESP_ERR__AUTHENTICATION, ErrorKind::auth},
        {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ErrorKind::invalid_config},
        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ErrorKind::too_large},
        {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, ErrorKind::conflict},
        {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, ErrorKind::rate_limited},
    };
    for (const auto& [code, kind] : cases) {
        SCOPED_TRACE(rd_kafka_err2name(code));
        EXPECT_EQ(kafka_error_kind(code), kind);
        EXPECT_EQ(kafka_error(code, "cannot").kind(), kind);
    }
    EXPECT_EQ(kafka_error(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "cannot read topic a", "gone").message(),
              "cannot read topic a: gone; check its name, or create it");
}

}  // namespace
}  // namespace shaduf
