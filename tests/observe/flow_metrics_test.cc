#include "observe/metrics/flow_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/stream_lag.h"
#include "tests/world.h"

namespace shaduf::observe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class FlowMetricsTest : public testing::Test {
protected:
    FlowMetricsTest() {
        std::vector<TaskNode> nodes = {{.name = "load"}, {.name = "build", .after = {"load"}}};
        FlowSpec daily{.name = "daily", .revision = "r1", .graph = TaskGraph::create(std::move(nodes)).release_value()};
        daily.tasks = {{.type = "pipeline", .uses = {{"tasks", 1}, {"db", 3}}}, {.type = "models"}};
        spec = std::make_shared<const FlowSpec>(std::move(daily));
        flows.pools = {{"tasks", 4}, {"db", 2}};
    }
    RunRow run(const std::string& id, RunState state) {
        RunRow row{.id = id, .flow = "daily", .revision = "r1", .type = RunType::scheduled, .state = state};
        row.created = begin;
        if (state != RunState::queued) row.began = begin + seconds(2);
        if (is_end(state)) row.ended = begin + seconds(12);
        return row;
    }
    TaskRow task(TaskState state, int attempt, const std::string& worker) {
        TaskRow row{.run = "a", .task = 0, .state = state, .attempt = attempt, .worker = worker};
        if (state == TaskState::queued) row.since = begin + seconds(2);
        if (attempt > 0) row.began = begin + seconds(3);
        if (is_end(state) || state == TaskState::retrying) row.ended = begin + seconds(8);
        return row;
    }
    void hear(std::vector<RunRow> runs, std::vector<TaskRow> tasks) {
        made.hear(FlowChanges{.runs = std::move(runs), .tasks = std::move(tasks), .history = {}, .seen = {}});
    }
    void tell(const std::string& name, int64_t rows, TaskState state, int64_t retries = 0) {
        const TaskStep step{.name = name,
                            .kind = "stream",
                            .state = state,
                            .rows_read = rows,
                            .rows_written = rows - 1,
                            .rows_quarantined = 1,
                            .bytes = rows * 10,
                            .retries = retries};
        made.hear(TaskBoard::Change{{"a", "load", 1}, &step, 0, nullptr});
    }
    MetricPage page() {
        MetricPage found;
        made.collect(found, flows);
        return found;
    }

    FakeClock clock;
    const Timestamp begin = clock.now();
    FlowPtr spec;
    FlowSet flows;
    bool is_leading = true;
    Metrics metrics;
    FlowMetrics made{{metrics, clock, [this](const auto&, const auto&) { return spec; },
                      [](const RunId&) { return std::optional<RunRow>(); }, [this] { return is_leading; }}};
};

TEST_F(FlowMetricsTest, FollowsARunToItsEnd) {
    hear({run("a", RunState::running)}, {task(TaskState::queued, 0, "")});
    EXPECT_EQ(page().value(metric::runs_open, {"running"}), 1);
    EXPECT_EQ(page().value(metric::tasks_open, {"queued"}), 1);
    hear({}, {task(TaskState::running, 1, "")});
    EXPECT_EQ(page().value(metric::tasks_open, {"queued"}), 0);
    EXPECT_EQ(page().value(metric::pool_used, {"tasks"}), 1);
    EXPECT_EQ(page().value(metric::pool_used, {"db"}), 2) << "never more than there are";
    clock.advance(seconds(3) + milliseconds(5));
    hear({}, {task(TaskState::running, 1, "here")});
    hear({}, {task(TaskState::running, 1, "here")});
    hear({run("a", RunState::succeeded)}, {task(TaskState::succeeded, 1, "here")});
    const std::string text = metrics.write(MetricFormat::prometheus);
    EXPECT_THAT(text, HasSubstr("shaduf_runs_total{flow=\"daily\",type=\"scheduled\",state=\"succeeded\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("shaduf_tasks_total{type=\"pipeline\",state=\"succeeded\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("shaduf_run_wait_seconds_sum 2\n"));
    EXPECT_THAT(text, HasSubstr("shaduf_run_duration_seconds_sum{flow=\"daily\"} 10\n"));
    EXPECT_THAT(text, HasSubstr("shaduf_task_queue_seconds_sum 1\n"));
    EXPECT_THAT(text, HasSubstr("shaduf_task_dispatch_seconds_sum 0.005\n"));
    EXPECT_THAT(text, HasSubstr("shaduf_task_dispatch_seconds_count 1\n"));
    EXPECT_THAT(text, HasSubstr("shaduf_task_duration_seconds_sum{type=\"pipeline\"} 5\n"));
    EXPECT_EQ(page().value(metric::runs_open, {"running"}), 0);
}

TEST_F(FlowMetricsTest, AnEndThatIsToldAgainCountsOnce) {
    for (int i = 0; i < 3; ++i) hear({run("a", RunState::failed)}, {});
    EXPECT_EQ(metrics.value(metric::runs, {"daily", "scheduled", "failed"}), 1);
    RunRow again = run("a", RunState::failed);
    again.ended = *again.ended + seconds(100);
    hear({run("a", RunState::running)}, {});
    hear({again}, {});
    EXPECT_EQ(metrics.value(metric::runs, {"daily", "scheduled", "failed"}), 2) << "it was run again";
}

TEST_F(FlowMetricsTest, TriesThatComeAgainAreRetries) {
    hear({run("a", RunState::running)}, {task(TaskState::running, 1, "here")});
    hear({}, {task(TaskState::retrying, 1, "here")});
    EXPECT_EQ(page().value(metric::tasks_open, {"retrying"}), 1);
    hear({}, {task(TaskState::running, 2, "here")});
    hear({}, {task(TaskState::failed, 2, "here")});
    EXPECT_EQ(metrics.value(metric::task_retries, {"pipeline"}), 1);
    EXPECT_EQ(metrics.value(metric::tasks, {"pipeline", "failed"}), 1);
}

TEST_F(FlowMetricsTest, OnlyTheOneThatDecidesCounts) {
    is_leading = false;
    hear({run("a", RunState::running)}, {task(TaskState::running, 1, "here")});
    hear({run("a", RunState::failed)}, {task(TaskState::failed, 1, "here")});
    EXPECT_EQ(metrics.value(metric::runs, {"daily", "scheduled", "failed"}), 0);
    EXPECT_EQ(metrics.value(metric::tasks, {"pipeline", "failed"}), 0);
}

TEST_F(FlowMetricsTest, RowsCountWhileTheyCome) {
    hear({run("a", RunState::running)}, {task(TaskState::running, 1, "here")});
    tell("shop.public.orders", 100, TaskState::running);
    tell("shop.public.orders", 250, TaskState::running, 2);
    EXPECT_EQ(metrics.value(metric::rows_read, {"shop", "public.orders"}), 250);
    EXPECT_EQ(metrics.value(metric::rows_written, {"shop", "public.orders"}), 249);
    EXPECT_EQ(metrics.value(metric::rows_quarantined, {"shop", "public.orders"}), 1);
    EXPECT_EQ(metrics.value(metric::bytes_read, {"shop", "public.orders"}), 2'500);
    EXPECT_EQ(metrics.value(metric::stream_retries, {"shop", "public.orders"}), 2);
    tell("shop.public.orders", 40, TaskState::running);  // it began anew
    tell("shop.public.orders", 60, TaskState::succeeded);
    tell("shop.public.orders", 60, TaskState::succeeded);
    EXPECT_EQ(metrics.value(metric::rows_read, {"shop", "public.orders"}), 310);
    tell("item 2: shop.refunds", 5, TaskState::succeeded);
    EXPECT_EQ(metrics.value(metric::rows_read, {"shop", "refunds"}), 5);
}

TEST_F(FlowMetricsTest, WhatATryElsewhereDidLastIsMadeGood) {
    hear({run("a", RunState::running)}, {task(TaskState::running, 1, "there")});
    tell("shop.orders", 100, TaskState::running);
    TryReport report;
    report.steps = {{.name = "shop.orders", .kind = "stream", .state = TaskState::succeeded, .rows_read = 130},
                    {.name = "shop.people", .kind = "stream", .state = TaskState::succeeded, .rows_read = 7}};
    TaskRow ended = task(TaskState::succeeded, 1, "there");
    ended.outputs = report.to_json();
    for (int i = 0; i < 2; ++i) hear({}, {ended});
    tell("shop.orders", 110, TaskState::running);  // it comes behind the end
    EXPECT_EQ(metrics.value(metric::rows_read, {"shop", "orders"}), 130);
    EXPECT_EQ(metrics.value(metric::rows_read, {"shop", "people"}), 7);
}

TEST_F(FlowMetricsTest, WhoBeginsToDecideGoesOnWhereTheOtherWas) {
    is_leading = false;
    hear({run("a", RunState::running)}, {task(TaskState::running, 1, "there")});
    tell("shop.orders", 100, TaskState::running);
    EXPECT_EQ(metrics.value(metric::rows_read, {"shop", "orders"}), 0);
    is_leading = true;
    tell("shop.orders", 130, TaskState::running);
    EXPECT_EQ(metrics.value(metric::rows_read, {"shop", "orders"}), 30);
}

TEST_F(FlowMetricsTest, LagIsToldForAsLongAsTheStreamRuns) {
    hear({run("a", RunState::running)}, {});
    const StreamLag lag{.pipeline = "events", .stream = "clicks", .messages = 42, .oldest_seconds = 1.5};
    made.hear(TaskBoard::Change{{"a", "load", 1}, nullptr, 0, &lag});
    EXPECT_EQ(page().value(metric::lag_messages, {"events", "clicks"}), 42);
    EXPECT_EQ(page().value(metric::lag_seconds, {"events", "clicks"}), 1.5);
    hear({run("a", RunState::killed)}, {});
    EXPECT_EQ(page().find(metric::lag_messages), nullptr);
}

TEST_F(FlowMetricsTest, TakesUpWhatIsOpen) {
    ASSERT_TRUE(made.take_up([&]() -> Result<FlowRemains> {
                        FlowRemains remains;
                        remains.runs = {run("a", RunState::running), run("b", RunState::queued)};
                        remains.tasks = {task(TaskState::running, 1, "here")};
                        return remains;
                    })
                    .ok());
    EXPECT_EQ(page().value(metric::runs_open, {"queued"}), 1);
    EXPECT_EQ(page().value(metric::tasks_open, {"running"}), 1);
}

}  // namespace
}  // namespace shaduf::observe
