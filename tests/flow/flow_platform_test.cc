#include "flow/flow_platform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <set>

#include "flow/shared/schema.h"
#include "tests/world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using How = TaskOutcome::How;

constexpr FieldSpec kFields[] = {
    {.name = "say", .help = "What it says."},
    {.name = "fails", .type = FieldType::integer, .help = "How often it fails.", .default_value = "0"},
    {.name = "values", .help = "JSON.", .default_value = "{}"},
    {.name = "secret", .help = "A secret.", .secret = true},
    {.name = "tables", .type = FieldType::text_list, .help = "What it writes to."},
};

std::atomic<int> throws{0};

// Tries whose bodies have begun. The store says "running" of a try that is offered, which nobody need have taken yet.
class Begun {
public:
    void forget() {
        const std::lock_guard lock(mutex_);
        count_ = 0;
    }
    void one_more() {
        const std::lock_guard lock(mutex_);
        ++count_;
        changed_.notify_all();
    }
    void wait_for(int count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return count_ >= count; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
};
Begun begun;

// Says something, and fails as often as it is told.
TaskOutcome run_word(const Options& options, TaskTry& task) {
    begun.one_more();
    TaskOutcome outcome;
    outcome.values = options.text("values");
    outcome.tables = options.text_list("tables");
    task.log.write(Severity::info, "word", options.text("say") + options.text("secret"));
    TaskStep step;
    step.name = "step";
    step.state = TaskState::succeeded;
    step.rows_written = 2;
    step.message = options.text("secret");
    task.board.set_step(task.id, step);
    if (throws > 0) throw std::runtime_error("thrown");
    if (task.id.attempt <= options.integer("fails")) {
        outcome.how = How::failed;
        outcome.error = Error(ErrorKind::unavailable, "failed with " + options.text("secret"));
    }
    return outcome;
}

// Runs until it is stopped.
TaskOutcome run_hold(const Options&, TaskTry& task) {
    begun.one_more();
    static_cast<void>(task.run.cancellation.wait_for(std::chrono::hours(1)));
    TaskOutcome outcome;
    outcome.how = How::stopped;
    return outcome;
}

TaskOutcome run_sub(const Options& options, TaskTry& task) {
    begun.one_more();
    TaskOutcome outcome;
    const auto ended = task.run_flow(options.text("say"), R"({"x": 1})");
    outcome.how = ended.ok() && ended.value() == RunState::succeeded ? How::succeeded : How::failed;
    if (!ended.ok()) outcome.error = ended.error();
    return outcome;
}

const TaskTypeSpec kWord{.name = "word", .summary = "Says.", .fields = kFields, .run = run_word};
const TaskTypeSpec kHold{.name = "hold", .summary = "Holds.", .fields = kFields, .run = run_hold};
const TaskTypeSpec kFlow{.name = "flow", .summary = "Another.", .fields = kFields, .run = run_sub};

// What holds for a process alone, and for one of several over PostgreSQL.
class FlowPlatformTest : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        if (GetParam() != "postgres") return;
        const char* dsn = std::getenv("SHADUF_TEST_POSTGRES");
        if (dsn == nullptr) GTEST_SKIP() << "no server: SHADUF_TEST_POSTGRES is not set";
        state = dsn;
        auto session = shared::connect(state, none).release_value();
        ASSERT_TRUE(session->execute("DROP SCHEMA shaduf CASCADE").ok());
    }
    FlowPlatformTest() {
        project = std::make_shared<Project>();
        project->folder = folder.path().string();
        project->tasks_parallel = 2;
        project->resolve = [](std::string_view text, const Place&) -> Result<std::string> {
            std::string out(text);
            if (const size_t at = out.find("${secret:key}"); at != std::string::npos) out.replace(at, 13, "hunter22");
            return out;
        };
        std::filesystem::create_directories(folder / "flows");
        throws = 0;
        begun.forget();
    }
    std::shared_ptr<const FlowSet> flows(const std::map<std::string, std::string>& files) {
        for (const auto& [name, text] : files) std::ofstream(folder / ("flows/" + name + ".yml")) << text;
        auto set = std::make_shared<FlowSet>();
        for (const Error& error : read_flows(*project, types, *set)) ADD_FAILURE() << error.to_string();
        return set;
    }
    std::unique_ptr<FlowPlatform> start(const std::shared_ptr<const FlowSet>& set) {
        auto made = FlowPlatform::start({.world = world,
                                         .connectors = connectors,
                                         .types = types,
                                         .folder = folder / ".shaduf",
                                         .worker = "w",
                                         .project = [this]() -> Result<std::shared_ptr<const Project>> {
                                             return std::shared_ptr<const Project>(project);
                                         },
                                         .watcher = {},
                                         .board_watcher = {},
                                         .state = state},
                                        set);
        EXPECT_TRUE(made.ok()) << made.error().to_string();
        return made.release_value();
    }
    RunId ask(FlowPlatform& platform, const std::string& flow, const std::string& inputs = "{}",
              const std::string& key = "") {
        return platform.desk().request({flow, RunType::manual, {}, {}, inputs, "test"}, key).value().run;
    }
    std::vector<std::string> states(FlowPlatform& platform, const RunId& run) {
        std::vector<std::string> found;
        const auto row = platform.store().run(run).value().value();
        const auto flow = platform.definition(row.flow, row.revision).value();
        for (const TaskRow& task : platform.store().tasks(run).release_value()) {
            found.push_back(flow->graph[task.task].name + " " + std::string(to_string(task.state)) + " " +
                            std::to_string(task.attempt));
        }
        return found;
    }
    TempFolder folder;
    SystemClock clock;
    World fakes;
    Cancellation none;
    RunContext world{clock, none, fakes.http, fakes.run.databases, fakes.events, fakes.shared, *fakes.rates};
    Registry<ConnectorSpec> connectors{{}};
    Registry<TaskTypeSpec> types{{&kWord, &kHold, &kFlow}};
    std::shared_ptr<Project> project;
    std::string state;
};

INSTANTIATE_TEST_SUITE_P(Stores, FlowPlatformTest, testing::Values("sqlite", "postgres"),
                         [](const auto& store) { return store.param; });

TEST_P(FlowPlatformTest, RunsTasksWithTheOutputsOfThoseBefore) {
    const auto set = flows({{"f", R"(
tasks:
  a:
    word: {say: "{{ inputs.who }} ", secret: "${secret:key}", values: '{"n": 5, "k": "${secret:key}"}', fails: 1}
    retries: 1
    retry_delay: 1ms
  b: {word: {say: "{{ outputs.a.n + 1 }}"}, depends_on: a}
  c: {word: x, depends_on: a, if: "outputs.a.n > 7"}
)"}});
    const auto platform = start(set);
    const RunId run = ask(*platform, "f", R"({"who": "ana"})");
    EXPECT_EQ(platform->wait_for(run, none).value(), RunState::succeeded);
    EXPECT_THAT(states(*platform, run), ElementsAre("a succeeded 2", "b succeeded 1", "c skipped 1"));
    const auto log = platform->logs().read({run, "a", 1}, {}).value().value();
    EXPECT_EQ(log.lines.at(0).text, "ana ********");
    EXPECT_EQ(log.lines.at(1).text, "failed with ********");
    EXPECT_EQ(platform->logs().read({run, "b", 1}, {}).value().value().lines.at(0).text, "6");
    // Nothing of what is kept has the secret.
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path() / ".shaduf")) {
        if (!entry.is_regular_file()) continue;
        std::ifstream in(entry.path(), std::ios::binary);
        const std::string all{std::istreambuf_iterator<char>(in), {}};
        EXPECT_EQ(all.find("hunter22"), std::string::npos) << entry.path();
    }
    const auto report = TryReport::from_json(platform->store().tasks(run).value().at(0).outputs);
    EXPECT_EQ(report->values, R"({"n":5,"k":"********"})");
    EXPECT_EQ(report->steps.at(0).rows_written, 2);
}

TEST_P(FlowPlatformTest, ForEachRunsOnceForEachItem) {
    const auto platform = start(flows({{"f", R"(
tasks:
  a: {word: {values: '{"l": ["x", "y", "z"]}'}}
  b:
    for_each: {items: "{{ outputs.a.l }}", parallel: 2}
    word: {say: "{{ item }}{{ index }}", values: '{"i": {{ index }}}'}
    depends_on: a
  c: {word: "{{ outputs.b.results | length }}", depends_on: b}
)"}}));
    const RunId run = ask(*platform, "f");
    EXPECT_EQ(platform->wait_for(run, none).value(), RunState::succeeded);
    const auto report = TryReport::from_json(platform->store().tasks(run).value().at(1).outputs);
    EXPECT_EQ(report->values, R"({"results":[{"i":0},{"i":1},{"i":2}]})");
    EXPECT_EQ(report->steps.size(), 6u);
    EXPECT_EQ(platform->logs().read({run, "c", 1}, {}).value().value().lines.at(0).text, "3");
}

TEST_P(FlowPlatformTest, WhatALibraryThrowsFailsTheTask) {
    throws = 1;
    const auto platform = start(flows({{"f", "tasks:\n  a: {word: x}"}}));
    const RunId run = ask(*platform, "f");
    EXPECT_EQ(platform->wait_for(run, none).value(), RunState::failed);
    EXPECT_THAT(platform->store().tasks(run).value().at(0).why, HasSubstr("a library has thrown: thrown"));
}

TEST_P(FlowPlatformTest, AFlowWaitsForAnotherAndIsCanceledWithIt) {
    const auto platform = start(flows({{"outer", "tasks:\n  a: {flow: inner}\n  b: {flow: inner}"},
                                       {"inner", "max_runs: 9\ntasks:\n  a: {hold: x}"}}));
    const RunId run = ask(*platform, "outer");
    begun.wait_for(4);
    ASSERT_TRUE(platform->desk().cancel(run, "test").ok());
    EXPECT_EQ(platform->wait_for(run, none).value(), RunState::killed);
    for (const RunRow& row : platform->store().runs({.flow = "inner"}).release_value()) {
        EXPECT_EQ(platform->wait_for(row.id, none).value(), RunState::killed);
    }
}

TEST_P(FlowPlatformTest, ATryAsksForAnotherRunWhereTheOneBeforeHasFailedAndWhenItIsRunAgain) {
    const auto set = flows({{"inner", "tasks: {w: {word: {say: hi, fails: 1}}}"},
                            {"outer", "tasks: {f: {flow: {say: inner}, retries: 2, retry_delay: 1ms}}"}});
    const auto platform = start(set);
    const auto inner_runs = [&] {
        RunFilter of_inner;
        of_inner.flow = "inner";
        return platform->store().runs(of_inner).value().size();
    };
    const RunId run = ask(*platform, "outer");
    EXPECT_EQ(platform->wait_for(run, none).value(), RunState::failed);
    EXPECT_THAT(states(*platform, run), ElementsAre("f failed 3"));
    EXPECT_EQ(inner_runs(), 3u);
    ASSERT_TRUE(platform->desk().run_again(run, {}, "test").ok());
    EXPECT_EQ(platform->wait_for(run, none).value(), RunState::failed);
    EXPECT_EQ(inner_runs(), 6u);
}

TEST_P(FlowPlatformTest, ATryThatWasLostWaitsForTheRunThatItAskedFor) {
    const auto set = flows({{"inner", "tasks: {h: {hold: x}}"}, {"outer", "tasks: {f: {flow: {say: inner}}}"}});
    RunFilter of_inner;
    of_inner.flow = "inner";
    RunId run;
    {
        const auto platform = start(set);
        run = ask(*platform, "outer");
        begun.wait_for(2);
        platform->drain(std::chrono::milliseconds(0));
    }
    const auto platform = start(set);
    begun.wait_for(4);  // both are tried again
    const auto inner = platform->store().runs(of_inner).value();
    ASSERT_EQ(inner.size(), 1u);
    ASSERT_TRUE(platform->desk().mark(inner[0].id, "h", TaskState::succeeded, "test").ok());
    EXPECT_EQ(platform->wait_for(run, none).value(), RunState::succeeded);
    EXPECT_EQ(platform->store().runs(of_inner).value().size(), 1u);
}

TEST_P(FlowPlatformTest, ADrainedTryIsTriedAgainByTheNextProcess) {
    const auto set =
        flows({{"f", "tasks:\n  a: {hold: x, retries: 5, retry_delay: 1ms}\n  b: {word: x, depends_on: a}"}});
    RunId run;
    {
        const auto platform = start(set);
        run = ask(*platform, "f");
        begun.wait_for(1);
        platform->drain(std::chrono::milliseconds(0));
        EXPECT_THAT(states(*platform, run), ElementsAre("a running 1"));
    }
    const auto platform = start(set);
    begun.wait_for(2);
    ASSERT_TRUE(platform->desk().mark(run, "a", TaskState::succeeded, "test").ok());
    EXPECT_EQ(platform->wait_for(run, none).value(), RunState::succeeded);
    EXPECT_THAT(states(*platform, run), ElementsAre("a succeeded 2", "b succeeded 1"));
}

TEST_P(FlowPlatformTest, AKeyAsksForOneRun) {
    const auto set = flows({{"f", "max_runs: 9\ntasks:\n  a: {word: x}"}});
    RunId first;
    {
        const auto platform = start(set);
        first = ask(*platform, "f", "{}", "k1");
        EXPECT_EQ(ask(*platform, "f", "{}", "k1"), first);
        EXPECT_NE(ask(*platform, "f", "{}", "k2"), first);
    }
    const auto platform = start(set);
    EXPECT_EQ(ask(*platform, "f", "{}", "k1"), first);
    EXPECT_EQ(platform->desk().request({"f", RunType::manual, {}, {}, "[1]", "test"}, "").error().kind(),
              ErrorKind::invalid_config);
}

TEST_P(FlowPlatformTest, ManyAskAtOnce) {
    const auto set = flows({{"f", "max_runs: 99\ntasks:\n  a: {word: x}"}});
    const auto platform = start(set);
    std::mutex mutex;
    std::set<RunId> of_key, others;
    std::vector<std::thread> clients;
    for (int i = 0; i < 16; ++i) {
        clients.emplace_back([&, i] {
            const RunId own = ask(*platform, "f", "{}", "k"), other = ask(*platform, "f", R"({"i": 1})");
            EXPECT_EQ(platform->wait_for(own, none).value(), RunState::succeeded) << i;
            EXPECT_EQ(platform->wait_for(other, none).value(), RunState::succeeded) << i;
            const std::lock_guard lock(mutex);
            of_key.insert(own);
            others.insert(other);
        });
    }
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(of_key.size(), 1u);
    EXPECT_EQ(others.size(), 16u);
    EXPECT_EQ(platform->store().runs({.flow = "f"}).value().size(), 17u);
    EXPECT_FALSE(platform->desk().request({"g", RunType::manual, {}, {}, "{}", "test"}, "k").ok());
    EXPECT_FALSE(platform->desk().request({"g", RunType::manual, {}, {}, "{}", "test"}, "").ok());
}

TEST_P(FlowPlatformTest, WhatFailedIsRunAgain) {
    const auto platform = start(flows({{"f", R"(
tasks:
  a: {word: x}
  b: {word: {fails: 1}, depends_on: a}
  c: {word: x, depends_on: b}
)"}}));
    const RunId run = ask(*platform, "f");
    EXPECT_EQ(platform->wait_for(run, none).value(), RunState::failed);
    ASSERT_TRUE(platform->desk().run_again(run, {}, "test").ok());
    EXPECT_EQ(platform->wait_for(run, none).value(), RunState::succeeded);
    EXPECT_THAT(states(*platform, run), ElementsAre("a succeeded 1", "b succeeded 2", "c succeeded 1"));
    EXPECT_EQ(platform->desk().run_again(run, {}, "test").error().kind(), ErrorKind::conflict);
    EXPECT_THAT(platform->desk().run_again(run, {"nope"}, "test").error().message(), HasSubstr("task not found: nope"));
    EXPECT_THAT(platform->desk().run_again("nope", {}, "test").error().message(), HasSubstr("run not found"));
}

TEST_P(FlowPlatformTest, BackfillRunsEachMomentOnce) {
    const auto set = flows(
        {{"f",
          "schedule: \"0 0 * * *\"\ntasks:\n  a: {word: {fails: \"{{ 1 if due[:10] == '2020-01-02' else 0 }}\"}}"}});
    const auto platform = start(set);
    FlowDesk::Backfill backfill{.flow = "f",
                                .from = Timestamp(std::chrono::days(18'262)),  // 2020-01-01
                                .to = Timestamp(std::chrono::days(18'266)),
                                .inputs = "{}",
                                .actor = "test"};
    EXPECT_EQ(platform->desk().backfill(backfill).value(), 4u);
    const auto all_end = [&] {
        std::vector<std::string> found;
        for (const RunRow& row : platform->store().runs({.flow = "f"}).release_value()) {
            found.emplace_back(to_string(platform->wait_for(row.id, none).value()));
        }
        return found;
    };
    EXPECT_THAT(all_end(), testing::UnorderedElementsAre("succeeded", "succeeded", "failed", "succeeded"));
    EXPECT_EQ(platform->desk().backfill(backfill).value(), 0u);
    backfill.again = FlowDesk::Backfill::Again::failed;
    EXPECT_EQ(platform->desk().backfill(backfill).value(), 1u);
    EXPECT_THAT(all_end(), ElementsAre("succeeded", "succeeded", "succeeded", "succeeded"));
    backfill.again = FlowDesk::Backfill::Again::all;
    EXPECT_EQ(platform->desk().backfill(backfill).value(), 4u);
    EXPECT_THAT(all_end(), ElementsAre("succeeded", "succeeded", "succeeded", "succeeded"));
    backfill.from = Timestamp();
    EXPECT_EQ(platform->desk().backfill(backfill).error().kind(), ErrorKind::invalid_config);
}

TEST_P(FlowPlatformTest, PauseIsKept) {
    const auto set = flows({{"f", "schedule: \"0 0 * * *\"\ntasks:\n  a: {word: x}"}});
    {
        const auto platform = start(set);
        EXPECT_TRUE(platform->desk().next_due("f").has_value());
        ASSERT_TRUE(platform->desk().pause("f", true, "ana").ok());
        EXPECT_FALSE(platform->desk().next_due("f").has_value());
    }
    const auto platform = start(set);
    EXPECT_TRUE(platform->desk().is_paused("f").value());
    ASSERT_TRUE(platform->desk().pause("f", false, "ana").ok());
    EXPECT_TRUE(platform->desk().next_due("f").has_value());
}

TEST_P(FlowPlatformTest, TablesThatWereWrittenBeginAFlow) {
    const auto platform = start(flows({{"load", "tasks:\n  a: {word: {tables: [raw.a, raw.b]}}"},
                                       {"after", R"(
on: {tables: [raw.b]}
tasks:
  z: {word: "{{ inputs.trigger.tables['raw.b'] }}"}
)"},
                                       {"other", "on: {tables: [raw.c]}\ntasks:\n  z: {word: x}"}}));
    const RunId run = ask(*platform, "load");
    begun.wait_for(2);
    const auto of_after = platform->store().runs({.flow = "after"}).release_value();
    ASSERT_EQ(of_after.size(), 1u);
    EXPECT_EQ(of_after[0].type, RunType::event);
    EXPECT_EQ(platform->wait_for(of_after[0].id, none).value(), RunState::succeeded);
    EXPECT_EQ(platform->logs().read({of_after[0].id, "z", 1}, {}).value().value().lines.at(0).text, run + "/0#1");
    EXPECT_TRUE(platform->store().runs({.flow = "other"}).release_value().empty());
}

TEST_P(FlowPlatformTest, ASecondProcessIsRefusedUnlessTheStoreIsShared) {
    const auto set = flows({{"f", "tasks:\n  a: {word: x}"}});
    const auto platform = start(set);
    const auto second = FlowPlatform::start({.world = world,
                                             .connectors = connectors,
                                             .types = types,
                                             .folder = folder / ".shaduf",
                                             .worker = "w2",
                                             .project = {},
                                             .watcher = {},
                                             .board_watcher = {},
                                             .state = state},
                                            set);
    EXPECT_EQ(second.ok(), !state.empty());
    if (!second.ok()) {
        EXPECT_EQ(second.error().kind(), ErrorKind::conflict);
    }
}

TEST_P(FlowPlatformTest, ARunKeepsItsDefinition) {
    const auto platform = start(flows({{"f", "tasks:\n  a: {hold: x}\n  b: {word: old, depends_on: a}"}}));
    const RunId run = ask(*platform, "f");
    begun.wait_for(1);
    ASSERT_TRUE(platform->reload(flows({{"f", "tasks:\n  z: {word: new}"}})).ok());
    const RunId next = ask(*platform, "f");
    ASSERT_TRUE(platform->desk().mark(run, "a", TaskState::succeeded, "test").ok());
    EXPECT_EQ(platform->wait_for(run, none).value(), RunState::succeeded);
    EXPECT_EQ(platform->wait_for(next, none).value(), RunState::succeeded);
    EXPECT_THAT(states(*platform, run), ElementsAre("a succeeded 1", "b succeeded 1"));
    EXPECT_THAT(states(*platform, next), ElementsAre("z succeeded 1"));
}

}  // namespace
}  // namespace shaduf
