#include "flow/run_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "flow/shared/run_store.h"
#include "tests/world.h"

namespace shaduf {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Timestamp kNoon{microseconds(1'795'348'800'123'456)};

RunRow run_row(const std::string& id, RunState state = RunState::running, RunType type = RunType::manual) {
    RunRow row;
    row.id = id;
    row.flow = "f";
    row.revision = "r1";
    row.type = type;
    row.due = kNoon;
    row.about = {kNoon - hours(1), kNoon};
    row.state = state;
    row.inputs = R"({"day":"2026-11-22"})";
    row.why = "asked ✓";
    row.actor = "ann";
    row.created = kNoon;
    if (state != RunState::queued) row.began = kNoon + microseconds(1);
    if (is_end(state)) row.ended = kNoon + hours(1);
    return row;
}
TaskRow task_row(const std::string& run, TaskIndex task, TaskState state) {
    TaskRow row;
    row.run = run;
    row.task = task;
    row.state = state;
    row.attempt = 3;
    row.tries = 2;
    row.lost = 1;
    row.since = kNoon;
    row.first_begun = kNoon + microseconds(1);
    row.began = kNoon + microseconds(2);
    row.ended = kNoon + microseconds(3);
    row.comes_again = kNoon + microseconds(4);
    row.worker = "w1";
    row.why = "busy";
    row.outputs = R"({"rows":5})";
    return row;
}

// What holds for every store.
class RunStoreTest : public testing::TestWithParam<std::string> {
protected:
    void open() {
        store.reset();
        if (GetParam() == "postgres") {
            sessions = std::make_unique<shared::Sessions>(dsn(), cancellation);
            store = std::make_unique<shared::SharedRunStore>(*sessions, [] { return 1; });
            return;
        }
        auto opened = open_sqlite_run_store(path());
        ASSERT_TRUE(opened.ok()) << opened.error().to_string();
        store = opened.release_value();
    }
    static std::string dsn() {
        const char* dsn = std::getenv("SHADUF_TEST_POSTGRES");
        return dsn == nullptr ? "" : dsn;
    }
    std::string path() const { return folder / "state/serve.db"; }
    void SetUp() override {
        if (GetParam() == "postgres") {
            if (dsn().empty()) GTEST_SKIP() << "no server: SHADUF_TEST_POSTGRES is not set";
            shared::Sessions first(dsn(), cancellation);
            ASSERT_TRUE(first.lend().release_value()->execute("DROP SCHEMA shaduf CASCADE").ok());
            ASSERT_TRUE(first.lend().ok());
        }
        open();
        if (sessions == nullptr) return;
        ASSERT_TRUE(sessions->lend().release_value()->execute("UPDATE shaduf.leader SET token = 1").ok());
    }
    void keep(FlowChanges changes) {
        const auto kept = store->keep(changes);
        EXPECT_TRUE(kept.ok()) << kept.error().to_string();
    }
    std::vector<std::string> ids(const RunFilter& filter) {
        std::vector<std::string> found;
        const auto rows = store->runs(filter).release_value();
        for (const RunRow& row : rows) found.push_back(row.id);
        return found;
    }

    TempFolder folder;
    Cancellation cancellation;
    std::unique_ptr<shared::Sessions> sessions;
    std::unique_ptr<RunStore> store;
};
INSTANTIATE_TEST_SUITE_P(Stores, RunStoreTest, testing::Values("sqlite", "postgres"),
                         [](const auto& store) { return store.param; });

TEST_P(RunStoreTest, KeepsEverythingOverItsEnd) {
    TaskRow bare;
    bare.run = "a";
    bare.task = 1;
    bare.state = TaskState::queued;
    keep({{run_row("a")},
          {task_row("a", 0, TaskState::retrying), bare},
          {{"a", {}, 0, "running", "manual", "ann", kNoon}, {"a", 1, 2, "queued", "", "", kNoon + hours(1)}},
          {{"f", kNoon}}});
    open();
    EXPECT_EQ(store->run("a").value(), run_row("a"));
    EXPECT_EQ(store->run("b").value(), std::nullopt);
    EXPECT_THAT(store->tasks("a").value(), ElementsAre(task_row("a", 0, TaskState::retrying), bare));
    const auto history = store->history("a").value();
    ASSERT_EQ(history.size(), 2U);
    EXPECT_EQ(history[0].to, "running");
    EXPECT_EQ(history[0].task, std::nullopt);
    EXPECT_EQ(history[0].actor, "ann");
    EXPECT_EQ(history[1].task, 1U);
    EXPECT_EQ(history[1].attempt, 2);
    EXPECT_EQ(history[1].at, kNoon + hours(1));
}

TEST_P(RunStoreTest, WhatRemainsIsWhatHasNotEnded) {
    keep({{run_row("a"), run_row("b", RunState::succeeded), run_row("c", RunState::queued)},
          {task_row("a", 0, TaskState::running), task_row("b", 0, TaskState::succeeded)},
          {},
          {{"f", kNoon}, {"g", kNoon}}});
    keep({{}, {}, {}, {{"f", kNoon + hours(1)}}});
    const FlowRemains remains = store->remains().release_value();
    EXPECT_THAT(remains.runs, ElementsAre(run_row("a"), run_row("c", RunState::queued)));
    EXPECT_THAT(remains.tasks, ElementsAre(task_row("a", 0, TaskState::running)));
    EXPECT_EQ(remains.seen, (std::map<std::string, Timestamp>{{"f", kNoon + hours(1)}, {"g", kNoon}}));
}

TEST_P(RunStoreTest, RowsChange) {
    keep({{run_row("a")}, {task_row("a", 0, TaskState::running), task_row("a", 1, TaskState::running)}, {}, {}});
    RunRow ended = run_row("a", RunState::failed);
    ended.why = "broken";
    TaskRow waits;  // again, and never began: as if it had not been
    waits.run = "a";
    waits.task = 1;
    keep({{ended}, {task_row("a", 0, TaskState::failed), waits}, {}, {}});
    EXPECT_EQ(store->run("a").value(), ended);
    EXPECT_THAT(store->tasks("a").value(), ElementsAre(task_row("a", 0, TaskState::failed)));
}

TEST_P(RunStoreTest, AMomentOfAScheduleHasOneRunAndAStepIsKeptWholeOrNotAtAll) {
    keep({{run_row("a", RunState::running, RunType::scheduled)}, {}, {}, {}});
    const auto twice = store->keep({{run_row("m"), run_row("b", RunState::running, RunType::scheduled)},
                                    {task_row("m", 0, TaskState::running)},
                                    {},
                                    {{"f", kNoon}}});
    ASSERT_FALSE(twice.ok());
    EXPECT_EQ(twice.error().kind(), ErrorKind::conflict);
    EXPECT_THAT(twice.error().to_string(), HasSubstr("there is a run of that moment already: flow f, scheduled"));
    EXPECT_THAT(ids({}), ElementsAre("a"));
    EXPECT_THAT(store->tasks("m").value(), IsEmpty());
    EXPECT_THAT(store->remains().value().seen, IsEmpty());
    // Of a backfill as well, beside the scheduled one; by hand as many as one likes.
    keep({{run_row("c", RunState::running, RunType::backfill), run_row("d"), run_row("e")}, {}, {}, {}});
    EXPECT_FALSE(store->keep({{run_row("g", RunState::running, RunType::backfill)}, {}, {}, {}}).ok());
}

TEST_P(RunStoreTest, ListsByPagesAndFilters) {
    for (int i = 0; i < 10; ++i) {
        RunRow row = run_row("r" + std::to_string(i), i % 2 == 0 ? RunState::succeeded : RunState::failed);
        row.created = kNoon + hours(i / 2);  // two at a time
        row.flow = i < 6 ? "f" : "g";
        keep({{row}, {}, {}, {}});
    }
    EXPECT_THAT(ids({.limit = 3}), ElementsAre("r9", "r8", "r7"));
    EXPECT_THAT(ids({.behind = "r7", .limit = 3}), ElementsAre("r6", "r5", "r4"));
    EXPECT_THAT(ids({.flow = "g"}), ElementsAre("r9", "r8", "r7", "r6"));
    EXPECT_THAT(ids({.flow = "f", .states = {RunState::failed, RunState::killed}}), ElementsAre("r5", "r3", "r1"));
    EXPECT_THAT(ids({.created_from = kNoon + hours(1), .created_before = kNoon + hours(2)}), ElementsAre("r3", "r2"));
    EXPECT_THAT(ids({.type = RunType::backfill}), IsEmpty());
}

TEST_P(RunStoreTest, ForgetsWhatEndedLongAgo) {
    keep({{run_row("a", RunState::failed), run_row("b", RunState::failed), run_row("c")},
          {task_row("a", 0, TaskState::failed), task_row("c", 0, TaskState::running)},
          {{"a", {}, 0, "failed", "", "", kNoon}},
          {}});
    EXPECT_EQ(store->forget_before(kNoon, 100).value(), 0);
    EXPECT_EQ(store->forget_before(kNoon + hours(2), 1).value(), 1);
    EXPECT_EQ(store->forget_before(kNoon + hours(2), 100).value(), 1);
    EXPECT_THAT(ids({}), ElementsAre("c"));
    EXPECT_THAT(store->tasks("a").value(), IsEmpty());
    EXPECT_THAT(store->history("a").value(), IsEmpty());
    EXPECT_EQ(store->tasks("c").value().size(), 1U);
}

TEST_P(RunStoreTest, KeepsEachDefinitionOnce) {
    EXPECT_EQ(store->definition("f", "r1").value(), std::nullopt);
    ASSERT_TRUE(store->keep_definitions({{"f", "r1", "tasks: []"}}).ok());
    ASSERT_TRUE(store->keep_definitions({{"f", "r1", "another"}}).ok());
    EXPECT_EQ(store->definition("f", "r1").value(), "tasks: []");
}

TEST_P(RunStoreTest, KeepsSmallFactsByTheirKeys) {
    ASSERT_TRUE(store->keep_value("paused/a", "Ana").ok());
    ASSERT_TRUE(store->keep_value("paused/b", "Ben").ok());
    ASSERT_TRUE(store->keep_value("paused/a", "Eve").ok());
    ASSERT_TRUE(store->keep_value("seen/a", "1").ok());
    ASSERT_TRUE(store->keep_value("paused/b", std::nullopt).ok());
    const std::map<std::string, std::string> paused = {{"paused/a", "Eve"}};
    EXPECT_EQ(store->values("paused/").value(), paused);
    EXPECT_THAT(store->values("paused/%").value(), IsEmpty());
}

TEST(SqliteRunStoreTest, ASecondProcessIsRefused) {
    TempFolder folder;
    const std::string path = folder / "state/serve.db";
    auto store = open_sqlite_run_store(path).release_value();
    const auto second = open_sqlite_run_store(path);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().kind(), ErrorKind::conflict);
    EXPECT_EQ(second.error().to_string(),
              "another shaduf serves this project: it holds " + path + "; stop that one first");
    store.reset();
    EXPECT_TRUE(open_sqlite_run_store(path).ok());
}

}  // namespace
}  // namespace shaduf
