#include "observe/anomalies/anomaly_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flow/task_board.h"
#include "tests/world.h"

namespace shaduf::observe {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kOrders = "raw.orders";

// A store whose n-th write from now ends the process: that one, and all behind it, are not done.
class DyingStore final : public RunStore {
public:
    explicit DyingStore(RunStore& store) : store_(store) {}
    Result<void> keep(const FlowChanges& changes) override { return store_.keep(changes); }
    Result<FlowRemains> remains() override { return store_.remains(); }
    Result<void> keep_definitions(const std::vector<FlowDefinition>& definitions) override {
        return store_.keep_definitions(definitions);
    }
    Result<std::set<std::pair<std::string, std::string>>> definitions_kept() override {
        return store_.definitions_kept();
    }
    Result<std::optional<std::string>> definition(const std::string& flow, const std::string& revision) override {
        return store_.definition(flow, revision);
    }
    Result<std::vector<RunRow>> runs(const RunFilter& filter) override { return store_.runs(filter); }
    Result<std::optional<RunRow>> run(const RunId& id) override { return store_.run(id); }
    Result<std::vector<TaskRow>> tasks(const RunId& run) override { return store_.tasks(run); }
    Result<std::vector<Transition>> history(const RunId& run) override { return store_.history(run); }
    Result<void> keep_value(const std::string& key, const std::optional<std::string>& value) override {
        if (writes_left == 0) return Error(ErrorKind::unavailable, "the process is gone");
        --writes_left;
        return store_.keep_value(key, value);
    }
    Result<std::map<std::string, std::string>> values(const std::string& prefix) override {
        return store_.values(prefix);
    }
    Result<int64_t> forget_before(Timestamp time, int64_t count_max) override {
        return store_.forget_before(time, count_max);
    }
    int writes_left = 1'000'000;

private:
    RunStore& store_;
};

class AnomalyWatchTest : public testing::Test {
protected:
    AnomalyWatchTest() { begin(); }
    void begin() {
        dying.writes_left = 1'000'000;
        watch = std::make_unique<AnomalyWatch>(
            AnomalyWatch::Parts{.store = dying,
                                .clock = world.clock,
                                .leads = [this] { return is_leading; },
                                .rests = [this](const std::string& flow) { return flow != "shop" || rests; },
                                .flow_of = [](const RunId&) { return std::string("shop"); },
                                .sink =
                                    [this](const Signal& signal) {
                                        if (dying.writes_left > 0)
                                            told.push_back((signal.is_over ? "over " : "") + signal.key);
                                    },
                                .warn = {}});
        watch->work();
    }
    // A run whose one task loads so many rows.
    FlowChanges load(int64_t rows) {
        const std::string id = "run-" + std::to_string(1'000 + ++number);
        RunRow run{.id = id, .flow = "shop", .revision = "r1", .state = RunState::succeeded};
        run.created = run.due = world.clock.now();
        run.began = run.created;
        run.ended = run.created;
        TryReport report;
        report.steps = {{.name = "shop.orders",
                         .kind = "stream",
                         .state = TaskState::succeeded,
                         .table = "orders",
                         .rows_read = rows,
                         .rows_written = rows}};
        report.tables = {kOrders};
        TaskRow task{.run = id, .task = 0, .state = TaskState::succeeded, .attempt = 1};
        task.began = task.ended = run.created;
        task.outputs = report.to_json();
        FlowChanges changes{.runs = {run}, .tasks = {task}, .history = {}, .seen = {}};
        EXPECT_TRUE(store->keep(changes).ok());
        return changes;
    }
    void hear(int64_t rows) {
        world.clock.advance(hours(24));
        watch->hear(load(rows));
        watch->work();
    }
    void usual(int count) {
        for (int i = 0; i < count; ++i) hear(1'000 + i % 5);
    }
    std::vector<std::string> take() { return std::exchange(told, {}); }

    World world;
    TempFolder folder;
    std::unique_ptr<RunStore> store = open_sqlite_run_store(folder / "runs.db").release_value();
    DyingStore dying{*store};
    bool is_leading = true;
    bool rests = false;
    std::vector<std::string> told;
    int number = 0;
    std::unique_ptr<AnomalyWatch> watch;
};

TEST_F(AnomalyWatchTest, TellsWhatBeginsAndWhatIsOver) {
    usual(20);
    EXPECT_THAT(take(), IsEmpty());
    hear(0);
    EXPECT_THAT(take(), ElementsAre("zero_rows/raw.orders"));
    hear(0);
    EXPECT_THAT(take(), IsEmpty()) << "it goes on";
    hear(200);
    EXPECT_THAT(take(), testing::UnorderedElementsAre("over zero_rows/raw.orders", "volume/raw.orders"));
    hear(1'001);
    EXPECT_THAT(take(), ElementsAre("over volume/raw.orders"));
    const auto tables = watch->tables().release_value();
    ASSERT_EQ(tables.size(), 1U);
    EXPECT_EQ(tables[0].table, kOrders);
    EXPECT_EQ(tables[0].flow, "shop");
    EXPECT_EQ(tables[0].learning, "");
    EXPECT_THAT(tables[0].open, IsEmpty());
    EXPECT_NEAR(tables[0].rows_usual.value_or(0), 1'002, 30);
}

TEST_F(AnomalyWatchTest, TellsWhatIsLateWithoutALoad) {
    usual(20);
    world.clock.advance(hours(30));
    watch->work();
    EXPECT_THAT(take(), IsEmpty());
    world.clock.advance(hours(42));
    watch->work();
    EXPECT_THAT(take(), ElementsAre("freshness/raw.orders"));
    watch->work();
    EXPECT_THAT(take(), IsEmpty());
    hear(1'000);
    EXPECT_THAT(take(), ElementsAre("over freshness/raw.orders"));
}

TEST_F(AnomalyWatchTest, WhatRestsIsNotLate) {
    usual(20);
    rests = true;
    world.clock.advance(hours(24 * 30));
    watch->work();
    EXPECT_THAT(take(), IsEmpty());
    rests = false;
    world.clock.advance(hours(25));
    watch->work();
    EXPECT_THAT(take(), ElementsAre("freshness/raw.orders"));
}

TEST_F(AnomalyWatchTest, WhatIsMutedIsToldBehindIt) {
    usual(20);
    ASSERT_TRUE(watch->mute(kOrders, AnomalyKind::volume, world.clock.now() + hours(36)).release_value());
    hear(100);
    EXPECT_THAT(take(), IsEmpty());
    ASSERT_EQ(watch->tables().release_value()[0].open.size(), 1U);
    world.clock.advance(hours(13));
    watch->work();
    EXPECT_THAT(take(), ElementsAre("volume/raw.orders"));
    EXPECT_FALSE(watch->mute("raw.nothing", AnomalyKind::volume, world.clock.now()).release_value());
}

TEST_F(AnomalyWatchTest, WhatSomebodyCallsUsualIsOver) {
    usual(20);
    hear(400);
    take();
    ASSERT_TRUE(watch->call_usual(kOrders, AnomalyKind::volume).release_value());
    watch->work();
    EXPECT_THAT(take(), ElementsAre("over volume/raw.orders"));
    usual(3);
    hear(410);
    EXPECT_THAT(take(), IsEmpty());
}

TEST_F(AnomalyWatchTest, TakesUpWhatEndedWhileNobodyWatched) {
    usual(20);
    watch.reset();
    world.clock.advance(hours(24));
    load(0);
    begin();
    EXPECT_THAT(take(), ElementsAre("zero_rows/raw.orders"));
    watch.reset();
    begin();
    EXPECT_THAT(take(), ElementsAre("zero_rows/raw.orders")) << "nobody knows whether it was heard";
    EXPECT_EQ(watch->tables().release_value()[0].loads, 21U) << "no load counts twice";
}

TEST_F(AnomalyWatchTest, TheSameLoadToldTwiceCountsOnce) {
    const auto changes = load(5);
    watch->hear(changes);
    watch->hear(changes);
    watch->work();
    EXPECT_EQ(watch->tables().release_value()[0].loads, 1U);
}

TEST_F(AnomalyWatchTest, OnlyTheOneThatDecidesWatches) {
    is_leading = false;
    begin();
    usual(3);
    EXPECT_THAT(watch->tables().release_value(), IsEmpty());
    is_leading = true;
    watch->work();
    EXPECT_EQ(watch->tables().release_value()[0].loads, 3U) << "it takes up what the one before did not see";
}

// Killed at each write between the load that is wrong and the one that is right again: both are told in the end.
TEST_F(AnomalyWatchTest, NothingIsLostByAKill) {
    usual(20);
    std::vector<std::string> all;
    for (int writes = 0; writes < 8; ++writes) {
        SCOPED_TRACE(writes);
        for (const int64_t rows : {int64_t{0}, int64_t{1'000}}) {
            world.clock.advance(hours(24));
            const auto changes = load(rows);
            dying.writes_left = writes;
            watch->hear(changes);
            watch->work();
            watch.reset();
            begin();
        }
        const auto heard = take();
        EXPECT_THAT(heard, testing::Contains("zero_rows/raw.orders"));
        EXPECT_THAT(heard, testing::Contains("over zero_rows/raw.orders"));
        EXPECT_EQ(heard.back(), "over zero_rows/raw.orders");
    }
    EXPECT_EQ(watch->tables().release_value()[0].loads, 36U);
}

TEST_F(AnomalyWatchTest, TablesThatAreGoneAreForgotten) {
    usual(3);
    rests = true;
    world.clock.advance(hours(24 * 399));
    begin();
    EXPECT_EQ(watch->tables().release_value().size(), 1U);
    world.clock.advance(hours(24 * 2));
    begin();
    EXPECT_THAT(watch->tables().release_value(), IsEmpty());
    EXPECT_THAT(store->values("table/").release_value(), IsEmpty());
}

TEST_F(AnomalyWatchTest, AThreadDoesTheSame) {
    watch->start();
    for (int i = 0; i < 5; ++i) {
        world.clock.advance(hours(24));
        watch->hear(load(1'000));
    }
    watch->stop();
    EXPECT_EQ(watch->tables().release_value()[0].loads, 5U);
}

}  // namespace
}  // namespace shaduf::observe
