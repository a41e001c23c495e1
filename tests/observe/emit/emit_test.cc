// Who is told of runs: the queue and its thread, events of OpenLineage, traces of OpenTelemetry. What the bodies must
// look like is checked here by rules written from the published schemas.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "io/http_server.h"
#include "observe/emit/event_sender.h"
#include "observe/emit/openlineage.h"
#include "observe/emit/run_identity.h"
#include "observe/emit/trace_export.h"
#include "tests/world.h"

namespace shaduf::observe {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

// A server that takes what is posted, or refuses it.
class Listener {
public:
    explicit Listener(std::vector<int> statuses = {}) : statuses_(std::move(statuses)) {
        server_ = HttpServer::start({}, [this](const HttpServerRequest& request) {
                      const std::lock_guard lock(mutex_);
                      HttpServerResponse answer;
                      answer.status = bodies_.size() < statuses_.size() ? statuses_[bodies_.size()] : 201;
                      bodies_.push_back(request.body);
                      paths_.push_back(request.path);
                      authorization_ = request.header("Authorization");
                      return answer;
                  }).release_value();
    }
    std::string url() const { return server_->url(); }
    std::vector<std::string> bodies() const {
        const std::lock_guard lock(mutex_);
        return bodies_;
    }
    std::string authorization() const {
        const std::lock_guard lock(mutex_);
        return authorization_;
    }

private:
    const std::vector<int> statuses_;
    mutable std::mutex mutex_;
    std::vector<std::string> bodies_, paths_;
    std::string authorization_;
    std::unique_ptr<HttpServer> server_;
};

class EmitTest : public testing::Test {
protected:
    EmitTest()
        : http(make_curl_transport()), run{world.clock,      world.cancellation, *http,       world.run.databases,
                                           world.run.events, world.shared,       *world.rates} {}
    std::unique_ptr<EventSender> sender(const std::string& url, size_t queue_max = 100) {
        return std::make_unique<EventSender>(
            run, metrics,
            EventSender::Settings{
                .target = "there", .url = url, .headers = {{"Authorization", "Bearer t"}}, .queue_max = queue_max},
            [this](const std::string& text) { warnings.push_back(text); });
    }
    static EventSender::Job body(const std::string& text) {
        return [text] { return std::vector<std::string>{text}; };
    }
    double sent() const { return metrics.value(metric::events_sent, {"there"}); }
    double dropped() const { return metrics.value(metric::events_dropped, {"there"}); }

    World world;
    std::unique_ptr<HttpTransport> http;
    RunContext run;
    Metrics metrics;
    std::vector<std::string> warnings;
};

TEST_F(EmitTest, SendsInOrderWithItsHeaders) {
    Listener listener;
    auto own = sender(listener.url());
    for (int i = 0; i < 20; ++i) own->offer(body(std::to_string(i)), 1);
    own->stop(seconds(30));
    ASSERT_EQ(listener.bodies().size(), 20U);
    EXPECT_EQ(listener.bodies()[19], "19");
    EXPECT_EQ(listener.authorization(), "Bearer t");
    EXPECT_EQ(sent(), 20);
    EXPECT_EQ(dropped(), 0);
}

TEST_F(EmitTest, TriesAgainWhatMayPass) {
    Listener listener({503, 429, 201});
    auto own = sender(listener.url());
    own->offer(body("x"), 1);
    own->stop(seconds(30));
    EXPECT_EQ(listener.bodies().size(), 3U);
    EXPECT_EQ(sent(), 1);
    EXPECT_THAT(world.clock.slept(), ElementsAre(milliseconds(1'000), milliseconds(2'000)));
    EXPECT_TRUE(warnings.empty());
}

TEST_F(EmitTest, WhatIsRefusedIsDroppedAndSaidOnce) {
    Listener listener({400, 401, 201, 503, 503, 503});
    auto own = sender(listener.url());
    for (const char* text : {"a", "b", "c", "d"}) own->offer(body(text), 1);
    own->stop(seconds(30));
    EXPECT_EQ(sent(), 1);
    EXPECT_EQ(dropped(), 3);
    ASSERT_EQ(warnings.size(), 2U) << "once for a and b, and again behind what was taken";
    EXPECT_THAT(warnings[0], HasSubstr("there cannot be told: it answers 400"));
}

TEST_F(EmitTest, NobodyWaitsForWhoDoesNotListen) {
    Listener listener;
    std::promise<void> may_go;
    auto waits = may_go.get_future().share();
    auto own = sender(listener.url(), 3);
    own->offer(
        [waits] {
            waits.wait();
            return std::vector<std::string>{"first"};
        },
        1);
    while (own->queued() != 1) std::this_thread::yield();
    for (int i = 0; i < 10; ++i) own->offer(body("x"), 1);  // none of them blocks
    EXPECT_GE(dropped(), 6);
    may_go.set_value();
    own->stop(seconds(30));
    EXPECT_EQ(sent() + dropped(), 11);
    EXPECT_LE(sent(), 5);
}

TEST_F(EmitTest, TheEndDoesNotWaitForWhoIsGone) {
    std::string gone;
    {
        const Listener listener;
        gone = listener.url();
    }
    auto own = sender(gone);
    for (int i = 0; i < 50; ++i) own->offer(body("x"), 1);
    own->stop(milliseconds(0));
    EXPECT_EQ(sent(), 0);
    EXPECT_EQ(dropped(), 50);
}

TEST(RunIdentity, IdsAreStableAndWellFormed) {
    EXPECT_TRUE(std::regex_match(uuid_of("a"), std::regex("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                                                          "[0-9a-f]{12}")));
    EXPECT_EQ(uuid_of("a"), uuid_of("a"));
    EXPECT_NE(uuid_of("a"), uuid_of("b"));
    EXPECT_EQ(trace_id_of("a").size(), 32U);
    EXPECT_EQ(span_id_of("a").size(), 16U);
}

FlowPtr make_flow() {
    std::vector<TaskNode> nodes = {{.name = "load"}, {.name = "build", .after = {"load"}}};
    FlowSpec spec{.name = "daily", .revision = "r1", .graph = TaskGraph::create(std::move(nodes)).release_value()};
    spec.tasks = {{.type = "pipeline"}, {.type = "models"}};
    return std::make_shared<const FlowSpec>(std::move(spec));
}

RunRow run_row(RunState state, Timestamp at) {
    RunRow row{.id = "run-1", .flow = "daily", .revision = "r1", .type = RunType::scheduled, .state = state};
    row.created = row.due = at;
    row.about = {at - std::chrono::hours(24), at};
    row.began = at + seconds(1);
    if (is_end(state)) row.ended = at + seconds(60);
    if (state == RunState::failed) row.why = "task build failed";
    return row;
}

TaskRow task_row(TaskIndex index, TaskState state, int attempt, Timestamp at) {
    TaskRow row{.run = "run-1", .task = index, .state = state, .attempt = attempt, .worker = "here"};
    row.began = at + seconds(2);
    if (is_end(state) || state == TaskState::retrying) row.ended = at + seconds(30);
    if (is_failure(state) || state == TaskState::retrying) row.why = "HTTP 500; try later";
    return row;
}

// RunEvent of the spec 2-0-2, and the facets that are sent: required members and their forms.
void check_openlineage(const Json& event) {
    SCOPED_TRACE(event.dump(1));
    const std::regex time(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)");
    const std::regex uuid("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
    const std::regex uri("[a-z]+:.+");
    const std::set<std::string> types = {"START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"};
    ASSERT_TRUE(event.is_object());
    EXPECT_TRUE(types.contains(event.at("eventType")));
    EXPECT_TRUE(std::regex_match(event.at("eventTime").get<std::string>(), time));
    EXPECT_TRUE(std::regex_match(event.at("producer").get<std::string>(), uri));
    EXPECT_THAT(event.at("schemaURL").get<std::string>(), HasSubstr("/2-0-2/OpenLineage.json#/$defs/RunEvent"));
    EXPECT_TRUE(std::regex_match(event.at("run").at("runId").get<std::string>(), uuid));
    EXPECT_FALSE(event.at("job").at("namespace").get<std::string>().empty());
    EXPECT_FALSE(event.at("job").at("name").get<std::string>().empty());
    const auto check_facets = [&](const Json& facets) {
        for (const auto& [name, facet] : facets.items()) {
            EXPECT_TRUE(std::regex_match(facet.at("_producer").get<std::string>(), uri)) << name;
            EXPECT_TRUE(std::regex_match(facet.at("_schemaURL").get<std::string>(), uri)) << name;
        }
    };
    check_facets(event.at("run").at("facets"));
    check_facets(event.at("job").at("facets"));
    const Json& run_facets = event["run"]["facets"];
    EXPECT_TRUE(run_facets.at("nominalTime").at("nominalStartTime").is_string());
    if (run_facets.contains("parent")) {
        EXPECT_TRUE(std::regex_match(run_facets["parent"].at("run").at("runId").get<std::string>(), uuid));
        EXPECT_TRUE(run_facets["parent"].at("job").at("name").is_string());
    }
    if (run_facets.contains("errorMessage")) {
        EXPECT_TRUE(run_facets["errorMessage"].at("message").is_string());
        EXPECT_TRUE(run_facets["errorMessage"].at("programmingLanguage").is_string());
    }
    const Json& type = event["job"]["facets"].at("jobType");
    EXPECT_TRUE(type.at("processingType").is_string() && type.at("integration").is_string());
    for (const char* side : {"inputs", "outputs"}) {
        for (const Json& dataset : event.at(side)) {
            EXPECT_FALSE(dataset.at("namespace").get<std::string>().empty());
            EXPECT_FALSE(dataset.at("name").get<std::string>().empty());
            check_facets(dataset.at("facets"));
            check_facets(dataset.value("outputFacets", Json::object()));
            for (const Json& field : dataset["facets"].value("schema", Json::object()).value("fields", Json::array())) {
                EXPECT_TRUE(field.at("name").is_string());
            }
            const Json lineage = dataset["facets"].value("columnLineage", Json::object());
            const Json fields = lineage.value("fields", Json::object());
            for (const auto& [column, of] : fields.items()) {
                for (const Json& input : of.at("inputFields")) {
                    for (const char* part : {"namespace", "name", "field"}) EXPECT_TRUE(input.at(part).is_string());
                    EXPECT_EQ(input.at("transformations").at(0).at("type"), "DIRECT");
                }
            }
        }
    }
}

class OpenLineageTest : public EmitTest {
protected:
    void hear(std::vector<RunRow> runs, std::vector<TaskRow> tasks) {
        lineage.hear(FlowChanges{.runs = std::move(runs), .tasks = std::move(tasks), .history = {}, .seen = {}});
    }
    std::vector<Json> events() {
        to->stop(seconds(30));
        std::vector<Json> found;
        for (const std::string& text : listener.bodies()) found.push_back(Json::parse(text, nullptr, false));
        return found;
    }
    static std::string name_of(const Json& event) {
        return event["eventType"].get<std::string>() + " " + event["job"]["name"].get<std::string>();
    }

    const FlowPtr flow = make_flow();
    Listener listener;
    std::unique_ptr<EventSender> to = sender(listener.url());
    const Timestamp at = world.clock.now();
    OpenLineage lineage{{.sender = *to,
                         .name_space = "acme",
                         .producer = "urn:shaduf:0.1.0",
                         .spec = [this](const auto&, const auto&) { return flow; },
                         .run = [this](const RunId&) { return std::optional(run_row(RunState::running, at)); },
                         .datasets =
                             [](const std::vector<TaskStep>& steps) {
                                 std::vector<Dataset> found;
                                 for (const TaskStep& step : steps) {
                                     found.push_back({.name_space = "postgres://shop",
                                                      .name = "public.orders",
                                                      .columns = {{"id", "int64"}, {"total", ""}},
                                                      .lineage = {}});
                                     found.push_back(
                                         {.name_space = "duckdb://local",
                                          .name = step.table,
                                          .columns = {{"id", ""}},
                                          .lineage = {{"id", {{"postgres://shop", "public.orders", "id", "copied"}}}},
                                          .rows = step.rows_written,
                                          .bytes = 70,
                                          .is_written = true});
                                 }
                                 return found;
                             }}};
};

TEST_F(OpenLineageTest, TellsARunAndItsTriesOnce) {
    TryReport report;
    report.steps = {{.name = "shop.orders",
                     .kind = "stream",
                     .state = TaskState::succeeded,
                     .table = "raw.orders",
                     .rows_read = 9,
                     .rows_written = 7}};
    TaskRow loaded = task_row(0, TaskState::succeeded, 1, at);
    loaded.outputs = report.to_json();
    for (int i = 0; i < 2; ++i) hear({run_row(RunState::running, at)}, {task_row(0, TaskState::running, 1, at)});
    for (int i = 0; i < 2; ++i) hear({}, {loaded});
    hear({}, {task_row(1, TaskState::running, 1, at)});
    hear({}, {task_row(1, TaskState::retrying, 1, at)});
    hear({}, {task_row(1, TaskState::running, 2, at)});
    hear({run_row(RunState::failed, at)}, {task_row(1, TaskState::failed, 2, at)});
    const auto found = events();
    std::vector<std::string> names;
    for (const Json& event : found) {
        check_openlineage(event);
        names.push_back(name_of(event));
    }
    ASSERT_THAT(names, ElementsAre("START daily", "START daily.load", "COMPLETE daily.load", "START daily.build",
                                   "FAIL daily.build", "START daily.build", "FAIL daily.build", "FAIL daily"));
    EXPECT_EQ(found[1]["run"]["runId"], found[2]["run"]["runId"]);
    EXPECT_NE(found[3]["run"]["runId"], found[5]["run"]["runId"]) << "each try is a run of its own";
    EXPECT_EQ(found[2]["run"]["facets"]["parent"]["run"]["runId"], found[0]["run"]["runId"]);
    EXPECT_EQ(found[6]["run"]["facets"]["errorMessage"]["message"], "HTTP 500; try later");
    const Json& written = found[2]["outputs"][0];
    EXPECT_EQ(written["outputFacets"]["outputStatistics"]["rowCount"], 7);
    EXPECT_EQ(written["facets"]["columnLineage"]["fields"]["id"]["inputFields"][0]["field"], "id");
    EXPECT_EQ(found[2]["inputs"][0]["facets"]["schema"]["fields"][0]["type"], "int64");
}

TEST_F(OpenLineageTest, ARunThatIsStoppedIsAborted) {
    hear({run_row(RunState::killed, at)}, {task_row(0, TaskState::killed, 1, at)});
    std::vector<std::string> names;
    for (const Json& event : events()) names.push_back(name_of(event));
    EXPECT_THAT(names, ElementsAre("START daily", "START daily.load", "ABORT daily.load", "ABORT daily"));
}

// ExportTraceServiceRequest as JSON of OTLP: names in lowerCamelCase, ids in hex, 64-bit numbers as texts.
void check_otlp(const Json& request) {
    const Json& resource = request.at("resourceSpans").at(0);
    EXPECT_EQ(resource.at("resource").at("attributes").at(0).at("key"), "service.name");
    for (const Json& span : resource.at("scopeSpans").at(0).at("spans")) {
        SCOPED_TRACE(span.dump());
        EXPECT_TRUE(std::regex_match(span.at("traceId").get<std::string>(), std::regex("[0-9a-f]{32}")));
        EXPECT_TRUE(std::regex_match(span.at("spanId").get<std::string>(), std::regex("[0-9a-f]{16}")));
        EXPECT_FALSE(span.at("name").get<std::string>().empty());
        EXPECT_TRUE(span.at("kind").is_number_integer());
        const auto began = std::stoll(span.at("startTimeUnixNano").get<std::string>());
        EXPECT_GE(std::stoll(span.at("endTimeUnixNano").get<std::string>()), began);
        EXPECT_TRUE(span.at("status").at("code").is_number_integer());
        for (const Json& attribute : span.at("attributes")) {
            EXPECT_TRUE(attribute.at("value").contains("stringValue") || attribute.at("value").contains("intValue"));
            for (const auto& [kind, value] : attribute["value"].items()) EXPECT_TRUE(value.is_string()) << kind;
        }
    }
}

class TraceExportTest : public EmitTest {
protected:
    void keep_run(int steps) {
        TryReport report;
        for (int i = 0; i < steps; ++i) {
            report.steps.push_back({.name = "shop.s" + std::to_string(i),
                                    .kind = "stream",
                                    .state = TaskState::succeeded,
                                    .began = at + seconds(3),
                                    .ended = at + seconds(9),
                                    .table = "raw.s",
                                    .rows_written = 5});
        }
        TaskRow task = task_row(0, TaskState::succeeded, 2, at);
        task.outputs = report.to_json();
        FlowChanges changes{.runs = {run_row(RunState::succeeded, at)}, .tasks = {task}, .history = {}, .seen = {}};
        const auto note = [&](int attempt, const char* state, int second) {
            changes.history.push_back({"run-1", TaskIndex{0}, attempt, state, "why", "", at + seconds(second)});
        };
        note(0, "queued", 1);
        note(1, "running", 2);
        note(1, "retrying", 10);
        note(1, "queued", 19);
        note(2, "running", 20);
        note(2, "succeeded", 30);
        ASSERT_TRUE(store->keep(changes).ok());
    }

    TempFolder folder;
    std::unique_ptr<RunStore> store = open_sqlite_run_store(folder / "runs.db").release_value();
    const FlowPtr flow = make_flow();
    const Timestamp at = world.clock.now();
    Listener listener;
    std::unique_ptr<EventSender> to = sender(listener.url());
    TraceExport traces{{.sender = *to,
                        .store = *store,
                        .project = "acme",
                        .environment = "dev",
                        .version = "0.1.0",
                        .spec = [this](const auto&, const auto&) { return flow; }}};
};

TEST_F(TraceExportTest, ATraceOfARunHasTriesAndSteps) {
    keep_run(2);
    traces.hear({.runs = {run_row(RunState::running, at)}, .tasks = {}, .history = {}, .seen = {}});
    traces.hear({.runs = {run_row(RunState::succeeded, at)}, .tasks = {}, .history = {}, .seen = {}});
    to->stop(seconds(30));
    ASSERT_EQ(listener.bodies().size(), 1U);
    const Json request = Json::parse(listener.bodies()[0]);
    check_otlp(request);
    const Json& spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"];
    ASSERT_EQ(spans.size(), 5U);
    EXPECT_FALSE(spans[0].contains("parentSpanId"));
    EXPECT_EQ(spans[1]["parentSpanId"], spans[0]["spanId"]);
    EXPECT_EQ(spans[1]["status"]["code"], 2);
    EXPECT_EQ(spans[1]["status"]["message"], "why");
    EXPECT_EQ(spans[2]["status"]["code"], 1);
    EXPECT_EQ(spans[3]["parentSpanId"], spans[2]["spanId"]) << "steps are those of the last try";
    EXPECT_EQ(std::stoll(spans[1]["endTimeUnixNano"].get<std::string>()) -
                  std::stoll(spans[1]["startTimeUnixNano"].get<std::string>()),
              8'000'000'000);
    std::set<std::string> ids;
    for (const Json& span : spans) ids.insert(span["spanId"]);
    EXPECT_EQ(ids.size(), spans.size());
    EXPECT_EQ(traces.bodies_of(run_row(RunState::succeeded, at))[0], listener.bodies()[0]) << "the same ids again";
}

TEST_F(TraceExportTest, ALargeRunIsSentInParts) {
    keep_run(1'200);
    size_t spans = 0;
    const auto bodies = traces.bodies_of(run_row(RunState::succeeded, at));
    for (const std::string& body : bodies) {
        const Json request = Json::parse(body);
        check_otlp(request);
        const size_t own = request["resourceSpans"][0]["scopeSpans"][0]["spans"].size();
        EXPECT_LE(own, TraceExport::kSpansMax);
        spans += own;
    }
    EXPECT_EQ(spans, 1'203U);
    EXPECT_EQ(bodies.size(), 3U);
}

}  // namespace
}  // namespace shaduf::observe
