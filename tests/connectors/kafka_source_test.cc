#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "base/stream_lag.h"
#include "connectors/kafka/settings.h"
#include "tests/connectors/kafka_world.h"

namespace shaduf {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class KafkaSourceTest : public testing::Test {
protected:
    void produce(const std::string& topic, int32_t partition, const std::vector<std::string>& values) {
        for (const auto& value : values) cluster.produce(topic, partition, value, "", 1'700'000'000'000 + ++produced_);
        cluster.flush();
    }
    Result<std::unique_ptr<Source>> open(const std::string& options, const std::optional<Checkpoint>& from = {},
                                         ReadMode mode = ReadMode::incremental) {
        auto source = TRY(kafka_source(kafka_connection(cluster, "timeout: 10s"), options, mode));
        TRY(source->open(world.run, from));
        return source;
    }
    struct Reading {
        std::vector<std::string> values;
        std::vector<std::string> positions;
        std::optional<Checkpoint> checkpoint;
    };
    Result<Reading> read(Source& source) {
        Reading reading;
        while (auto batch = TRY(source.read(world.run))) {
            for (const auto& text : texts_of(*batch)) reading.values.push_back(text);
            for (size_t i = 0; i < batch->row_count(); ++i) reading.positions.push_back(batch->position(i));
            if (batch->next) reading.checkpoint = batch->next;
        }
        return reading;
    }
    Result<Reading> load(const std::string& options, const std::optional<Checkpoint>& from = {}) {
        auto source = TRY(open(options, from));
        return read(*source);
    }
    static std::string at(const Reading& reading, const std::string& part) {
        const auto parts = must(parse_parts(reading.checkpoint));
        return parts.contains(part) ? parts.at(part).at : "none";
    }

    KafkaCluster cluster;
    World world;

private:
    int produced_ = 0;
};

TEST_F(KafkaSourceTest, EndsWhereTopicsEndedWhenItWasOpened) {
    cluster.create_topic("orders", 2);
    produce("orders", 0, {"a", "b"});
    produce("orders", 1, {"c"});
    auto source = must(open(""));
    produce("orders", 0, {"too late"});
    const Reading reading = must(read(*source));
    EXPECT_THAT(reading.values, UnorderedElementsAre("a", "b", "c"));
    EXPECT_THAT(reading.positions, UnorderedElementsAre("orders/0:0", "orders/0:1", "orders/1:0"));
    EXPECT_EQ(at(reading, "orders/0"), "2");
    EXPECT_EQ(at(reading, "orders/1"), "1");
    const auto parts = must(parse_parts(reading.checkpoint));
    EXPECT_EQ(seen_of_all(parts), world.clock.now()) << "all was read up to the beginning of the load";

    const Reading next = must(load("", reading.checkpoint));
    EXPECT_THAT(next.values, ElementsAre("too late"));
    const Reading none = must(load("", next.checkpoint));
    EXPECT_THAT(none.values, IsEmpty());
    EXPECT_EQ(at(none, "orders/0"), "3");
}

TEST_F(KafkaSourceTest, BeginsWhereItIsTold) {
    cluster.create_topic("orders", 2);
    produce("orders", 0, {"a", "b", "c"});
    produce("orders", 1, {"d"});
    struct Case {
        std::string options;
        std::vector<std::string> values;
    };
    const Case cases[] = {
        {"start: earliest", {"a", "b", "c", "d"}},
        {"start: latest", {}},
        {"start: {0: 2}", {"c", "d"}},
        {"start: {0: 3, 1: 1}", {}},
    };
    for (const auto& [options, values] : cases) {
        SCOPED_TRACE(options);
        const Reading reading = must(load(options));
        EXPECT_THAT(reading.values, testing::UnorderedElementsAreArray(values));
        EXPECT_EQ(at(reading, "orders/0"), "3");
        EXPECT_EQ(at(reading, "orders/1"), "1");
    }
}

TEST_F(KafkaSourceTest, RefusesWhatCannotBe) {
    cluster.create_topic("orders", 1);
    produce("orders", 0, {"a"});
    struct Case {
        std::string options;
        std::string why;
    };
    const Case cases[] = {
        {"start: never", "start is not known: never"},
        {"start: {0: 17}", "start is not in partition orders/0: 17; it has offsets from 0 to 1"},
        {"start: {x: 17}", "start is no map of partitions to offsets"},
        {"until: never", "until is not known: never"},
        {"topics: [ordres]", "topic not found: ordres; did you mean orders?"},
        {"topics: \"^nothing.*\"", "no topic matches: ^nothing.*"},
        {"topics: \"^or(\"", "pattern of topics is none: ^or("},
        {"batch_size: 1GB", "batch_size is not from 1B to 64MB"},
    };
    for (const auto& [options, why] : cases) {
        SCOPED_TRACE(options);
        const auto opened = open(options);
        ASSERT_FALSE(opened.ok());
        EXPECT_EQ(opened.error().kind(), ErrorKind::invalid_config);
        EXPECT_THAT(opened.error().to_string(), HasSubstr(why));
    }
    EXPECT_THAT(open("until: now", {}, ReadMode::stream).error().to_string(), HasSubstr("until is not for mode"));
    EXPECT_THAT(open("", {}, ReadMode::cdc).error().to_string(), HasSubstr("mode is not one"));
    EXPECT_THAT(open("", Checkpoint("42")).error().to_string(), HasSubstr("not of a stream in parts"));
}

TEST_F(KafkaSourceTest, PartitionsThatAreNewBeginAtTheirEarliest) {
    cluster.create_topic("orders", 2);
    produce("orders", 0, {"a"});
    produce("orders", 1, {"b"});
    const Checkpoint before = to_checkpoint({{"orders/0", {"1"}}, {"gone/7", {"99"}}});
    const Reading reading = must(load("start: latest", before));
    EXPECT_THAT(reading.values, ElementsAre("b"));
    EXPECT_EQ(at(reading, "gone/7"), "99") << "parts of topics that are not read stay as they are";
}

TEST_F(KafkaSourceTest, MessagesThatAreGoneAreToldOf) {
    cluster.create_topic("orders", 1);
    produce("orders", 0, {"a", "b"});
    const Checkpoint ahead = to_checkpoint({{"orders/0", {"500"}}});
    const auto failed = load("", ahead);
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind(), ErrorKind::bad_data);
    EXPECT_THAT(failed.error().message(), HasSubstr("partition orders/0 ends before the checkpoint: at 2 and not 500"));
    EXPECT_THAT(must(load("on_lost: earliest", ahead)).values, ElementsAre("a", "b"));
    EXPECT_THAT(world.events.messages(), testing::Contains(HasSubstr("reading goes on with the first")));
}

// The mock keeps the last 5 MB of a partition.
TEST_F(KafkaSourceTest, RetentionThatIsFasterThanTheReadingIsToldOf) {
    cluster.create_topic("orders", 1);
    const auto produce_kilobytes = [&](int count) {
        for (int i = 0; i < count; ++i) {
            cluster.produce("orders", 0, std::string(1024, 'x'));
            if (i % 50 == 49) cluster.flush();
        }
        cluster.flush();
    };
    const std::string slow =
        "brokers: \"" + cluster.brokers() +
        "\"\ntimeout: 10s\nproperties: {queued.max.messages.kbytes: 1, fetch.message.max.bytes: 1000}\n";
    produce_kilobytes(2000);
    for (const std::string on_lost : {"fail", "earliest"}) {
        SCOPED_TRACE(on_lost);
        auto source = must(kafka_source(slow, "{batch_size: 1B, on_lost: " + on_lost + "}", ReadMode::incremental));
        ASSERT_TRUE(source->open(world.run, std::nullopt).ok());
        ASSERT_TRUE(source->read(world.run).ok());
        produce_kilobytes(8000);
        const auto rest = read(*source);
        if (on_lost == "fail") {
            ASSERT_FALSE(rest.ok());
            EXPECT_EQ(rest.error().kind(), ErrorKind::bad_data);
            EXPECT_THAT(rest.error().message(), HasSubstr("messages were deleted before they were read"));
        } else {
            ASSERT_TRUE(rest.ok()) << rest.error().to_string();
            EXPECT_THAT(world.events.messages(), testing::Contains(HasSubstr("messages were deleted before")));
        }
    }
}

TEST_F(KafkaSourceTest, RequestsThatFailAreMadeAgain) {
    cluster.create_topic("orders", 1);
    produce("orders", 0, {"a", "b", "c"});
    constexpr int16_t kFetch = 1;
    constexpr int16_t kListOffsets = 2;
    cluster.answer_next(kListOffsets, {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR__TRANSPORT});
    cluster.answer_next(kFetch, {RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION});
    EXPECT_THAT(must(load("")).values, ElementsAre("a", "b", "c"));
}

TEST_F(KafkaSourceTest, StreamsGiveEmptyBatchesForTheClock) {
    cluster.create_topic("orders", 1);
    produce("orders", 0, {"a"});
    auto source = must(open("linger: 10ms", {}, ReadMode::stream));
    auto& shared = dynamic_cast<SharedSource&>(*source);
    const auto until = std::chrono::steady_clock::now() + seconds(20);
    std::vector<std::string> values;
    size_t empty_behind = 0;
    while (empty_behind < 2 && std::chrono::steady_clock::now() < until) {
        const auto batch = must(source->read(world.run));
        ASSERT_TRUE(batch.has_value()) << "a stream does not end";
        for (const auto& text : texts_of(*batch)) values.push_back(text);
        if (batch->settles) {
            EXPECT_EQ(batch->row_count(), 0U);
            ASSERT_TRUE(shared.resume_at(world.run, std::nullopt).ok());
        } else if (!values.empty() && batch->row_count() == 0) {
            ++empty_behind;
            const auto parts = must(parse_parts(batch->next));
            EXPECT_EQ(parts.at("orders/0").at, "1");
            EXPECT_EQ(parts.at("orders/0").seen, world.clock.now()) << "nothing is missing of what there is";
        }
    }
    EXPECT_THAT(values, ElementsAre("a"));
    std::thread stopper([&] {
        EXPECT_TRUE(Cancellation().wait_for(milliseconds(50)));
        world.cancellation.cancel();
    });
    for (bool goes_on = true; goes_on;) goes_on = source->read(world.run).ok();
    const auto began = std::chrono::steady_clock::now();
    stopper.join();
    source.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(1));
}

TEST_F(KafkaSourceTest, LatestIsTheSameForAllMembers) {
    cluster.create_topic("orders", 2);
    produce("orders", 0, {"a"});
    auto source = must(open("start: latest", {}, ReadMode::stream));
    auto& shared = dynamic_cast<SharedSource&>(*source);
    std::optional<ReadBatch> batch;
    do {
        batch = must(source->read(world.run));
    } while (!batch->settles);
    ASSERT_TRUE(shared.resume_at(world.run, std::nullopt).ok());
    batch = must(source->read(world.run));
    const auto parts = must(parse_parts(batch->next));
    EXPECT_EQ(parts.at("orders/0").at, "1");
    EXPECT_EQ(parts.at("orders/1").at, "0");
}

// ---------------------------------------------------------------------------------------------------------- groups

// What several processes write to: rows and where the parts stand, changed together.
class SharedTable {
public:
    CheckpointParts open() {
        const std::lock_guard lock(mutex_);
        return parts_;
    }
    Result<CheckpointParts> commit(const CheckpointParts& known, const CheckpointParts& read,
                                   std::vector<std::string>& rows) {
        const std::lock_guard lock(mutex_);
        parts_ = TRY(advance_parts(parts_, known, read));
        rows_.insert(rows_.end(), rows.begin(), rows.end());
        rows.clear();
        return parts_;
    }
    std::vector<std::string> rows() {
        const std::lock_guard lock(mutex_);
        return rows_;
    }

private:
    std::mutex mutex_;
    CheckpointParts parts_;
    std::vector<std::string> rows_;
};

// A process, as the runner plays it: commits now and then, and begins again after a conflict.
class Member {
public:
    Member(const KafkaCluster& cluster, SharedTable& table) : table_(table), connection_(kafka_connection(cluster)) {}
    void run_until(const std::atomic<bool>& stopped) {
        while (!stopped) {
            const auto ended = run_once(stopped);
            if (ended.ok()) return;
            if (ended.error().kind() != ErrorKind::conflict) ADD_FAILURE() << ended.error().to_string();
            if (ended.error().kind() != ErrorKind::conflict) return;
        }
    }
    size_t rows = 0;
    size_t rebalances = 0;

private:
    Result<void> run_once(const std::atomic<bool>& stopped) {
        auto source = TRY(kafka_source(connection_, "{batch_size: 200B, linger: 5ms}", ReadMode::stream));
        CheckpointParts known = table_.open();
        TRY(source->open(world_.run, to_checkpoint(known)));
        std::vector<std::string> pending;
        for (int batches = 1; !stopped; ++batches) {
            auto batch = TRY(source->read(world_.run));
            for (const auto& text : texts_of(*batch)) pending.push_back(text);
            rows += batch->row_count();
            if (batch->next && (batch->settles || batches % 5 == 0)) {
                known = TRY(table_.commit(known, TRY(parse_parts(batch->next)), pending));
                TRY(source->acknowledge(world_.run, *batch->next));
            }
            if (!batch->settles) continue;
            ++rebalances;
            known = table_.open();
            TRY(dynamic_cast<SharedSource&>(*source).resume_at(world_.run, to_checkpoint(known)));
        }
        return {};
    }

    SharedTable& table_;
    const std::string connection_;
    World world_;
};

TEST_F(KafkaSourceTest, MembersOfAGroupReadEachMessageOnce) {
    constexpr int kPartitions = 4;
    constexpr int kMessages = 4000;
    cluster.create_topic("orders", kPartitions);
    std::vector<std::string> produced;
    const auto produce_some = [&](int from, int to) {
        for (int i = from; i < to; ++i) {
            produced.push_back(std::to_string(i));
            cluster.produce("orders", i % kPartitions, produced.back());
        }
        cluster.flush();
    };
    produce_some(0, kMessages / 4);
    SharedTable table;
    std::atomic<bool> stays_stopped{false};
    std::atomic<bool> leaver_stopped{false};
    Member stays(cluster, table);
    Member leaves(cluster, table);
    std::thread first([&] { stays.run_until(stays_stopped); });
    const auto wait_until = [&](const auto& reached) {
        const auto until = std::chrono::steady_clock::now() + seconds(40);
        while (!reached() && std::chrono::steady_clock::now() < until) {
            static_cast<void>(world.cancellation.wait_for(milliseconds(10)));
        }
        return reached();
    };
    EXPECT_TRUE(wait_until([&] { return !table.rows().empty(); }));
    std::thread second([&] { leaves.run_until(leaver_stopped); });
    for (int part = 1; part < 3; ++part) {
        produce_some(kMessages * part / 4, kMessages * (part + 1) / 4);
        EXPECT_TRUE(wait_until([&] { return table.rows().size() >= static_cast<size_t>(kMessages * part / 4); }));
    }
    leaver_stopped = true;  // with rows that it has not committed
    second.join();
    produce_some(kMessages * 3 / 4, kMessages);
    EXPECT_TRUE(wait_until([&] { return table.rows().size() >= produced.size(); })) << table.rows().size();
    stays_stopped = true;
    first.join();
    auto rows = table.rows();
    std::sort(rows.begin(), rows.end());
    std::sort(produced.begin(), produced.end());
    EXPECT_EQ(rows, produced);
    EXPECT_GE(stays.rebalances, 2U);
}

TEST_F(KafkaSourceTest, WhatAnotherHasReadOnIsAConflict) {
    cluster.create_topic("orders", 1);
    produce("orders", 0, {"a"});
    auto source = must(open("linger: 10ms", {}, ReadMode::stream));
    auto& shared = dynamic_cast<SharedSource&>(*source);
    std::optional<ReadBatch> batch;
    do {
        batch = must(source->read(world.run));
    } while (!batch->settles);
    ASSERT_TRUE(shared.resume_at(world.run, std::nullopt).ok());
    do {
        batch = must(source->read(world.run));
    } while (batch->row_count() == 0);
    // A member that joins makes the group ask again.
    World other_world;
    auto other = must(kafka_source(kafka_connection(cluster), "", ReadMode::stream));
    ASSERT_TRUE(other->open(other_world.run, std::nullopt).ok());
    const auto until = std::chrono::steady_clock::now() + seconds(20);
    do {
        batch = must(source->read(world.run));
        static_cast<void>(other->read(other_world.run));
    } while (!batch->settles && std::chrono::steady_clock::now() < until);
    ASSERT_TRUE(batch->settles);
    const auto resumed = shared.resume_at(world.run, to_checkpoint({{"orders/0", {"77"}}}));
    ASSERT_FALSE(resumed.ok()) << "it keeps its only partition";
    EXPECT_EQ(resumed.error().kind(), ErrorKind::conflict);
}

// ------------------------------------------------------------------------------------------------------ lag, tokens

class LagRecorder final : public RunEvents, public LagEvents {
public:
    void stream_lag(const StreamLag& lag) override { lags.push_back(lag); }
    std::vector<StreamLag> lags;
};

TEST_F(KafkaSourceTest, TellsHowFarItIsBehind) {
    cluster.create_topic("orders", 1);
    produce("orders", 0, {"a", "b", "c", "d"});
    LagRecorder events;
    RunContext run{world.clock, world.cancellation, world.http,  world.run.databases,
                   events,      world.shared,       *world.rates};
    auto source = must(kafka_source(kafka_connection(cluster), "{batch_size: 1B}", ReadMode::incremental));
    ASSERT_TRUE(source->open(run, std::nullopt).ok());
    std::optional<Checkpoint> checkpoint;
    while (const auto batch = must(source->read(run))) {
        checkpoint = batch->next;
        world.clock.advance(seconds(6));
    }
    ASSERT_GE(events.lags.size(), 4U);
    EXPECT_EQ(events.lags[1].pipeline, "shop");
    EXPECT_EQ(events.lags[1].messages, 2);
    EXPECT_EQ(events.lags[1].parts.at("orders/0"), 2);
    ASSERT_TRUE(events.lags[1].oldest_seconds.has_value());
    EXPECT_GT(*events.lags[1].oldest_seconds, 60'000'000) << "of a message of 2023, in 2026";
    ASSERT_TRUE(source->acknowledge(run, *checkpoint).ok());
    world.clock.advance(seconds(6));
    ASSERT_TRUE(source->read(run).ok());
    EXPECT_EQ(events.lags.back().oldest_seconds, std::nullopt);
    EXPECT_EQ(events.lags.back().messages, 0);
}

}  // namespace
}  // namespace shaduf
