// The calls about flows and runs, over a real store with runs that a test has put there.
#include "server/flow_feed.h"
#include "server/flow_health.h"
#include "tests/server/serve_fixture.h"

namespace shaduf::server {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RunsApiTest : public ServeFixture {
protected:
    RunsApiTest() {
        add_flow("daily", {{"load", {}}, {"build", {"load"}}, {"report", {"build"}}});
        reload();
    }
    FlowInfo& add_flow(const std::string& name, std::vector<std::pair<std::string, std::vector<std::string>>> tasks) {
        std::vector<TaskNode> nodes;
        std::vector<TaskSpec> specs;
        for (auto& [task, after] : tasks) {
            nodes.push_back({.name = task, .after = after, .needs_approval = task == "approve"});
            specs.push_back({.type = "sql", .config = "{}"});
        }
        FlowSpec spec{.name = name,
                      .revision = "r1",
                      .graph = TaskGraph::create(std::move(nodes)).release_value(),
                      .tasks = std::move(specs)};
        FlowInfo info;
        info.file = "flows/" + name + ".yml";
        info.writes = {"core." + name};
        info.spec = std::make_shared<const FlowSpec>(std::move(spec));
        flows.flows.push_back(std::move(info));
        return flows.flows.back();
    }
    RunRow run(const std::string& id, RunState state, const std::string& flow = "daily") {
        RunRow row;
        row.id = id;
        row.flow = flow;
        row.revision = "r1";
        row.due = row.created = world.clock.now();
        row.about = {row.due - hours(24), row.due};
        row.state = state;
        row.inputs = R"({"day": 1})";
        row.actor = "ada";
        if (state != RunState::queued) row.began = row.created;
        if (is_end(state)) row.ended = row.created + minutes(1);
        return row;
    }
    TaskRow task(const RunRow& of, TaskIndex index, TaskState state, const std::string& outputs = "") {
        TaskRow row;
        row.run = of.id;
        row.task = index;
        row.state = state;
        row.attempt = row.tries = 1;
        row.since = row.began = of.created;
        if (is_end(state)) row.ended = of.created + std::chrono::seconds(index + 1);
        row.outputs = outputs;
        row.worker = "here";
        return row;
    }
    void keep(const FlowChanges& changes) {
        ASSERT_TRUE(runs->keep(changes).ok());
        views->note(changes);
        world.clock.advance(hours(1));
    }
    std::vector<std::string> ids(const std::string& query) {
        std::vector<std::string> found;
        const auto answer = get("/api/v1/runs" + query);
        for (const auto& item : answer.json["items"]) found.push_back(item["id"]);
        if (!answer.json["next"].is_null()) found.push_back("next " + answer.json["next"].get<std::string>());
        return found;
    }
    void fail_run(const std::string& id) {
        RunRow failed = run(id, RunState::failed);
        TaskRow load =
            task(failed, 0, TaskState::succeeded,
                 R"({"values":{"n":1},"tables":["raw.a"],"rows":7,"bytes":70,"quarantined":2,"steps":[)"
                 R"({"name":"a","kind":"stream","state":"succeeded","began":null,"ended":null,"table":"raw.a",)"
                 R"("rows_read":9,"rows_written":7,"rows_quarantined":2,"bytes":70,"retries":0,"message":""}]})");
        TaskRow build = task(failed, 1, TaskState::failed);
        build.why = "HTTP 401: token expired; renew the token of connection fb";
        TaskRow report = task(failed, 2, TaskState::upstream_failed);
        FlowChanges changes{.runs = {failed}, .tasks = {load, build, report}};
        for (const auto& [state, at] : {std::pair("queued", 0), {"running", 1}, {"failed", 5}}) {
            changes.history.push_back(
                {id, TaskIndex{1}, 1, state, build.why, "", failed.created + std::chrono::seconds(at)});
        }
        keep(changes);
    }
};

TEST_F(RunsApiTest, ListsRunsByPages) {
    for (const char* id : {"a", "b", "c", "d", "e"}) keep({.runs = {run(id, RunState::succeeded)}});
    EXPECT_THAT(ids(""), ElementsAre("e", "d", "c", "b", "a"));
    EXPECT_THAT(ids("?limit=2"), ElementsAre("e", "d", "next d"));
    EXPECT_THAT(ids("?limit=2&after=d"), ElementsAre("c", "b", "next b"));
    EXPECT_THAT(ids("?limit=2&after=b"), ElementsAre("a"));
}

TEST_F(RunsApiTest, ListsRunsByWhatTheyAre) {
    keep({.runs = {run("a", RunState::failed)}});
    keep({.runs = {run("b", RunState::succeeded, "weekly")}});
    const std::string middle = "2026-01-02T05:00:00Z";
    keep({.runs = {run("c", RunState::running)}});
    EXPECT_THAT(ids("?state=failed,running"), ElementsAre("c", "a"));
    EXPECT_THAT(ids("?flow=weekly"), ElementsAre("b"));
    EXPECT_THAT(ids("?q=EEK"), ElementsAre("b"));
    EXPECT_THAT(ids("?q=nothing"), IsEmpty());
    EXPECT_THAT(ids("?type=scheduled"), IsEmpty());
    EXPECT_THAT(ids("?since=" + middle), ElementsAre("c"));
    EXPECT_THAT(ids("?until=" + middle), ElementsAre("b", "a"));
    EXPECT_EQ(get("/api/v1/runs?state=gone").status, 400);
    EXPECT_EQ(get("/api/v1/runs?type=gone").status, 400);
    EXPECT_EQ(get("/api/v1/runs?since=yesterday").status, 400);
}

TEST_F(RunsApiTest, ShowsARunWithItsCause) {
    fail_run("a");
    const auto listed = get("/api/v1/runs").json["items"][0];
    EXPECT_EQ(listed["tasks"]["total"], 3);
    EXPECT_EQ(listed["tasks"]["succeeded"], 1);
    EXPECT_EQ(listed["tasks"]["failed"], 2);
    EXPECT_EQ(listed["rows"], 7);
    EXPECT_EQ(listed["quarantined"], 2);
    const auto shown = get("/api/v1/runs/a").json;
    EXPECT_EQ(shown["cause"]["task"], "build");
    EXPECT_EQ(shown["cause"]["advice"], "renew the token of connection fb");
    EXPECT_EQ(shown["inputs"]["day"], 1);
    EXPECT_EQ(shown["definition_changed"], false);
    const auto& load = shown["tasks"][0];
    EXPECT_EQ(load["values"]["n"], 1);
    EXPECT_EQ(load["tables"][0], "raw.a");
    EXPECT_EQ(load["steps"][0]["rows_read"], 9);
    const auto& attempt = shown["tasks"][1]["attempts"][0];
    EXPECT_EQ(attempt["began"], "2026-01-02T03:04:06Z");
    EXPECT_EQ(attempt["ended"], "2026-01-02T03:04:10Z");
    EXPECT_EQ(attempt["state"], "failed");
    EXPECT_EQ(shown["tasks"][2]["after"], nlohmann::json({"build"}));
    EXPECT_EQ(get("/api/v1/runs/a/history").json["items"].size(), 3U);
    EXPECT_EQ(get("/api/v1/runs/b").status, 404);
}

TEST_F(RunsApiTest, AFlowThatHasChangedIsToldOf) {
    fail_run("a");
    const std::string text = flow_to_text(*flows.flows[0].spec);
    ASSERT_TRUE(runs->keep_definitions({{"daily", "r1", text}}).ok());
    flows.flows.clear();
    add_flow("daily", {{"other", {}}});
    FlowSpec changed = *flows.flows[0].spec;
    changed.revision = "r2";
    flows.flows[0].spec = std::make_shared<const FlowSpec>(changed);
    reload();
    const auto shown = get("/api/v1/runs/a").json;
    EXPECT_EQ(shown["definition_changed"], true);
    EXPECT_EQ(shown["tasks"].size(), 3U) << "the run keeps to its own";
    const auto definition = get("/api/v1/runs/a/definition").json;
    EXPECT_EQ(definition["text"], text);
    EXPECT_THAT(definition["current"].get<std::string>(), HasSubstr("other"));
}

TEST_F(RunsApiTest, TotalsFollowEachChange) {
    RunRow open = run("a", RunState::running);
    keep({.runs = {open}, .tasks = {task(open, 0, TaskState::running)}});
    const auto totals = [&] { return views->totals(open).release_value(); };
    EXPECT_EQ(totals().running, 1);
    EXPECT_EQ(totals().waiting, 2);
    keep({.tasks = {task(open, 0, TaskState::succeeded, R"({"rows":5})"), task(open, 1, TaskState::running)}});
    EXPECT_EQ(totals().succeeded, 1);
    EXPECT_EQ(totals().rows, 5);
    keep({.tasks = {task(open, 1, TaskState::retrying)}});
    keep({.tasks = {task(open, 1, TaskState::failed), task(open, 2, TaskState::upstream_failed)}});
    open.state = RunState::failed;
    open.ended = world.clock.now();
    keep({.runs = {open}});
    RunViews fresh(*runs, [this] { return room.view().flows; });
    EXPECT_EQ(totals(), fresh.totals(open).release_value());
    EXPECT_EQ(totals().failed, 2);
}

TEST_F(RunsApiTest, PeopleActOnRuns) {
    fail_run("a");
    const auto act = [&](const std::string& path, const std::string& body, Role role = Role::operator_) {
        return call("POST", "/api/v1/runs/a" + path, body, role).status;
    };
    EXPECT_EQ(act("/cancel", "", Role::editor), 403);
    EXPECT_EQ(act("/cancel", ""), 204);
    EXPECT_EQ(act("/rerun", ""), 204);
    EXPECT_EQ(act("/rerun", R"({"tasks": ["build"]})"), 204);
    EXPECT_EQ(act("/tasks/build/approve", R"({"yes": false})"), 204);
    EXPECT_EQ(act("/tasks/build/mark", R"({"state": "skipped"})"), 204);
    EXPECT_EQ(act("/tasks/build/mark", R"({"state": "killed"})"), 400);
    EXPECT_EQ(act("/tasks/gone/mark", R"({"state": "skipped"})"), 404);
    EXPECT_THAT(desk.asked, ElementsAre("cancel a by ada", "again a [] by ada", "again a [build] by ada",
                                        "refuse a build by ada", "mark a build skipped by ada"));
    desk.error = Error(ErrorKind::conflict, "it has ended");
    EXPECT_EQ(act("/cancel", ""), 409);
    const Caller elsewhere{"eve", Role::operator_, {"pipelines/marketing"}, ""};
    EXPECT_EQ(call("POST", "/api/v1/runs/a/cancel", "", elsewhere).status, 403);
    desk.error.reset();
    const Caller here{"eve", Role::operator_, {"flows/"}, ""};
    EXPECT_EQ(call("POST", "/api/v1/runs/a/cancel", "", here).status, 204);
}

TEST_F(RunsApiTest, ReadsLogs) {
    fail_run("a");
    auto& lines = logs.logs[{"a", "build", 1}];
    for (int i = 1; i <= 9; ++i) {
        lines.push_back(
            {i, world.clock.now(), i == 4 ? Severity::error : Severity::info, "p", "line " + std::to_string(i)});
    }
    const auto log = get("/api/v1/runs/a/tasks/build/log?line=3&count=2").json;
    EXPECT_EQ(log["lines"].size(), 2U);
    EXPECT_EQ(log["lines"][1]["n"], 4);
    EXPECT_EQ(log["lines"][1]["level"], "error");
    EXPECT_EQ(log["total"], 9);
    EXPECT_EQ(log["complete"], true);
    get("/api/v1/runs/a/tasks/build/log?q=x&level=warning&count=-5");
    EXPECT_EQ(logs.asked.search, "x");
    EXPECT_EQ(logs.asked.least, Severity::warning);
    EXPECT_EQ(logs.asked.count, -5);
    EXPECT_EQ(get("/api/v1/runs/a/tasks/report/log").json["total"], 0);
    EXPECT_EQ(get("/api/v1/runs/a/tasks/gone/log").status, 404);
    const auto text = get("/api/v1/runs/a/tasks/build/log.txt");
    std::string whole, chunk;
    while (text.response.next_chunk(chunk)) whole += std::exchange(chunk, "");
    EXPECT_THAT(whole, testing::StartsWith("line 1\nline 2\n"));
}

TEST_F(RunsApiTest, ListsAndShowsFlows) {
    add_flow("weekly", {{"load", {}}}).owner = "growth";
    reload();
    keep({.runs = {run("a", RunState::succeeded)}});
    keep({.runs = {run("b", RunState::running)}});
    desk.due["daily"] = world.clock.now();
    const auto listed = get("/api/v1/flows").json["items"];
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed[0]["last_runs"][0]["id"], "b");
    EXPECT_EQ(listed[0]["runs_open"], 1);
    EXPECT_EQ(listed[0]["last_success_at"], "2026-01-02T03:05:05Z");
    EXPECT_EQ(listed[0]["next_due"], "2026-01-02T05:04:05Z");
    EXPECT_EQ(get("/api/v1/flows?q=GROW").json["items"][0]["name"], "weekly");
    const auto page = get("/api/v1/flows?limit=1").json;
    EXPECT_EQ(page["next"], "daily");
    EXPECT_EQ(get("/api/v1/flows?after=daily").json["items"][0]["name"], "weekly");
    write("flows/daily.yml", "tasks: {}\n");
    const auto shown = get("/api/v1/flows/daily").json;
    EXPECT_EQ(shown["graph"]["tasks"][1]["after"], nlohmann::json({"load"}));
    EXPECT_EQ(shown["config"]["text"], "tasks: {}\n");
    EXPECT_EQ(get("/api/v1/flows/gone").status, 404);
}

TEST_F(RunsApiTest, TriggersRuns) {
    const Caller caller{"ada", Role::operator_, {}, ""};
    const auto answer =
        call("POST", "/api/v1/flows/daily/runs", R"({"inputs": {"x": 1}})", caller, {{"Idempotency-Key", "k1"}});
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.json["run"], "run-1");
    EXPECT_EQ(call("POST", "/api/v1/flows/daily/runs", R"({"inputs": [1]})").status, 400);
    EXPECT_EQ(call("POST", "/api/v1/flows/gone/runs", "").status, 404);
    EXPECT_EQ(call("POST", "/api/v1/flows/daily/pause", R"({"paused": true})").status, 204);
    EXPECT_EQ(get("/api/v1/flows/daily").json["paused"], true);
    EXPECT_EQ(call("POST", "/api/v1/flows/daily/backfill",
                   R"({"from": "2026-01-01T00:00:00Z", "to": "2026-01-04T00:00:00Z", "again": "failed"})")
                  .json["runs"],
              3);
    EXPECT_THAT(desk.asked, ElementsAre("request daily by ada key k1 inputs {\"x\":1}", "pause daily by ada",
                                        "backfill daily by ada"));
    bool draining = true;
    serve->is_draining = [&] { return draining; };
    EXPECT_EQ(call("POST", "/api/v1/flows/daily/runs", "").status, 503);
}

TEST_F(RunsApiTest, HooksWantTheirSecret) {
    flows.flows[0].hook_secret = "s3cret";
    add_flow("none", {{"load", {}}});
    reload();
    const Caller nobody{"", Role::nobody, {}, "10.1.1.1"};
    const auto hook = [&](const std::string& path) { return call("POST", "/api/v1/hooks/" + path, "", nobody).status; };
    EXPECT_EQ(hook("daily/s3cret"), 202);
    for (const char* path : {"daily/s3cre", "daily/wrong", "none/", "none/x", "gone/s3cret"}) {
        SCOPED_TRACE(path);
        EXPECT_GE(hook(path), 400);
    }
    EXPECT_THAT(desk.asked, ElementsAre("request daily by hook"));
    desk.asked.clear();
    const auto send = [&](const std::string& body, HttpHeaders headers) {
        return call("POST", "/api/v1/hooks/daily/s3cret", body, nobody, std::move(headers)).status;
    };
    EXPECT_EQ(send(R"({"order": 7})", {{"X-Delivery-Id", "d1"}}), 202);
    EXPECT_THAT(desk.asked, ElementsAre(R"(request daily by hook key d1 inputs {"order": 7})"));
    const std::string deep = "{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}";
    for (const std::string& body : {std::string("[1]"), std::string("{"), std::string("7"), deep}) {
        SCOPED_TRACE(body);
        EXPECT_EQ(send(body, {}), 400);
    }
    EXPECT_EQ(send("{\"a\":\"" + std::string(300 << 10, 'x') + "\"}", {}), 413);
}

TEST_F(RunsApiTest, TheOverviewTellsWhatFails) {
    keep({.runs = {run("a", RunState::succeeded)}});
    fail_run("b");
    fail_run("c");
    add_flow("wait", {{"approve", {}}});
    reload();
    RunRow waiting = run("w", RunState::running, "wait");
    keep({.runs = {waiting}, .tasks = {task(waiting, 0, TaskState::paused)}});
    const auto overview = get("/api/v1/overview").json;
    ASSERT_EQ(overview["failing"].size(), 1U);
    const auto& failing = overview["failing"][0];
    EXPECT_EQ(failing["run"], "c");
    EXPECT_EQ(failing["task"], "build");
    EXPECT_EQ(failing["times"], 2);
    EXPECT_EQ(failing["since"], "2026-01-02T04:05:05Z");
    EXPECT_EQ(failing["advice"], "renew the token of connection fb");
    EXPECT_EQ(overview["waiting"][0]["task"], "approve");
    EXPECT_EQ(overview["timeline"][0]["runs"].size(), 3U);
    EXPECT_EQ(overview["fresh"]["fresh"], 1);
    EXPECT_EQ(overview["fresh"]["unknown"], 1);
    world.clock.advance(hours(30));
    EXPECT_THAT(get("/api/v1/overview").json["timeline"], IsEmpty());
    EXPECT_EQ(get("/api/v1/overview?hours=48").json["timeline"].size(), 2U);
}

TEST_F(RunsApiTest, AScheduleThatNothingCameOfIsLate) {
    FlowSpec spec = *flows.flows[0].spec;
    spec.schedules = {Schedule(hours(6), Timestamp(hours(0)))};  // 00:00, 06:00, ...
    flows.flows[0].spec = std::make_shared<const FlowSpec>(spec);
    reload();
    const auto late = [&] { return get("/api/v1/overview").json["late"]; };
    world.clock.advance(hours(4));
    EXPECT_THAT(late(), IsEmpty()) << "it has never run: it is new";
    keep({.runs = {run("a", RunState::succeeded)}});  // 07:04
    EXPECT_THAT(late(), IsEmpty());
    world.clock.advance(hours(4));  // 12:04
    EXPECT_THAT(late(), IsEmpty()) << "within the usual time";
    world.clock.advance(minutes(2));
    ASSERT_EQ(late().size(), 1U);
    EXPECT_EQ(late()[0]["due"], "2026-01-02T12:00:00Z");
    EXPECT_EQ(get("/api/v1/flows/daily").json["late"]["since_ms"], 365'000);
    desk.paused["daily"] = true;
    EXPECT_THAT(late(), IsEmpty());
}

TEST_F(RunsApiTest, WhatHappensIsToldLive) {
    LiveEvents::Limits limits;
    limits.apart = limits.ping_every = std::chrono::milliseconds(0);
    LiveEvents events(limits);
    FlowFeed feed(events);
    const auto stream = events.open({"runs", "run:a", "log:a/load/1"}, "");
    EXPECT_TRUE(stream->next());
    const RunRow open = run("a", RunState::running);
    const FlowChanges changes{.runs = {open}, .tasks = {task(open, 0, TaskState::running)}};
    feed.hear(changes);
    EXPECT_EQ(stream->next(), ": ping\n\n") << "nothing before it has begun";
    ASSERT_TRUE(runs->keep(changes).ok());
    feed.begin(*views);
    feed.hear(changes);
    std::string told = *stream->next();
    EXPECT_THAT(told, HasSubstr("event: task\ndata: {"));
    EXPECT_THAT(told, HasSubstr("event: run\ndata: {"));
    EXPECT_THAT(told, HasSubstr("\"running\":1"));
    feed.hear(FlowChanges{.tasks = {task(open, 0, TaskState::succeeded)}});
    told = *stream->next();
    EXPECT_THAT(told, HasSubstr("\"succeeded\":1")) << "a run of which only a task has moved";
    TaskStep step;
    step.name = "s";
    feed.hear(TaskBoard::Change{{"a", "load", 1}, &step, 0});
    feed.hear(TaskBoard::Change{{"a", "load", 1}, nullptr, 12});
    told = *stream->next();
    EXPECT_THAT(told, HasSubstr("event: step\ndata: {"));
    EXPECT_THAT(told, HasSubstr("\"lines_total\":12}"));
}

TEST_F(RunsApiTest, EventsAreFollowedByTopics) {
    EXPECT_EQ(get("/api/v1/events?topics=runs,gone").status, 400);
    EXPECT_EQ(get("/api/v1/events", Role::nobody).status, 401);
    const auto answer = get("/api/v1/events?topics=runs");
    ASSERT_TRUE(answer.response.next_chunk);
    std::string chunk;
    EXPECT_TRUE(answer.response.next_chunk(chunk));
    EXPECT_THAT(chunk, HasSubstr("retry:"));
    EXPECT_EQ(live.streams(), 1U);
}

}  // namespace
}  // namespace shaduf::server
