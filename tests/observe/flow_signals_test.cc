#include "observe/flow_signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/world.h"

namespace shaduf::observe {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Lines of a log, as pipelines and connectors write them.
class SomeLogs final : public LogStore {
public:
    std::vector<std::string> lines;
    Result<std::unique_ptr<Writer>> open(const TryId&) override { return Error(ErrorKind::internal, "not here"); }
    Result<std::optional<LogPage>> read(const TryId&, const LogRequest&) override {
        LogPage page;
        for (const std::string& line : lines) page.lines.push_back({1, {}, Severity::warning, "shop.orders", line});
        return std::optional(page);
    }
    Result<std::string> read_text(const TryId&, int64_t, int64_t) override { return std::string(); }
    Result<void> forget(const RunId&) override { return {}; }
};

// Runs in a real store, told by hand as a scheduler would; what signals it finds are noted.
class FlowSignalsTest : public testing::Test {
protected:
    FlowSignalsTest() {
        store = open_sqlite_run_store(folder / "runs.db").release_value();
        add_flow("orders", {{"load", {}}, {"models", {"load"}}});
        add_flow("careful", {{"ask", {}}}, true);
        restart();
    }

    struct Task {
        std::string name;
        std::vector<std::string> after;
    };
    void add_flow(const std::string& name, const std::vector<Task>& tasks, bool needs_approval = false) {
        std::vector<TaskNode> nodes;
        for (const Task& task : tasks) {
            TaskNode node;
            node.name = task.name;
            node.after = task.after;
            node.needs_approval = needs_approval;
            nodes.push_back(std::move(node));
        }
        FlowSpec spec{.name = name,
                      .revision = "r1",
                      .graph = TaskGraph::create(std::move(nodes)).release_value(),
                      .tasks = std::vector<TaskSpec>(tasks.size())};
        FlowInfo info;
        info.spec = std::make_shared<const FlowSpec>(std::move(spec));
        info.owner = "ada";
        info.pipeline = name;
        flows->flows.push_back(std::move(info));
        std::sort(flows->flows.begin(), flows->flows.end(),
                  [](const FlowInfo& a, const FlowInfo& b) { return a.spec->name < b.spec->name; });
    }
    // Another process: nothing is known but what the store has.
    void restart() {
        FlowSignals::Parts parts{
            .store = *store,
            .logs = &logs,
            .clock = world.clock,
            .leads = [this] { return leads; },
            .flows = [this] { return flows; },
            .spec =
                [this](const std::string& flow, const std::string&) {
                    const FlowInfo* info = flows->find(flow);
                    return info == nullptr ? nullptr : info->spec;
                },
            .late_since = [this](const FlowInfo& flow, Timestamp, Timestamp) -> std::optional<Timestamp> {
                if (flow.spec->name == late) return world.clock.now() - 1h;
                return std::nullopt;
            },
            .tell = [this](Signal signal) { told.push_back(std::move(signal)); },
            .settle = [this]() -> Result<void> {
                if (settle_fails) return Error(ErrorKind::exhausted, "disk is full");
                for (const Signal& signal : told) {
                    signal.is_over ? (void)open.erase(signal.key) : (void)open.insert(signal.key);
                }
                return {};
            },
            .open_keys = [this](std::string_view) { return std::vector<std::string>(open.begin(), open.end()); },
        };
        signals = std::make_unique<FlowSignals>(std::move(parts));
    }

    TaskRow task(TaskIndex index, TaskState state, const std::string& why = "") const {
        TaskRow row;
        row.task = index;
        row.state = state;
        row.attempt = row.tries = 1;
        row.ended = world.clock.now();
        row.why = why;
        TryReport report;
        row.outputs = report.to_json();
        return row;
    }
    // Keeps what a run has come to, and tells of it unless the process is thought to end in between.
    void keep(const RunId& id, const std::string& flow, RunState state, std::vector<TaskRow> tasks = {},
              bool is_heard = true, RunType type = RunType::manual) {
        world.clock.advance(1s);
        FlowChanges changes;
        RunRow run;
        run.id = id;
        run.flow = flow;
        run.revision = "r1";
        run.type = type;
        run.state = state;
        const auto [at, is_new] = created.try_emplace(id, world.clock.now());
        run.created = run.due = at->second;
        if (is_end(state)) run.ended = world.clock.now();
        for (TaskRow& row : tasks) row.run = id;
        changes.runs = {run};
        changes.tasks = std::move(tasks);
        ASSERT_TRUE(store->keep(changes).ok());
        if (is_heard) signals->hear(changes);
    }
    std::vector<std::string> look() {
        told.clear();
        const auto done = signals->look();
        last_look_ok = done.ok();
        std::vector<std::string> keys;
        for (const Signal& signal : told) keys.push_back((signal.is_over ? "over " : "") + signal.key);
        return keys;
    }

    TempFolder folder;
    World world;
    std::unique_ptr<RunStore> store;
    std::shared_ptr<FlowSet> flows = std::make_shared<FlowSet>();
    std::map<RunId, Timestamp> created;
    bool leads = true;
    bool settle_fails = false;
    bool last_look_ok = true;
    std::string late;
    SomeLogs logs;
    std::set<std::string> open;
    std::vector<Signal> told;
    std::unique_ptr<FlowSignals> signals;
};

TEST_F(FlowSignalsTest, FailsAndIsOverWhenItSucceeds) {
    EXPECT_THAT(look(), IsEmpty());
    TaskRow row = task(0, TaskState::failed, "shop.orders: HTTP 401; renew the token");
    TryReport report;
    report.error_kind = "auth";
    row.outputs = report.to_json();
    keep("1", "orders", RunState::failed, {row, task(1, TaskState::upstream_failed)});
    ASSERT_THAT(look(), ElementsAre("run_failed/orders/"));
    const Signal& signal = told[0];
    EXPECT_EQ(signal.title, "Flow orders failed, in task load");
    EXPECT_EQ(signal.text, "shop.orders: HTTP 401; renew the token");
    EXPECT_THAT(signal.cause, HasSubstr("credential is refused"));
    EXPECT_EQ(signal.advice, "renew the token");
    EXPECT_EQ(signal.path, "/runs/1?task=load");
    EXPECT_EQ(signal.owner, "ada");
    EXPECT_EQ(signal.severity, Severity::error);
    EXPECT_THAT(look(), IsEmpty());
    keep("2", "orders", RunState::killed);
    keep("3", "orders", RunState::skipped);
    EXPECT_THAT(look(), IsEmpty()) << "neither says how things stand";
    keep("4", "orders", RunState::succeeded);
    EXPECT_THAT(look(), ElementsAre("over run_failed/orders/"));
}

TEST_F(FlowSignalsTest, ARunThatIsRetriedHasNotFailedYet) {
    EXPECT_THAT(look(), IsEmpty());
    keep("1", "orders", RunState::running, {task(0, TaskState::retrying, "busy")});
    EXPECT_THAT(look(), IsEmpty());
    TaskRow row = task(0, TaskState::succeeded);
    row.tries = 4;
    keep("1", "orders", RunState::succeeded, {row});
    ASSERT_THAT(look(), ElementsAre("retried/orders/"));
    EXPECT_EQ(told[0].severity, Severity::info);
    EXPECT_THAT(told[0].title, HasSubstr("needed 4 tries"));
    keep("2", "orders", RunState::succeeded, {task(0, TaskState::succeeded)});
    EXPECT_THAT(look(), ElementsAre("over retried/orders/"));
}

TEST_F(FlowSignalsTest, WhatEndedWhileNobodyWasThereIsTold) {
    EXPECT_THAT(look(), IsEmpty());
    keep("1", "orders", RunState::running);
    world.clock.advance(1h);
    EXPECT_THAT(look(), IsEmpty());  // its cursor has the run as open
    keep("1", "orders", RunState::failed, {task(0, TaskState::failed, "broke")}, false);
    keep("2", "orders", RunState::failed, {task(0, TaskState::failed, "broke")}, false);
    world.clock.advance(24h);
    restart();
    EXPECT_THAT(look(), ElementsAre("run_failed/orders/", "run_failed/orders/"));
    EXPECT_NE(told[0].occurrence, told[1].occurrence);
    EXPECT_LT(told[0].at, told[1].at) << "in the order in which they ended";
    restart();
    EXPECT_THAT(look(), IsEmpty()) << "the cursor is behind it";
}

TEST_F(FlowSignalsTest, WhatCouldNotBeKeptIsToldAgain) {
    EXPECT_THAT(look(), IsEmpty());
    keep("1", "orders", RunState::failed, {task(0, TaskState::failed, "broke")});
    settle_fails = true;
    look();
    EXPECT_FALSE(last_look_ok);
    settle_fails = false;
    EXPECT_THAT(look(), ElementsAre("run_failed/orders/"));
    EXPECT_TRUE(last_look_ok);
}

TEST_F(FlowSignalsTest, QuarantinedRowsOfARun) {
    EXPECT_THAT(look(), IsEmpty());
    TaskRow row = task(0, TaskState::succeeded);
    TryReport report;
    TaskStep step;
    step.name = "orders.items";
    step.rows_quarantined = 7;
    report.steps.push_back(step);
    row.outputs = report.to_json();
    keep("1", "orders", RunState::succeeded, {row});
    ASSERT_THAT(look(), ElementsAre("quarantined/orders/"));
    EXPECT_EQ(told[0].title, "7 rows of flow orders are in quarantine");
    EXPECT_EQ(told[0].text, "orders.items: 7 rows");
    EXPECT_EQ(told[0].path, "/quality/quarantine?pipeline=orders");
    keep("2", "orders", RunState::failed, {task(0, TaskState::failed, "x")});
    EXPECT_THAT(look(), ElementsAre("run_failed/orders/")) << "a run that failed does not end it";
    keep("3", "orders", RunState::succeeded, {task(0, TaskState::succeeded)});
    EXPECT_THAT(look(), UnorderedElementsAre("over quarantined/orders/", "over run_failed/orders/"));
}

TEST_F(FlowSignalsTest, BackfillsAreToldApart) {
    EXPECT_THAT(look(), IsEmpty());
    keep("1", "orders", RunState::failed, {task(0, TaskState::failed, "x")}, true, RunType::backfill);
    ASSERT_THAT(look(), ElementsAre("run_failed/orders@backfill/"));
    EXPECT_EQ(told[0].title, "A backfill of flow orders failed, in task load");
    keep("2", "orders", RunState::succeeded);
    EXPECT_THAT(look(), IsEmpty());
}

TEST_F(FlowSignalsTest, WaitsForApproval) {
    EXPECT_THAT(look(), IsEmpty());
    keep("1", "careful", RunState::running, {task(0, TaskState::paused)});
    ASSERT_THAT(look(), ElementsAre("waits_for_approval/1/ask/"));
    restart();
    look();
    keep("1", "careful", RunState::running, {task(0, TaskState::running)});
    EXPECT_THAT(look(), ElementsAre("over waits_for_approval/1/ask/"));
    keep("2", "careful", RunState::running, {task(0, TaskState::paused)});
    EXPECT_THAT(look(), ElementsAre("waits_for_approval/2/ask/"));
    keep("2", "careful", RunState::killed, {task(0, TaskState::killed)}, false);
    restart();
    EXPECT_THAT(look(), ElementsAre("over waits_for_approval/2/ask/"));
}

TEST_F(FlowSignalsTest, LateAndInTimeAgain) {
    EXPECT_THAT(look(), IsEmpty());
    late = "orders";
    ASSERT_THAT(look(), ElementsAre("run_late/orders/"));
    EXPECT_THAT(told[0].title, HasSubstr("has not succeeded since"));
    EXPECT_THAT(look(), IsEmpty());
    late = "";
    EXPECT_THAT(look(), ElementsAre("over run_late/orders/"));
}

TEST_F(FlowSignalsTest, AFlowThatIsGoneIsNotWrongAnyMore) {
    EXPECT_THAT(look(), IsEmpty());
    keep("1", "orders", RunState::failed, {task(0, TaskState::failed, "x")});
    look();
    std::erase_if(flows->flows, [](const FlowInfo& flow) { return flow.spec->name == "orders"; });
    EXPECT_THAT(look(), ElementsAre("over run_failed/orders/"));
}

TEST_F(FlowSignalsTest, OnlyWhoLeadsLooks) {
    EXPECT_THAT(look(), IsEmpty());
    leads = false;
    keep("1", "orders", RunState::failed, {task(0, TaskState::failed, "x")});
    EXPECT_THAT(look(), IsEmpty());
    leads = true;
    EXPECT_THAT(look(), ElementsAre("run_failed/orders/"));
}

TEST_F(FlowSignalsTest, MoreThanItRemembersIsLookedUp) {
    EXPECT_THAT(look(), IsEmpty());
    for (int i = 0; i < 50; ++i) {
        FlowChanges flood;
        flood.runs.resize(1'000);
        for (int n = 0; n < 1'000; ++n) {
            RunRow& run = flood.runs[static_cast<size_t>(n)];
            run.id = "x" + std::to_string(i * 1'000 + n);
            run.flow = "orders";
            run.state = RunState::skipped;
        }
        signals->hear(flood);
        if (i == 0) keep("1", "orders", RunState::failed, {task(0, TaskState::failed, "x")});
    }
    EXPECT_THAT(look(), ElementsAre("run_failed/orders/"));
}

TEST_F(FlowSignalsTest, DriftAndCredentialsFromWhatRunsSay) {
    EXPECT_THAT(look(), IsEmpty());
    logs.lines = {"new field, left out by the contract: color", "lost field: size has no value in this load",
                  "access token expires at 2026-02-01T00:00:00Z; renew it", "something else"};
    keep("1", "orders", RunState::warned, {task(0, TaskState::warned)});
    ASSERT_THAT(look(), ElementsAre("drifted/orders/", "credential_expires/orders/shop.orders"));
    EXPECT_EQ(told[0].text,
              "shop.orders: new field, left out by the contract: color\n"
              "shop.orders: lost field: size has no value in this load");
    EXPECT_EQ(told[1].advice, "renew it");
    logs.lines.clear();
    keep("2", "orders", RunState::succeeded, {task(0, TaskState::succeeded)});
    EXPECT_THAT(look(), UnorderedElementsAre("over drifted/orders/", "over credential_expires/orders/shop.orders"));
}

}  // namespace
}  // namespace shaduf::observe
