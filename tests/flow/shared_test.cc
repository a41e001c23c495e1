#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>

#include "flow/shared/commands.h"
#include "flow/shared/hearing.h"
#include "flow/shared/leadership.h"
#include "flow/shared/progress.h"
#include "flow/shared/run_store.h"
#include "flow/shared/schema.h"
#include "flow/shared/worker.h"
#include "tests/world.h"

namespace shaduf::shared {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
using How = TaskEnd::How;

constexpr milliseconds kLease{600};

FlowPtr two_tasks() {
    std::vector<TaskNode> nodes{{.name = "a"}, {.name = "b", .after = {"a"}}};
    FlowSpec spec{"f", "r1", TaskGraph::create(nodes).release_value(), {}, {}, {}, {}};
    spec.tasks.resize(2);
    for (TaskSpec& task : spec.tasks) task.uses = {{"default", 1}};
    spec.runs_max = 1000;
    return std::make_shared<const FlowSpec>(std::move(spec));
}

// Something that threads wait for, for ten seconds at most.
class Signal {
public:
    template <typename F>
    bool wait(F&& is_so) {
        std::unique_lock lock(mutex);
        const auto until = std::chrono::steady_clock::now() + seconds(10);
        while (!is_so()) {
            if (std::chrono::steady_clock::now() > until) return false;
            changed.wait_for(lock, milliseconds(20));  // not all that is waited for tells
        }
        return true;
    }
    template <typename F>
    void change(F&& with) {
        const std::lock_guard lock(mutex);
        with();
        changed.notify_all();
    }
    std::mutex mutex;
    std::condition_variable changed;
};

// Ends what it is given at once, unless it is told to hold it.
class Hands final : public TaskRunner {
public:
    explicit Hands(bool is_holding) : holds(is_holding) {}
    void start(const TaskStart& start) override {
        signal.change([&] { held.push_back(start); });
        if (!holds) end(start, How::succeeded);
    }
    void stop(const TaskStop& stop) override {
        signal.change([&] { stopped.push_back(stop.why); });
        if (worker) worker->ended({stop.run, stop.task, stop.attempt, How::stopped, {}, stop.why, {}});
    }
    void end(const TaskStart& start, How how) {
        worker->ended({start.run, start.task, start.attempt, how, {}, {}, R"({"values":{}})"});
    }
    const bool holds;
    Signal signal;
    std::vector<TaskStart> held;
    std::vector<std::string> stopped;
    std::unique_ptr<Worker> worker;
};

// One process that leads, of those that are there.
class Leader {
public:
    Leader(const std::string& dsn, const std::vector<FlowPtr>& flows, int64_t token)
        : sessions(dsn, cancellation), store(sessions, [token] { return token; }), runner(sessions) {
        Scheduler::Parts parts{
            store,
            clock,
            runner,
            [this](const FlowChanges& changes) {
                signal.change([&] {
                    for (const RunRow& run : changes.runs) states[run.id] = run.state;
                });
            },
            {[token, this](Timestamp) { return "run" + std::to_string(token) + "-" + std::to_string(++made); },
             [] { return 0.5; }}};
        scheduler = std::make_unique<Scheduler>(std::move(parts));
        const auto workers = store.remains().release_value().workers;
        EXPECT_TRUE(scheduler->start(flows, {{"default", 100}}, workers, {}).ok());
        hearing = std::make_unique<Hearing>(dsn, sessions, *scheduler, Hearing::Settings{milliseconds(100)});
    }
    bool wait_for(const RunId& run, RunState state) {
        return signal.wait([&] { return states.contains(run) && states.at(run) == state; });
    }
    RunId request() { return scheduler->request({.flow = "f"}).get().release_value(); }

    Cancellation cancellation;
    Sessions sessions;
    SharedRunStore store;
    OfferingRunner runner;
    SystemClock clock;
    std::atomic<int> made{0};
    Signal signal;
    std::map<RunId, RunState> states;
    std::unique_ptr<Scheduler> scheduler;
    std::unique_ptr<Hearing> hearing;
};

class PostgresSharedFlowsServerTest : public testing::Test {
protected:
    void SetUp() override {
        const char* given = std::getenv("SHADUF_TEST_POSTGRES");
        if (given == nullptr) GTEST_SKIP() << "no server: SHADUF_TEST_POSTGRES is not set";
        dsn = given;
        sessions = std::make_unique<Sessions>(dsn, cancellation);
        query("DROP SCHEMA shaduf CASCADE");
        sessions = std::make_unique<Sessions>(dsn, cancellation);  // what connects makes the tables
    }
    std::string query(const std::string& sql) {
        auto found = sessions->lend().release_value()->query(sql);
        EXPECT_TRUE(found.ok()) << found.error().to_string();
        if (!found.ok() || found.value().rows.empty()) return "";
        return found.value().rows[0][0].value_or("NULL");
    }
    std::unique_ptr<Leader> lead(int64_t token) {
        query("SELECT 1");  // makes the tables
        query("UPDATE shaduf.leader SET step = 0, token = " + std::to_string(token));
        return std::make_unique<Leader>(dsn, std::vector{flow}, token);
    }
    void join(Hands& hands, const std::string& name, size_t places = 8) {
        hands.worker = std::make_unique<Worker>(
            dsn, *sessions, hands, [this](auto&, auto&) { return flow; },
            Worker::Settings{name, "1", places, kLease, milliseconds(100)});
    }

    std::string dsn;
    Cancellation cancellation;
    std::unique_ptr<Sessions> sessions;
    SystemClock clock;
    FlowPtr flow = two_tasks();
};

TEST_F(PostgresSharedFlowsServerTest, OneLeadsAndAnotherTakesOver) {
    std::array<std::optional<int64_t>, 2> leads;
    Signal signal;
    const auto start = [&](size_t i) {
        return std::make_unique<Leadership>(
            *sessions, Leadership::Settings{"p" + std::to_string(i), kLease, milliseconds(50)},
            [&leads, &signal, i](std::optional<int64_t> token) { signal.change([&] { leads[i] = token; }); });
    };
    auto first = start(0);
    ASSERT_TRUE(signal.wait([&] { return leads[0].has_value(); }));
    auto second = start(1);
    ASSERT_TRUE(signal.wait([&] { return second->holder() == "p0"; }));
    EXPECT_EQ(second->token(), std::nullopt);
    const int64_t token = *first->token();
    first.reset();  // gives the lease back
    ASSERT_TRUE(signal.wait([&] { return leads[1].has_value(); }));
    EXPECT_EQ(leads[0], std::nullopt);
    EXPECT_GT(*second->token(), token);
}

TEST_F(PostgresSharedFlowsServerTest, ALeaderThatWasTakenForDeadChangesNothing) {
    auto old = lead(1);
    auto next = lead(2);
    const auto refused = old->scheduler->request({.flow = "f"}).get();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind(), ErrorKind::conflict);
    EXPECT_EQ(query("SELECT count(*) FROM shaduf.run"), "0");
    EXPECT_EQ(old->scheduler->failure()->kind(), ErrorKind::conflict);
}

TEST_F(PostgresSharedFlowsServerTest, WorkersShareTheTries) {
    auto leader = lead(1);
    Hands one(false), two(false);
    join(one, "one");
    join(two, "two");
    std::vector<RunId> runs;
    for (int i = 0; i < 100; ++i) runs.push_back(leader->request());
    for (const RunId& run : runs) ASSERT_TRUE(leader->wait_for(run, RunState::succeeded)) << run;
    EXPECT_EQ(one.held.size() + two.held.size(), 200U);  // each once
    EXPECT_EQ(query("SELECT count(*) FROM shaduf.try"), "0");
    EXPECT_EQ(leader->store.tasks(runs[0]).value()[1].outputs, R"({"values":{}})");
}

TEST_F(PostgresSharedFlowsServerTest, TheTriesOfAWorkerThatIsGoneGoToAnother) {
    auto leader = lead(1);
    Hands gone(true);
    join(gone, "gone");
    const RunId run = leader->request();
    ASSERT_TRUE(gone.signal.wait([&] { return gone.held.size() == 1; }));
    gone.worker.reset();  // as if by a kill: nothing of it is told
    Hands next(false);
    join(next, "next");
    ASSERT_TRUE(leader->wait_for(run, RunState::succeeded));
    const auto tasks = leader->store.tasks(run).release_value();
    EXPECT_EQ(tasks[0].attempt, 2);
    EXPECT_EQ(tasks[0].lost, 1);
    EXPECT_EQ(tasks[0].tries, 1);
}

TEST_F(PostgresSharedFlowsServerTest, AWorkerThatWasTakenForDeadStopsAndItsEndsCountForNothing) {
    auto leader = lead(1);
    Hands hands(true);
    join(hands, "slow");
    const RunId run = leader->request();
    ASSERT_TRUE(hands.signal.wait([&] { return hands.held.size() == 1; }));
    const std::string first_id = hands.worker->id();
    query("UPDATE shaduf.worker SET until = '-infinity'");
    // It is told to stop, and takes the try again under its next name.
    ASSERT_TRUE(hands.signal.wait([&] { return hands.stopped.size() == 1 && hands.held.size() == 2; }));
    EXPECT_NE(hands.worker->id(), first_id);
    EXPECT_EQ(hands.held[1].attempt, 2);
    hands.end(hands.held[0], How::succeeded);
    hands.end(hands.held[1], How::failed_for_good);
    ASSERT_TRUE(leader->wait_for(run, RunState::failed));
}

TEST_F(PostgresSharedFlowsServerTest, TheNextLeaderGoesOnWithWhatRuns) {
    auto leader = lead(1);
    Hands hands(true);
    join(hands, "w");
    const RunId taken = leader->request();
    ASSERT_TRUE(hands.signal.wait([&] { return hands.held.size() == 1; }));
    hands.end(hands.held[0], How::succeeded);
    ASSERT_TRUE(hands.signal.wait([&] { return hands.held.size() == 2; }));
    // It ends while nobody leads.
    leader.reset();
    hands.end(hands.held[1], How::succeeded);
    hands.worker->drain(seconds(10));
    hands.worker.reset();
    leader = lead(2);
    ASSERT_TRUE(leader->wait_for(taken, RunState::succeeded));
    EXPECT_EQ(leader->store.tasks(taken).value()[1].attempt, 1);
    // One that nobody has taken is still on offer to whoever comes.
    const RunId offered = leader->request();
    leader.reset();
    leader = lead(3);
    Hands next(false);
    join(next, "next");
    ASSERT_TRUE(leader->wait_for(offered, RunState::succeeded));
    EXPECT_EQ(leader->store.tasks(offered).value()[0].attempt, 1);
}

TEST_F(PostgresSharedFlowsServerTest, StopsAreTold) {
    auto leader = lead(1);
    Hands hands(true);
    join(hands, "w");
    const RunId run = leader->request();
    ASSERT_TRUE(hands.signal.wait([&] { return hands.held.size() == 1; }));
    auto canceled =
        leader->scheduler->call([&](Engine& engine, Timestamp now) { return engine.cancel(run, "ann", now); });
    ASSERT_TRUE(canceled.get().ok());
    ASSERT_TRUE(leader->wait_for(run, RunState::killed));
    EXPECT_EQ(hands.stopped.size(), 1U);
}

TEST_F(PostgresSharedFlowsServerTest, TakesNoMoreThanItHasPlacesFor) {
    auto leader = lead(1);
    Hands hands(true);
    join(hands, "w", 2);
    for (int i = 0; i < 5; ++i) leader->request();
    ASSERT_TRUE(hands.signal.wait([&] { return hands.held.size() == 2; }));
    EXPECT_EQ(query("SELECT count(*) FROM shaduf.try WHERE worker = ''"), "3");
    hands.end(hands.held[0], How::succeeded);
    ASSERT_TRUE(hands.signal.wait([&] { return hands.held.size() == 3; }));
    EXPECT_FALSE(hands.worker->drain(milliseconds(0)));
    hands.end(hands.held[1], How::succeeded);
    hands.end(hands.held[2], How::succeeded);
    EXPECT_TRUE(hands.worker->drain(seconds(10)));
    EXPECT_EQ(hands.held.size(), 3U);
}

// A desk that says what it was asked for, and keeps answers as a store would.
class Told final : public DecidingDesk {
public:
    explicit Told(Sessions* sessions) : sessions_(sessions) {}
    Pending request_all(const std::vector<Asked>& asked, Making making) override {
        auto made = std::make_shared<std::vector<Result<Requested>>>();
        FlowChanges changes;
        for (size_t i = 0; i < asked.size(); ++i) {
            made->push_back(request(asked[i].request, asked[i].key));
            making(i, made->back(), changes);
        }
        auto session = sessions_->lend().release_value();
        for (const auto& [number, answer] : changes.answers) {
            EXPECT_TRUE(session
                            ->query("UPDATE shaduf.command SET answer = $2 WHERE number = $1::bigint",
                                    {std::to_string(number), answer})
                            .ok());
        }
        std::promise<Result<void>> kept;
        kept.set_value({});
        return {kept.get_future().share(), made};
    }
    Result<Requested> request(const RunRequest& request, const std::string& key) override {
        TRY(note("request " + request.flow + " " + std::to_string(request.due->time_since_epoch().count()) + " " +
                 std::to_string(request.about->end.time_since_epoch().count()) + " " + request.inputs + " " +
                 request.actor + " " + key));
        return Requested{"run1", false};
    }
    Result<void> cancel(const RunId& run, const std::string& actor) override {
        TRY(note("cancel " + run + " " + actor));
        return Error(ErrorKind::conflict, "run has ended: " + run);
    }
    Result<void> approve(const RunId& run, const std::string& task, bool yes, const std::string&) override {
        return note("approve " + run + " " + task + " " + std::to_string(yes));
    }
    Result<void> mark(const RunId& run, const std::string& task, TaskState state, const std::string&) override {
        return note("mark " + run + " " + task + " " + std::string(to_string(state)));
    }
    Result<void> run_again(const RunId& run, const std::vector<std::string>& tasks, const std::string&) override {
        return note("again " + run + " " + std::to_string(tasks.size()) + " " + tasks.at(0));
    }
    Result<size_t> backfill(const Backfill& backfill) override {
        TRY(note("backfill " + backfill.flow + " " + std::to_string((backfill.to - backfill.from).count()) + " " +
                 std::to_string(backfill.oldest_first) + " " + std::to_string(static_cast<int>(backfill.again))));
        return 7;
    }
    Result<void> pause(const std::string& flow, bool yes, const std::string&) override {
        return note("pause " + flow + " " + std::to_string(yes));
    }
    Result<bool> is_paused(const std::string&) override { return false; }
    std::optional<Timestamp> next_due(const std::string&) override { return std::nullopt; }

    Result<void> note(std::string text) {
        const std::lock_guard lock(mutex);
        told.push_back(std::move(text));
        return {};
    }
    std::mutex mutex;
    std::vector<std::string> told;

private:
    Sessions* sessions_;
};

TEST_F(PostgresSharedFlowsServerTest, CommandsReachTheLeader) {
    const auto at = [](int64_t time) { return Timestamp(std::chrono::microseconds(time)); };
    SharedDesk desk(dsn, *sessions, clock, {});
    Told told(sessions.get());
    const auto leader = std::make_unique<Commands>(dsn, *sessions, told, [] { return true; });
    RunRequest request{.flow = "f", .due = at(5), .about = Interval{at(3), at(4)}, .inputs = "{}", .actor = "ann"};
    const auto requested = desk.request(request, "key").release_value();
    EXPECT_EQ(requested.run, "run1");
    EXPECT_FALSE(requested.is_new);
    EXPECT_TRUE(desk.request(request, "").ok());
    const auto refused = desk.cancel("run1", "ann");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind(), ErrorKind::conflict);
    EXPECT_EQ(refused.error().to_string(), "run has ended: run1");
    EXPECT_TRUE(desk.approve("run1", "gate", true, "ann").ok());
    EXPECT_TRUE(desk.mark("run1", "load", TaskState::skipped, "ann").ok());
    EXPECT_TRUE(desk.run_again("run1", {"load"}, "ann").ok());
    EXPECT_EQ(desk.backfill({"f", at(1), at(11), true, FlowDesk::Backfill::Again::failed, "{}", "ann"}).value(), 7U);
    EXPECT_TRUE(desk.pause("f", true, "ann").ok());
    EXPECT_THAT(told.told, ElementsAre("request f 5 4 {} ann key", "request f 5 4 {} ann ", "cancel run1 ann",
                                       "approve run1 gate 1", "mark run1 load skipped", "again run1 1 load",
                                       "backfill f 10 1 1", "pause f 1"));
}

TEST_F(PostgresSharedFlowsServerTest, ACommandWaitsForTheNextLeader) {
    SharedDesk hurried(dsn, *sessions, clock, {}, milliseconds(50));
    const auto nobody = hurried.pause("f", true, "ann");
    ASSERT_FALSE(nobody.ok());
    EXPECT_EQ(nobody.error().kind(), ErrorKind::unavailable);
    // One that does not lead any more when it is done leaves the answer to the next.
    Told old(sessions.get()), told(sessions.get());
    auto deposed = std::make_unique<Commands>(dsn, *sessions, old, [] { return false; });
    Signal signal;
    ASSERT_TRUE(signal.wait([&] {
        const std::lock_guard lock(old.mutex);
        return !old.told.empty();
    }));
    deposed.reset();
    const Commands leader(dsn, *sessions, told, [] { return true; });
    SharedDesk desk(dsn, *sessions, clock, {});
    EXPECT_TRUE(desk.pause("g", false, "ann").ok());
    EXPECT_THAT(told.told, ElementsAre("pause f 1", "pause g 0"));
}

TEST_F(PostgresSharedFlowsServerTest, StepsOfOtherProcessesAreSeen) {
    const TryId id{"run", "load", 1};
    Sessions here(dsn, cancellation);
    Sessions there(dsn, cancellation);
    TaskBoard own;
    TaskBoard others;
    std::vector<std::string> told;
    Progress writer(here, own, {});
    Progress reader(there, others, [&](const TaskBoard::Change& change) {
        told.push_back(change.step == nullptr ? std::to_string(change.log_lines)
                                              : std::string(to_string(change.step->state)));
    });
    own.watch([&](const TaskBoard::Change& change) { writer.hear(change); });
    TaskStep step{.name = "shop.orders", .kind = "stream", .state = TaskState::running, .rows_written = 5};
    own.begin(id);
    own.set_step(id, step);
    own.set_log_lines(id, 3);
    while (!others.report(id)) ASSERT_TRUE(reader.read().ok());
    EXPECT_EQ(others.report(id)->steps.at(0), step);
    EXPECT_FALSE(others.own_report(id));
    EXPECT_THAT(told, ElementsAre("running", "3"));
    ASSERT_TRUE(writer.read().ok());
    EXPECT_TRUE(own.own_report(id)) << "its own it does not take for another's";

    step.state = TaskState::succeeded;
    own.set_step(id, step);
    while (told.size() < 3) ASSERT_TRUE(reader.read().ok());
    EXPECT_THAT(told, ElementsAre("running", "3", "succeeded"));

    own.take(id);
    const auto left = [&] {
        return here.lend().release_value()->query("SELECT count(*) FROM shaduf.progress").value().rows[0][0].value();
    };
    while (left() != "0") ASSERT_TRUE(reader.read().ok());
}

TEST_F(PostgresSharedFlowsServerTest, ANewerStoreIsRefusedWhenItSaysSo) {
    query("SELECT 1");
    query("UPDATE shaduf.schema_version SET version = 98");
    EXPECT_TRUE(Sessions(dsn, cancellation).lend().ok());  // it only has more
    query("UPDATE shaduf.schema_version SET version = 99, oldest_reader = 99");
    const auto refused = Sessions(dsn, cancellation).lend();
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().to_string(), HasSubstr("its tables have version 99 and need a program of version 99"));
    query("UPDATE shaduf.schema_version SET version = 1, oldest_reader = 1");
}

}  // namespace
}  // namespace shaduf::shared
