#include "flow/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>

#include "tests/world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using How = TaskEnd::How;

FlowPtr flow(const std::string& name, const std::string& revision = "r1") {
    std::vector<TaskNode> nodes{{.name = "a"}, {.name = "b", .after = {"a"}}};
    FlowSpec spec{name, revision, TaskGraph::create(nodes).release_value(), {}, {}, {}, {}};
    spec.tasks.resize(2);
    for (TaskSpec& task : spec.tasks) task.uses = {{"default", 1}};
    spec.runs_max = 1000;
    return std::make_shared<const FlowSpec>(std::move(spec));
}

// Ends what it is given at once, in another thread's place, unless it is told to hold it.
class Runner final : public TaskRunner {
public:
    void start(const TaskStart& start) override {
        const std::lock_guard lock(mutex);
        started.push_back(start.run + "/" + std::to_string(start.task) + "#" + std::to_string(start.attempt));
        if (!holds) scheduler->ended({start.run, start.task, start.attempt, How::succeeded, {}, {}, {}});
    }
    void stop(const TaskStop& stop) override {
        scheduler->ended({stop.run, stop.task, stop.attempt, How::stopped, {}, {}, {}});
    }
    std::mutex mutex;
    std::vector<std::string> started;
    Scheduler* scheduler = nullptr;
    bool holds = false;
};

// A store that fails as it is told.
class Failing final : public RunStore {
public:
    explicit Failing(RunStore& store) : store_(store) {}
    Result<void> keep(const FlowChanges& changes) override {
        const std::lock_guard lock(mutex);
        ++tries;
        if (!errors.empty()) {
            Error error = errors.front();
            errors.pop_front();
            return error;
        }
        return store_.keep(changes);
    }
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
        return store_.keep_value(key, value);
    }
    Result<std::map<std::string, std::string>> values(const std::string& prefix) override {
        return store_.values(prefix);
    }
    Result<int64_t> forget_before(Timestamp time, int64_t count) override { return store_.forget_before(time, count); }

    std::mutex mutex;
    std::deque<Error> errors;
    int tries = 0;

private:
    RunStore& store_;
};

class SchedulerTest : public testing::Test {
protected:
    void begin(const std::vector<FlowPtr>& flows, const std::set<std::string>& workers = {}) {
        scheduler.reset();
        Scheduler::Parts parts{failing,
                               clock,
                               runner,
                               nullptr,
                               {[this](Timestamp) { return "run" + std::to_string(++made); }, [] { return 0.5; }}};
        parts.watcher = [this](const FlowChanges& changes) { changes_seen += changes.history.size(); };
        scheduler = std::make_unique<Scheduler>(std::move(parts));
        runner.scheduler = scheduler.get();
        const auto started =
            scheduler->start(flows, {{"default", 8}}, workers, [this](auto&, auto& revision, auto& text) {
                EXPECT_EQ(text, "the text");
                return flow("f", revision);
            });
        ASSERT_TRUE(started.ok()) << started.error().to_string();
    }
    RunState state_of(const RunId& run) { return store->run(run).value()->state; }

    TempFolder folder;
    std::unique_ptr<RunStore> store = open_sqlite_run_store(folder / "serve.db").release_value();
    Failing failing{*store};
    SystemClock clock;
    Runner runner;
    int made = 0;
    std::atomic<size_t> changes_seen{0};
    std::unique_ptr<Scheduler> scheduler;
};

TEST_F(SchedulerTest, RunsWhatIsAskedForToItsEnd) {
    begin({flow("f")});
    auto run = scheduler->request({.flow = "f"}).get();
    ASSERT_TRUE(run.ok());
    scheduler->settle();
    EXPECT_EQ(state_of(run.value()), RunState::succeeded);
    EXPECT_THAT(runner.started, ElementsAre("run1/0#1", "run1/1#1"));
    EXPECT_GE(changes_seen, 6U);
    EXPECT_THAT(scheduler->request({.flow = "g"}).get().error().to_string(), HasSubstr("flow not found: g"));
}

TEST_F(SchedulerTest, ManyAtOnceAreKeptTogether) {
    begin({flow("f")});
    std::vector<std::future<Result<RunId>>> asked;
    for (int i = 0; i < 300; ++i) asked.push_back(scheduler->request({.flow = "f"}));
    for (auto& one : asked) ASSERT_TRUE(one.get().ok());
    scheduler->settle();
    EXPECT_EQ(store->runs({.states = {RunState::succeeded}, .limit = 1000}).value().size(), 300U);
    EXPECT_EQ(runner.started.size(), 600U);
    EXPECT_LT(failing.tries, 600);
}

TEST_F(SchedulerTest, GoesOnFromWhatWasKept) {
    runner.holds = true;
    begin({flow("f")});
    const RunId run = scheduler->request({.flow = "f"}).get().release_value();
    scheduler->settle();
    scheduler->began(run, 0, 1, "w1");
    scheduler->settle();
    ASSERT_TRUE(store->keep_definitions({{"f", "r1", "the text"}}).ok());
    // Another process, with another definition by now; the worker is still there.
    begin({flow("f", "r2")}, {"w1"});
    runner.holds = false;
    scheduler->ended({run, 0, 1, How::succeeded, {}, {}, {}});
    scheduler->settle();
    EXPECT_EQ(state_of(run), RunState::succeeded);
    EXPECT_THAT(runner.started, ElementsAre("run1/0#1", "run1/1#1"));
}

TEST_F(SchedulerTest, NothingBeginsThatIsNotKept) {
    begin({flow("f")});
    scheduler->settle();
    {
        const std::lock_guard lock(failing.mutex);
        failing.errors.assign(2, Error(ErrorKind::unavailable, "the disk is away"));
        failing.tries = 0;
    }
    const auto run = scheduler->request({.flow = "f"}).get();
    ASSERT_TRUE(run.ok());
    scheduler->settle();
    EXPECT_GE(failing.tries, 3);
    EXPECT_EQ(state_of(run.value()), RunState::succeeded);
}

TEST_F(SchedulerTest, EndsWhenAnotherProcessLeads) {
    begin({flow("f")});
    scheduler->settle();
    {
        const std::lock_guard lock(failing.mutex);
        failing.errors.assign(1, Error(ErrorKind::conflict, "another one leads"));
    }
    EXPECT_EQ(scheduler->request({.flow = "f"}).get().error().to_string(), "another one leads");
    scheduler->settle();
    EXPECT_EQ(scheduler->failure()->to_string(), "another one leads");
    EXPECT_EQ(scheduler->request({.flow = "f"}).get().error().kind(), ErrorKind::conflict);
    EXPECT_THAT(runner.started, ElementsAre());
}

TEST_F(SchedulerTest, CancelsARun) {
    runner.holds = true;
    begin({flow("f")});
    const RunId run = scheduler->request({.flow = "f"}).get().release_value();
    scheduler->settle();
    auto canceled = scheduler->call([&](Engine& engine, Timestamp now) { return engine.cancel(run, "ann", now); });
    EXPECT_TRUE(canceled.get().ok());
    scheduler->settle();
    EXPECT_EQ(state_of(run), RunState::killed);
}

}  // namespace
}  // namespace shaduf
