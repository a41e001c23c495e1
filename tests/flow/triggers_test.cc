#include "flow/triggers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "flow/desk_local.h"
#include "flow/task_board.h"
#include "tests/world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Begins nothing; notes what is asked for, and keeps it as the real one would.
class NotingDesk final : public FlowDesk {
public:
    explicit NotingDesk(RunStore& store) : store_(store) {}
    Result<Requested> request(const RunRequest& request, const std::string& key) override {
        if (fails) return Error(ErrorKind::unavailable, "not now");
        if (!key.empty() && by_key.contains(key)) return Requested{by_key[key], false};
        RunRow run;
        run.id = "r" + std::to_string(++count);
        run.flow = request.flow;
        run.type = request.type;
        run.state = RunState::running;
        run.inputs = request.inputs;
        run.created = request.due.value_or(Timestamp());
        FlowChanges changes;
        changes.runs = {run};
        TRY(store_.keep(changes));
        by_key[key] = run.id;
        asked.push_back(request.flow + " " + request.inputs);
        return Requested{run.id, true};
    }
    Result<void> cancel(const RunId&, const std::string&) override { return {}; }
    Result<void> approve(const RunId&, const std::string&, bool, const std::string&) override { return {}; }
    Result<void> mark(const RunId&, const std::string&, TaskState, const std::string&) override { return {}; }
    Result<void> run_again(const RunId&, const std::vector<std::string>&, const std::string&) override { return {}; }
    Result<size_t> backfill(const Backfill&) override { return size_t{0}; }
    Result<void> pause(const std::string&, bool, const std::string&) override { return {}; }
    Result<bool> is_paused(const std::string& flow) override { return paused == flow; }
    std::optional<Timestamp> next_due(const std::string&) override { return std::nullopt; }

    std::vector<std::string> asked;
    std::map<std::string, RunId> by_key;
    std::string paused;
    bool fails = false;
    int count = 0;

private:
    RunStore& store_;
};

FlowInfo flow(const std::string& name) {
    FlowInfo info;
    FlowSpec spec{name, "r1", TaskGraph::create({{.name = "a", .after = {}}}).release_value(), {}, {}, {}, {}};
    spec.tasks.resize(1);
    info.spec = std::make_shared<const FlowSpec>(std::move(spec));
    return info;
}

class TriggersTest : public testing::Test {
protected:
    TriggersTest() {
        project = std::make_shared<Project>();
        project->folder = folder.path().string();
    }
    std::unique_ptr<FlowTriggers> make() {
        auto made = std::make_unique<FlowTriggers>(FlowTriggers::Parts{
            world.run, connectors,
            [this]() -> Result<std::shared_ptr<const Project>> { return std::shared_ptr<const Project>(project); },
            *store, desk});
        auto set = std::make_shared<FlowSet>();
        set->flows = flows;
        EXPECT_TRUE(made->load(set).ok());
        return made;
    }
    // A task of a run has written to tables.
    FlowChanges wrote(const RunId& id, const std::vector<std::string>& tables) {
        world.clock.advance(std::chrono::minutes(1));
        RunRow run;
        run.id = id;
        run.flow = "load";
        run.state = RunState::succeeded;
        run.created = world.clock.now();
        run.ended = world.clock.now();
        TaskRow task;
        task.run = id;
        task.state = TaskState::succeeded;
        task.attempt = 1;
        task.ended = world.clock.now();
        TryReport report;
        report.tables = tables;
        task.outputs = report.to_json();
        FlowChanges changes;
        changes.runs = {run};
        changes.tasks = {task};
        EXPECT_TRUE(store->keep(changes).ok());
        return changes;
    }
    void wait_for_tables(std::chrono::milliseconds within = {}) {
        flows.push_back(flow("after"));
        flows.back().on_tables = {{{"raw.a", "raw.b"}, true, within}};
    }

    TempFolder folder;
    World world;
    Registry<ConnectorSpec> connectors{{}};
    std::shared_ptr<Project> project;
    std::unique_ptr<RunStore> store = open_sqlite_run_store(folder / "runs.db").release_value();
    NotingDesk desk{*store};
    std::vector<FlowInfo> flows;
};

TEST_F(TriggersTest, AllTablesAreWaitedFor) {
    wait_for_tables();
    const auto triggers = make();
    triggers->hear(wrote("l1", {"raw.a"}));
    triggers->work();
    triggers->hear(wrote("l2", {"raw.a", "raw.z"}));
    triggers->work();
    EXPECT_THAT(desk.asked, ElementsAre());
    triggers->hear(wrote("l3", {"raw.b"}));
    triggers->work();
    triggers->work();
    ASSERT_EQ(desk.asked.size(), 1u);
    EXPECT_THAT(desk.asked[0], HasSubstr(R"("raw.a":"l2/0#1","raw.b":"l3/0#1")"));
    triggers->hear(wrote("l4", {"raw.a"}));
    triggers->work();
    EXPECT_EQ(desk.asked.size(), 1u);
    triggers->hear(wrote("l5", {"raw.b"}));
    triggers->work();
    EXPECT_EQ(desk.asked.size(), 2u);
}

TEST_F(TriggersTest, UpdatesThatLieTooFarApartDoNotJoin) {
    wait_for_tables(std::chrono::minutes(90));
    const auto triggers = make();
    triggers->hear(wrote("l1", {"raw.a"}));
    triggers->work();
    world.clock.advance(std::chrono::hours(2));
    triggers->hear(wrote("l2", {"raw.b"}));
    triggers->work();
    EXPECT_THAT(desk.asked, ElementsAre());
    triggers->hear(wrote("l3", {"raw.a"}));
    triggers->work();
    EXPECT_EQ(desk.asked.size(), 1u);
}

TEST_F(TriggersTest, AFlowDoesNotBeginItself) {
    flows.push_back(flow("load"));
    flows.back().on_tables = {{{"raw.a"}, false, {}}};
    const auto triggers = make();
    triggers->hear(wrote("l1", {"raw.a"}));
    triggers->work();
    EXPECT_THAT(desk.asked, ElementsAre());
}

// Killed at any point between the end of a task and what follows from it, the process that comes next forgets nothing
// and asks for nothing twice.
TEST_F(TriggersTest, ARestartForgetsNothingAndDoublesNothing) {
    wait_for_tables();
    make()->work();
    wrote("l1", {"raw.a"});  // nobody heard of it
    {
        const auto triggers = make();
        triggers->work();
        triggers->hear(wrote("l2", {"raw.b"}));
        desk.fails = true;  // kept, but not asked for
        triggers->work();
    }
    desk.fails = false;
    for (int i = 0; i < 3; ++i) {
        make()->work();
        EXPECT_EQ(desk.asked.size(), 1u);
    }
    // Asked for, but killed before that was kept: the key is known again.
    const auto kept = store->values("tables/after/0");
    ASSERT_EQ(kept.value().size(), 1u);
    std::string text = kept.value().begin()->second;
    const std::string inputs = desk.asked[0].substr(6);
    std::string quoted;
    for (const char c : inputs) quoted += c == '"' ? std::string("\\\"") : std::string(1, c);
    text.replace(text.find(R"("pending":"")"), 12, R"("pending":")" + quoted + "\"");
    ASSERT_TRUE(store->keep_value("tables/after/0", text).ok());
    make()->work();
    EXPECT_EQ(desk.asked.size(), 1u);
}

TEST_F(TriggersTest, APausedFlowBeginsWhenItGoesOn) {
    wait_for_tables();
    desk.paused = "after";
    const auto triggers = make();
    triggers->hear(wrote("l1", {"raw.a", "raw.b"}));
    triggers->work();
    EXPECT_THAT(desk.asked, ElementsAre());
    desk.paused.clear();
    triggers->work();
    EXPECT_EQ(desk.asked.size(), 1u);
}

TEST_F(TriggersTest, AFileBeginsOneRunForEachOfItsVersions) {
    flows.push_back(flow("files"));
    flows.back().sensors = {{"file", R"({"file": "in/*.csv"})", std::chrono::minutes(1)}};
    std::filesystem::create_directories(folder / "in");
    auto triggers = make();
    const auto look = [&] {
        world.clock.advance(std::chrono::minutes(1));
        triggers->work();
        return desk.asked.size();
    };
    EXPECT_EQ(look(), 0u);
    std::ofstream(folder / "in/a.csv") << "1";
    EXPECT_EQ(look(), 1u);
    EXPECT_THAT(desk.asked[0], HasSubstr("in/a.csv"));
    EXPECT_EQ(look(), 1u);
    std::ofstream(folder / "in/a.csv") << "1,2,3";
    std::ofstream(folder / "in/b.txt") << "1";
    EXPECT_EQ(look(), 2u);
    triggers = make();
    EXPECT_EQ(look(), 2u);
    std::filesystem::remove(folder / "in/a.csv");
    EXPECT_EQ(look(), 2u);
    triggers->work();  // not yet time to look
    std::ofstream(folder / "in/c.csv") << "1";
    triggers->work();
    EXPECT_EQ(desk.asked.size(), 2u);
    EXPECT_EQ(look(), 3u);
}

TEST_F(TriggersTest, AnAddressBeginsARunWhenItsAnswerChanges) {
    flows.push_back(flow("api"));
    flows.back().sensors = {{"http", R"({"http": "http://x/v", "value": "/version"})", std::chrono::minutes(1)}};
    world.http.expect("GET http://x/v")
        .reply(200, {}, R"({"version": null})")
        .reply(200, {}, R"({"version": 1})")
        .reply(200, {}, R"({"version": 1})")
        .reply(500, {}, "")
        .reply(500, {}, "")
        .reply(200, {}, R"({"version": 2})");
    const auto triggers = make();
    std::vector<size_t> counts;
    for (int i = 0; i < 6; ++i) {
        world.clock.advance(std::chrono::minutes(1));
        triggers->work();
        counts.push_back(desk.asked.size());
    }
    EXPECT_THAT(counts, ElementsAre(0, 1, 1, 1, 1, 2));
    EXPECT_EQ(world.events.messages().size(), 1u);  // an error is said once
}

TEST_F(TriggersTest, AFlowThatNeverEndsIsKeptOpen) {
    flows.push_back(flow("stream"));
    flows.back().is_endless = true;
    auto triggers = make();
    triggers->work();
    triggers->work();
    ASSERT_EQ(desk.asked.size(), 1u);
    triggers = make();  // it is open still
    triggers->work();
    EXPECT_EQ(desk.asked.size(), 1u);
    const auto end = [&] {
        FlowChanges changes;
        changes.runs = {store->run("r" + std::to_string(desk.count)).value().value()};
        changes.runs[0].state = RunState::failed;
        changes.runs[0].began = changes.runs[0].ended = world.clock.now();
        EXPECT_TRUE(store->keep(changes).ok());
        triggers->hear(changes);
        triggers->work();
    };
    end();
    EXPECT_EQ(desk.asked.size(), 1u);
    world.clock.advance(std::chrono::seconds(5));
    triggers->work();
    EXPECT_EQ(desk.asked.size(), 2u);
    end();
    world.clock.advance(std::chrono::seconds(5));
    triggers->work();
    EXPECT_EQ(desk.asked.size(), 2u);  // each time it waits longer
    desk.paused = "stream";
    world.clock.advance(std::chrono::minutes(5));
    triggers->work();
    EXPECT_EQ(desk.asked.size(), 2u);
    desk.paused.clear();
    triggers->work();
    EXPECT_EQ(desk.asked.size(), 3u);
}

}  // namespace
}  // namespace shaduf
