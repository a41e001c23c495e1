#include "flow/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/time.h"

namespace shaduf {
namespace {

using namespace std::string_literals;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using How = TaskEnd::How;

Timestamp at(const std::string& text) {
    return Timestamp(std::chrono::microseconds(parse_timestamp(text)->microseconds));
}
const Timestamp kNoon = at("2026-11-22T12:00:00Z");

struct Definition {
    FlowSpec spec;
    Definition(std::string name, std::vector<TaskNode> nodes)
        : spec{std::move(name), "r1", TaskGraph::create(nodes).release_value(), {}, {}, {}, {}} {
        for (size_t i = 0; i < nodes.size(); ++i) {
            TaskSpec task;
            task.uses = {{"default", 1}};
            spec.tasks.push_back(task);
        }
    }
    FlowPtr make() const { return std::make_shared<const FlowSpec>(spec); }
};
TaskNode task(std::string name, std::vector<std::string> after = {}) {
    return {.name = std::move(name), .after = std::move(after)};
}
Schedule hourly() { return {Cron::parse("@hourly").release_value(), Zone::utc()}; }

// An engine with what it has had kept, and the tries that are running.
class World {
public:
    explicit World(uint32_t places = 100) : places_(places) { begin(); }

    void add(const FlowPtr& flow) {
        flows[flow->name] = flow;
        specs[{flow->name, flow->revision}] = flow;
        keep(engine->set_flow(flow, now));
    }
    void tick_to(Timestamp time) {
        while (const auto wakes = engine->wakes_at()) {
            if (*wakes > time) break;
            now = std::max(now, *wakes);
            keep(engine->tick(now));
        }
        now = time;
        keep(engine->tick(now));
    }
    RunId request(const std::string& flow) {
        auto requested = engine->request({.flow = flow, .actor = "ann"}, now);
        EXPECT_TRUE(requested.ok());
        keep(std::move(requested.value().step));
        return requested.value().run;
    }
    void end(const RunId& run, TaskIndex task, How how, const std::string& why = "") {
        const int attempt = tasks.at({run, task}).attempt;
        running.erase({run, task});
        keep(engine->ended({run, task, attempt, how, {}, why, {}}, now));
    }
    // The process ends; of its workers those stay whose name is here.
    void crash(const std::set<std::string>& workers = {}) {
        begin();
        for (const auto& [name, flow] : flows) keep_nothing(engine->set_flow(flow, now));
        FlowRemains remains;
        for (const auto& [id, row] : runs) {
            if (is_end(row.state)) continue;
            remains.runs.push_back(row);
            for (const auto& [key, task] : tasks) {
                if (key.first == id && task.state != TaskState::waiting) remains.tasks.push_back(task);
            }
        }
        remains.seen = seen;
        remains.specs = specs;
        remains.workers = workers;
        std::erase_if(running, [&](const auto& entry) { return !workers.contains(tasks.at(entry.first).worker); });
        keep(engine->resume(std::move(remains), now));
    }

    void keep(FlowStep step) {
        for (RunRow& row : step.changes.runs) {
            const auto before = runs.find(row.id);
            if (before == runs.end() && row.type == RunType::scheduled) {
                EXPECT_TRUE(scheduled.insert({row.flow, row.due}).second) << row.flow << " twice";
            }
            runs[row.id] = row;
        }
        for (TaskRow& row : step.changes.tasks) {
            // A try that was told to stop for too long counts as ended, whatever it does.
            const auto before = tasks.find({row.run, row.task});
            if (before != tasks.end() && before->second.state == TaskState::running &&
                (row.state != TaskState::running || row.attempt != before->second.attempt)) {
                running.erase({row.run, row.task});
            }
            tasks[{row.run, row.task}] = row;
        }
        for (const auto& [flow, time] : step.changes.seen) seen[flow] = time;
        for (const Transition& line : step.changes.history) history.push_back(line);
        for (const TaskStart& start : step.starts) {
            EXPECT_TRUE(running.insert({{start.run, start.task}, start.attempt}).second) << "begun twice";
            EXPECT_EQ(tasks.at({start.run, start.task}).state, TaskState::running) << "not kept before it began";
        }
        for (TaskStop& stop : step.stops) stops.push_back(std::move(stop));
    }

    std::string states(const RunId& run) const {
        const FlowPtr flow = specs.at({runs.at(run).flow, runs.at(run).revision});
        std::string text(to_string(runs.at(run).state));
        for (TaskIndex i = 0; i < flow->graph.size(); ++i) {
            const auto row = tasks.find({run, i});
            text += " " + std::string(to_string(row == tasks.end() ? TaskState::waiting : row->second.state));
        }
        return text;
    }
    std::vector<RunId> runs_in(RunState state) const {
        std::vector<RunId> found;
        for (const auto& [id, row] : runs) {
            if (row.state == state) found.push_back(id);
        }
        return found;
    }

    Timestamp now = kNoon;
    std::unique_ptr<Engine> engine;
    std::map<std::string, FlowPtr> flows;
    std::map<std::pair<std::string, std::string>, FlowPtr> specs;
    // What is kept.
    std::map<RunId, RunRow> runs;
    std::map<std::pair<RunId, TaskIndex>, TaskRow> tasks;
    std::map<std::string, Timestamp> seen;
    std::set<std::pair<std::string, Timestamp>> scheduled;
    std::vector<Transition> history;
    // What runs: the try of each task.
    std::map<std::pair<RunId, TaskIndex>, int> running;
    std::vector<TaskStop> stops;

private:
    void begin() {
        engine =
            std::make_unique<Engine>(Engine::Settings{[this](Timestamp) {
                                                          const std::string number = std::to_string(++made_);
                                                          return "run" + std::string(6 - number.size(), '0') + number;
                                                      },
                                                      [] { return 0.5; }, seconds(30)});
        keep(engine->set_pool("default", places_, now));
    }
    static void keep_nothing(const FlowStep&) {}

    uint32_t places_;
    int made_ = 0;
};

TEST(EngineTest, ARunGoesThroughItsGraph) {
    World world;
    world.add(Definition("f", {task("a"), task("b", {"a"}), task("c", {"a"})}).make());
    const RunId run = world.request("f");
    EXPECT_EQ(world.states(run), "running running waiting waiting");
    world.end(run, 0, How::succeeded);
    EXPECT_EQ(world.states(run), "running succeeded running running");
    world.end(run, 2, How::warned);
    world.end(run, 1, How::succeeded);
    EXPECT_EQ(world.states(run), "warned succeeded succeeded warned");
    EXPECT_EQ(world.engine->runs_open(), 0U);
    EXPECT_EQ(world.runs.at(run).actor, "ann");
    EXPECT_EQ(world.runs.at(run).ended, kNoon);
}

TEST(EngineTest, WhatIsDueRunsOnceWithItsInterval) {
    World world;
    Definition definition("f", {task("a")});
    definition.spec.schedules.push_back(hourly());
    world.add(definition.make());
    EXPECT_EQ(world.engine->wakes_at(), kNoon + hours(1));
    world.tick_to(kNoon + hours(1));
    ASSERT_EQ(world.runs.size(), 1U);
    const RunRow& row = world.runs.begin()->second;
    EXPECT_EQ(row.type, RunType::scheduled);
    EXPECT_EQ(row.due, kNoon + hours(1));
    EXPECT_EQ(row.about, (Interval{kNoon, kNoon + hours(1)}));
    world.tick_to(kNoon + hours(1) + minutes(59));
    EXPECT_EQ(world.runs.size(), 1U);
    EXPECT_EQ(world.seen.at("f"), kNoon + hours(1));
}

TEST(EngineTest, MissedRunsComeByPolicyWhenTheProcessIsBack) {
    World world;
    Definition definition("f", {task("a")});
    definition.spec.schedules.push_back(hourly());
    definition.spec.runs_max = 100;
    for (const auto& [policy, count] : {std::pair(MissedRuns::all, 5), {MissedRuns::last, 1}, {MissedRuns::none, 0}}) {
        World one;
        definition.spec.missed = policy;
        one.add(definition.make());
        one.now = kNoon + hours(5) + minutes(30);
        one.crash();
        one.tick_to(one.now);
        EXPECT_EQ(one.runs.size(), static_cast<size_t>(count));
        one.crash();
        one.tick_to(one.now + minutes(1));
        EXPECT_EQ(one.runs.size(), static_cast<size_t>(count));
    }
}

TEST(EngineTest, CatchesUpFromItsStartWhenItIsNew) {
    World world;
    Definition definition("f", {task("a")});
    definition.spec.schedules.push_back(hourly());
    definition.spec.starts = kNoon - hours(3);
    definition.spec.ends = kNoon + hours(2);
    definition.spec.catches_up = true;
    definition.spec.runs_max = 100;
    world.add(definition.make());
    world.tick_to(kNoon);
    EXPECT_EQ(world.runs.size(), 4U);  // at 9, 10, 11 and 12
    world.tick_to(kNoon + hours(5));
    EXPECT_EQ(world.runs.size(), 5U);  // and 13; 14 is its end
}

TEST(EngineTest, RunsThatMeetGoByTheFlowsWord) {
    const auto two_runs = [](Overlap overlap) {
        World world;
        Definition definition("f", {task("a"), task("b", {"a"})});
        definition.spec.overlap = overlap;
        world.add(definition.make());
        const RunId first = world.request("f");
        const RunId second = world.request("f");
        return std::pair(world.states(first), world.states(second));
    };
    EXPECT_EQ(two_runs(Overlap::queue), std::pair("running running waiting"s, "queued waiting waiting"s));
    EXPECT_EQ(two_runs(Overlap::skip), std::pair("running running waiting"s, "skipped waiting waiting"s));
    EXPECT_EQ(two_runs(Overlap::fail), std::pair("running running waiting"s, "failed waiting waiting"s));
    EXPECT_EQ(two_runs(Overlap::cancel_running), std::pair("running running killed"s, "queued waiting waiting"s));
}

TEST(EngineTest, WhoeverWaitsForARunGoesOnWhenItEnds) {
    World world;
    world.add(Definition("f", {task("a")}).make());
    const RunId first = world.request("f");
    const RunId second = world.request("f");
    const RunId third = world.request("f");
    world.end(first, 0, How::failed_for_good);
    EXPECT_EQ(world.states(first), "failed failed");
    EXPECT_EQ(world.states(second), "running running");
    EXPECT_EQ(world.states(third), "queued waiting");
    ASSERT_TRUE(world.engine->cancel(third, "ann", world.now).ok());
    world.end(second, 0, How::succeeded);
    EXPECT_EQ(world.engine->runs_open(), 0U);
}

TEST(EngineTest, RetriesWaitLongerEachTimeAndHeedTheOtherSide) {
    World world;
    Definition definition("f", {task("a")});
    definition.spec.tasks[0].retry = {.tries_more = 3, .first = seconds(10), .longest = seconds(15)};
    world.add(definition.make());
    const RunId run = world.request("f");
    const auto waits = [&] {
        const auto wait = *world.tasks.at({run, 0}).comes_again - world.now;
        return std::chrono::duration_cast<seconds>(wait).count();
    };
    world.end(run, 0, How::failed, "busy");
    EXPECT_EQ(world.states(run), "running retrying");
    EXPECT_EQ(waits(), 10);
    world.tick_to(world.now + seconds(9));
    EXPECT_EQ(world.states(run), "running retrying");
    world.tick_to(world.now + seconds(1));
    EXPECT_EQ(world.states(run), "running running");
    EXPECT_EQ(world.tasks.at({run, 0}).attempt, 2);
    world.end(run, 0, How::failed);
    EXPECT_EQ(waits(), 15);
    world.tick_to(world.now + seconds(15));
    world.running.clear();
    world.keep(world.engine->ended({run, 0, 3, How::failed, minutes(5), "slow down", {}}, world.now));
    EXPECT_EQ(waits(), 300);
    world.tick_to(world.now + minutes(5));
    world.end(run, 0, How::failed, "busy still");
    EXPECT_EQ(world.states(run), "failed failed");
    EXPECT_EQ(world.tasks.at({run, 0}).why, "busy still");
}

TEST(EngineTest, WhatFailedForGoodIsNotTriedAgain) {
    World world;
    Definition definition("f", {task("a")});
    definition.spec.tasks[0].retry.tries_more = 3;
    world.add(definition.make());
    const RunId run = world.request("f");
    world.end(run, 0, How::failed_for_good, "token expired");
    EXPECT_EQ(world.states(run), "failed failed");
}

TEST(EngineTest, RetriesEndWithTheirTime) {
    World world;
    Definition definition("f", {task("a")});
    definition.spec.tasks[0].retry = {
        .tries_more = 100, .delay = TaskRetry::Delay::constant, .first = seconds(40), .within = minutes(1)};
    world.add(definition.make());
    const RunId run = world.request("f");
    world.end(run, 0, How::failed);
    world.tick_to(world.now + seconds(40));
    world.end(run, 0, How::failed);
    EXPECT_EQ(world.states(run), "failed failed");
}

TEST(EngineTest, ATryThatTakesTooLongIsStoppedAndTriedAgain) {
    World world;
    Definition definition("f", {task("a")});
    definition.spec.tasks[0].timeout = minutes(10);
    definition.spec.tasks[0].retry = {.tries_more = 1, .first = seconds(10)};
    world.add(definition.make());
    const RunId run = world.request("f");
    world.tick_to(world.now + minutes(10));
    ASSERT_EQ(world.stops.size(), 1U);
    EXPECT_EQ(world.stops[0].attempt, 1);
    EXPECT_EQ(world.states(run), "running running");
    world.end(run, 0, How::stopped);
    EXPECT_EQ(world.states(run), "running retrying");
    world.tick_to(world.now + seconds(10));
    // This one does not even stop: after a while it counts as ended, and what it says later counts no more.
    world.tick_to(world.now + minutes(11));
    EXPECT_EQ(world.states(run), "failed timed_out");
    world.keep(world.engine->ended({run, 0, 2, How::succeeded, {}, {}, {}}, world.now));
    EXPECT_EQ(world.states(run), "failed timed_out");
}

TEST(EngineTest, ARunThatMissesItsDeadlineIsStoppedEvenIfItNeverBegan) {
    World world;
    Definition definition("f", {task("a"), task("b", {"a"})});
    definition.spec.deadline = minutes(30);
    world.add(definition.make());
    const RunId first = world.request("f");
    const RunId second = world.request("f");
    world.tick_to(world.now + minutes(30));
    EXPECT_EQ(world.states(second), "failed timed_out upstream_failed");
    EXPECT_EQ(world.states(first), "running running timed_out");
    world.end(first, 0, How::stopped);
    EXPECT_EQ(world.states(first), "failed timed_out timed_out");
    EXPECT_EQ(world.runs.at(first).why, "the run's deadline has passed");
}

TEST(EngineTest, ACanceledRunBeginsNothingAnyMore) {
    World world;
    Definition definition("f", {task("a"), task("b", {"a"}), task("clean", {"b"})});
    definition.spec.graph =
        TaskGraph::create(
            {task("a"), task("b", {"a"}), {.name = "clean", .after = {"b"}, .rule = TriggerRule::all_done}})
            .release_value();
    world.add(definition.make());
    const RunId run = world.request("f");
    auto canceled = world.engine->cancel(run, "ann", world.now);
    ASSERT_TRUE(canceled.ok());
    world.keep(canceled.release_value());
    EXPECT_EQ(world.states(run), "running running killed killed");
    EXPECT_THAT(world.stops, testing::SizeIs(1));
    world.end(run, 0, How::stopped);
    EXPECT_EQ(world.states(run), "killed killed killed killed");
    EXPECT_EQ(world.runs.at(run).why, "canceled by ann");
    EXPECT_FALSE(world.engine->cancel(run, "ann", world.now).ok());
}

TEST(EngineTest, PlacesAreKept) {
    World world(2);
    Definition definition("f", {task("a"), task("b"), task("c"), task("d")});
    definition.spec.tasks[3].priority = 1;
    world.add(definition.make());
    const RunId run = world.request("f");
    EXPECT_EQ(world.states(run), "running running running queued queued");
    world.end(run, 0, How::succeeded);
    EXPECT_EQ(world.states(run), "running succeeded running queued running");
    world.crash();  // who ran was lost, and comes again behind those that waited
    EXPECT_EQ(world.states(run), "running succeeded running running queued");
    EXPECT_EQ(world.tasks.at({run, 1}).attempt, 2);
}

TEST(EngineTest, WorkersThatOutliveTheSchedulerGoOn) {
    World world(1);
    world.add(Definition("f", {task("a"), task("b")}).make());
    const RunId run = world.request("f");
    world.keep(world.engine->began(run, 0, 1, "w1", world.now));
    world.crash({"w1"});
    EXPECT_EQ(world.states(run), "running running queued");
    world.end(run, 0, How::succeeded);
    EXPECT_EQ(world.states(run), "running succeeded running");
    world.keep(world.engine->began(run, 1, 1, "w2", world.now));
    world.running.clear();
    world.keep(world.engine->worker_lost("w2", world.now));
    // It comes again by itself, which is none of the tries that the user allows for; but not for ever.
    EXPECT_EQ(world.states(run), "running succeeded running");
    for (int attempt = 2; attempt <= 6; ++attempt) {
        EXPECT_EQ(world.tasks.at({run, 1}).attempt, attempt);
        EXPECT_EQ(world.tasks.at({run, 1}).tries, 1);
        world.keep(world.engine->ended({run, 1, attempt, How::lost, {}, "its worker is gone: w3", {}}, world.now));
    }
    EXPECT_EQ(world.states(run), "failed succeeded failed");
    EXPECT_EQ(world.tasks.at({run, 1}).why, "its worker is gone: w3");
}

TEST(EngineTest, ARunKeepsTheDefinitionItBeganWith) {
    World world;
    Definition first("f", {task("a"), task("b", {"a"})});
    world.add(first.make());
    const RunId run = world.request("f");
    Definition second("f", {task("x")});
    second.spec.revision = "r2";
    world.add(second.make());
    world.crash();
    EXPECT_EQ(world.states(run), "running running waiting");
    world.end(run, 0, How::failed);
    EXPECT_EQ(world.states(run), "failed failed upstream_failed");
    EXPECT_EQ(world.runs.at(world.request("f")).revision, "r2");
    // Whose definition nobody has any more.
    const RunId third = world.runs_in(RunState::running).front();
    world.specs.clear();
    world.crash();
    EXPECT_EQ(world.runs.at(third).state, RunState::failed);
    EXPECT_EQ(world.runs.at(third).why, "its definition is gone: flow f, revision r2");
}

TEST(EngineTest, SomebodyApprovesRefusesAndMarks) {
    World world;
    TaskNode gate = task("gate", {"a"});
    gate.needs_approval = true;
    Definition definition("f", {task("a"), gate, task("c", {"gate"})});
    definition.spec.runs_max = 10;
    world.add(definition.make());
    const auto run = [&] {
        const RunId id = world.request("f");
        world.end(id, 0, How::succeeded);
        return id;
    };
    const RunId yes = run();
    EXPECT_EQ(world.states(yes), "running succeeded paused waiting");
    world.keep(world.engine->approve(yes, 1, true, "bob", world.now).release_value());
    EXPECT_EQ(world.states(yes), "running succeeded running waiting");
    const RunId no = run();
    world.keep(world.engine->approve(no, 1, false, "bob", world.now).release_value());
    EXPECT_EQ(world.states(no), "failed succeeded failed upstream_failed");
    EXPECT_FALSE(world.engine->approve(yes, 2, true, "bob", world.now).ok());
    const RunId marked = run();
    world.keep(world.engine->mark(marked, 1, TaskState::skipped, "bob", world.now).release_value());
    EXPECT_EQ(world.states(marked), "succeeded succeeded skipped skipped");
    // What runs for nobody any more is told to stop, and not heard.
    world.keep(world.engine->mark(yes, 1, TaskState::succeeded, "bob", world.now).release_value());
    EXPECT_EQ(world.states(yes), "running succeeded succeeded running");
    EXPECT_EQ(world.stops.back().task, 1U);
    world.running.erase({yes, 1});
    world.keep(world.engine->ended({yes, 1, 1, How::failed, {}, {}, {}}, world.now));
    EXPECT_EQ(world.states(yes), "running succeeded succeeded running");
}

TEST(EngineTest, RunsAgainFromWhatFailed) {
    World world;
    world.add(Definition("f", {task("a"), task("b", {"a"}), task("c", {"b"})}).make());
    const RunId run = world.request("f");
    world.end(run, 0, How::succeeded);
    world.end(run, 1, How::failed);
    ASSERT_EQ(world.states(run), "failed succeeded failed upstream_failed");
    std::vector<TaskRow> kept;
    for (const auto& [key, row] : world.tasks) kept.push_back(row);
    const std::vector<TaskIndex> failed{1};
    world.keep(world.engine->run_again(world.runs.at(run), kept, world.flows.at("f"), failed, "ann", world.now)
                   .release_value());
    EXPECT_EQ(world.states(run), "running succeeded running waiting");
    EXPECT_EQ(world.tasks.at({run, 1}).attempt, 2);
    world.end(run, 1, How::succeeded);
    world.end(run, 2, How::succeeded);
    EXPECT_EQ(world.states(run), "succeeded succeeded succeeded succeeded");
    world.request("f");
    EXPECT_EQ(world.engine->runs_open(), 1U);  // the places of both are counted right
    EXPECT_THAT(world.runs_in(RunState::queued), IsEmpty());
}

TEST(EngineTest, BackfillsDoNotHoldUpTheSchedule) {
    World world;
    Definition definition("f", {task("a")});
    definition.spec.schedules.push_back(hourly());
    world.add(definition.make());
    const auto fill = [&](Timestamp due) {
        auto requested = world.engine->request({.flow = "f", .type = RunType::backfill, .due = due}, world.now);
        if (!requested.ok()) return requested.error().to_string();
        world.keep(std::move(requested.value().step));
        return requested.value().run;
    };
    const RunId first = fill(kNoon - hours(5));
    const RunId second = fill(kNoon - hours(4));
    EXPECT_EQ(world.runs.at(first).about, (Interval{kNoon - hours(6), kNoon - hours(5)}));
    EXPECT_THAT(fill(kNoon - hours(4)), HasSubstr("that time is being filled already, by run " + second));
    EXPECT_EQ(world.states(second), "queued waiting");
    world.tick_to(kNoon + hours(1));
    EXPECT_EQ(world.runs_in(RunState::running).size(), 2U);
    world.end(first, 0, How::succeeded);
    EXPECT_EQ(world.states(second), "running running");
}

TEST(EngineTest, SaysWhichFlowIsNotThere) {
    World world;
    world.add(Definition("orders", {task("a")}).make());
    const auto requested = world.engine->request({.flow = "order"}, world.now);
    ASSERT_FALSE(requested.ok());
    EXPECT_EQ(requested.error().to_string(), "flow not found: order; did you mean orders?");
}

TEST(EngineTest, AFlowWithoutTasksEndsAtOnce) {
    World world;
    world.add(Definition("f", {}).make());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(world.states(world.request("f")), "succeeded");
}

// Many flows, few places, failures, stops, people, workers that go, and the process killed at any time between two
// steps.
TEST(EngineTest, RandomDaysEndWithEverythingDoneOnce) {
    for (uint32_t seed = 1; seed <= 25; ++seed) {
        std::mt19937 random(seed);
        const auto pick = [&](uint32_t below) { return std::uniform_int_distribution<uint32_t>(0, below - 1)(random); };
        World world(1 + pick(4));
        const Timestamp end = kNoon + hours(30);
        for (int f = 0; f < 6; ++f) {
            std::vector<TaskNode> nodes;
            for (uint32_t i = 0; i < 1 + pick(7); ++i) {
                TaskNode node = task("t" + std::to_string(i));
                for (uint32_t j = 0; j < i; ++j) {
                    if (pick(3) == 0) node.after.push_back("t" + std::to_string(j));
                }
                node.rule = pick(3) == 0 ? static_cast<TriggerRule>(pick(10)) : TriggerRule::all_success;
                nodes.push_back(std::move(node));
            }
            Definition definition("f" + std::to_string(f), nodes);
            definition.spec.schedules.push_back(hourly());
            definition.spec.ends = kNoon + hours(24);
            definition.spec.missed = MissedRuns::all;
            definition.spec.runs_max = 1 + pick(3);
            for (TaskSpec& one : definition.spec.tasks) {
                one.retry = {.tries_more = static_cast<int>(pick(3)), .first = seconds(30)};
                if (pick(3) == 0) one.timeout = minutes(20);
                if (pick(4) == 0) one.mutex = "m" + std::to_string(pick(2));
            }
            world.add(definition.make());
        }
        const auto check = [&] {
            ASSERT_LE(world.running.size(), static_cast<size_t>(world.engine->pool("default").places));
            std::map<std::string, int> owners;
            for (const auto& [key, attempt] : world.running) {
                const RunRow& run = world.runs.at(key.first);
                const std::string& mutex = world.specs.at({run.flow, run.revision})->tasks[key.second].mutex;
                if (!mutex.empty()) {
                    ASSERT_EQ(++owners[mutex], 1);
                }
            }
        };
        for (int step = 0; step < 4000 && (world.now < end || world.engine->runs_open() > 0); ++step) {
            const uint32_t what = pick(100);
            if (what < 70 && !world.running.empty()) {
                const auto chosen = std::next(world.running.begin(), pick(static_cast<uint32_t>(world.running.size())));
                constexpr How kEnds[] = {How::succeeded, How::succeeded, How::succeeded,      How::warned,
                                         How::failed,    How::skipped,   How::failed_for_good};
                const auto [key, attempt] = *chosen;
                world.end(key.first, key.second, kEnds[pick(std::size(kEnds))]);
            } else if (what < 72) {
                world.crash();
            } else if (what < 74) {
                const auto open = world.runs_in(RunState::running);
                if (open.empty()) continue;
                auto canceled = world.engine->cancel(open[pick(static_cast<uint32_t>(open.size()))], "ann", world.now);
                if (canceled.ok()) world.keep(canceled.release_value());
            } else {
                world.tick_to(world.now + minutes(1 + pick(10)));
            }
            check();
        }
        ASSERT_EQ(world.engine->runs_open(), 0U) << "seed " << seed;
        EXPECT_EQ(world.scheduled.size(), 6U * 23U) << "seed " << seed;  // 13:00 to 11:00
        for (const auto& [id, row] : world.runs) EXPECT_TRUE(is_end(row.state)) << id;
        EXPECT_EQ(world.engine->pool("default").taken, 0U);
        EXPECT_EQ(world.engine->pool("default").waiting, 0U);
    }
}

}  // namespace
}  // namespace shaduf
