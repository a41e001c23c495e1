#include <algorithm>

#include "base/json_writer.h"
#include "base/text.h"
#include "flow/pipeline_tables.h"
#include "server/answers.h"
#include "server/data/limited_run.h"
#include "server/data/warehouse.h"
#include "server/project/check_results.h"
#include "server/project/model_graph.h"

namespace shaduf::server {
namespace {

constexpr std::chrono::milliseconds kLimit{30'000};
constexpr int64_t kPageMax = 1'000;

constexpr ShapeField kTimeFields[] = {{"at", &kText}, {"state", &kText}, {"rows", &kInteger}};
constexpr Shape kResult{.kind = ShapeKind::object, .name = "CheckResult", .fields = kTimeFields};
constexpr std::string_view kKinds[] = {"expectation", "test"};
constexpr Shape kKind{.kind = ShapeKind::text, .choices = kKinds};
constexpr ShapeField kCheckFields[] = {
    {"id", &kText},
    {"kind", &kKind},
    {"on", &kText, "The table, as schema.table."},
    {"column", &kText, "Of checks of one column.", true},
    {"text", &kText, "What is expected, or the name of the test."},
    {"severity", &kText, "Of an expectation: warn, error or fatal.", true},
    {"state", &kText, "passed, warned, failed, error, or never: it has not run."},
    {"last_at", &kText, "", true},
    {"failing_rows", &kInteger, "Of the last time.", true},
    {"message", &kText, "What was found, when it did not pass.", true},
    {"history", &kListOf<kResult>, "The last 100 times, oldest first."},
    {"file", &kText},
    {"line", &kInteger, "", true},
};
constexpr Shape kCheck{.kind = ShapeKind::object, .name = "Check", .fields = kCheckFields};
constexpr ShapeField kChecksFields[] = {
    {"items", &kListOf<kCheck>},
    {"next", &kText, "What `after` takes for the next page; null: this is the last.", true},
    {"models_error", &kText, "Why the tests of the models are not among them.", true}};
constexpr Shape kChecks{.kind = ShapeKind::object, .name = "Checks", .fields = kChecksFields};
constexpr QueryParamSpec kListQuery[] = {
    {"table", &kText, "Only of this table: schema.table."},
    {"state", &kText, "Only of this state."},
    {"limit", &kInteger, "At most so many; at most 1000.", "100"},
    {"after", &kText, "The cursor of the page before."},
};

struct Check {
    std::string kind;
    std::string on;
    std::string column;
    std::string text;
    std::string severity;
    std::string file;
    int64_t line = 0;
};
using Checks = std::map<std::string, Check>;  // by id

std::string_view name_of(ExpectSeverity severity) {
    switch (severity) {
        case ExpectSeverity::warn: return "warn";
        case ExpectSeverity::error: return "error";
        case ExpectSeverity::fatal: return "fatal";
    }
    return "error";
}

void add_expectations(const Project& project, Checks& checks) {
    for (const PipelineConfig& pipeline : project.pipelines) {
        for (const StreamConfig& stream : pipeline.streams) {
            const std::string table = to_lower(schema_of(project, pipeline) + "." + stream.table);
            for (const ExpectConfig& expect : stream.expect) {
                Check check{.kind = "expectation", .on = table, .column = "", .text = expect.text};
                if (expect.columns.size() == 1) check.column = expect.columns.front();
                check.severity = name_of(expect.severity);
                check.file = expect.place.file.empty() ? pipeline.file : expect.place.file;
                check.line = expect.place.line;
                checks.emplace(expectation_id(pipeline.name, stream.name, expect.text), std::move(check));
            }
        }
    }
}

void add_tests(const ModelGraph& models, Checks& checks) {
    std::map<std::string, const ModelNode*> by_id;
    for (const ModelNode& node : models.nodes) by_id[node.id] = &node;
    for (const ModelNode& node : models.nodes) {
        if (node.kind != "test") continue;
        Check check{.kind = "test", .on = "", .column = node.column, .text = node.name};
        const auto on = by_id.find(node.on);
        if (on != by_id.end()) check.on = to_lower(on->second->schema + "." + on->second->table);
        check.file = node.file;
        checks.emplace(node.id, std::move(check));
    }
}

void write_check(JsonWriter& json, const std::string& id, const Check& check, const std::vector<CheckRecord>& results) {
    const CheckRecord* last = results.empty() ? nullptr : &results.back();
    json.begin_object().field("id", id).field("kind", check.kind).field("on", check.on);
    write_text_or_null(json, "column", check.column);
    json.field("text", check.text);
    write_text_or_null(json, "severity", check.severity);
    json.field("state", last == nullptr ? "never" : last->state);
    write_text_or_null(json, "last_at", last == nullptr ? "" : last->at);
    json.key("failing_rows");
    last == nullptr ? json.null() : json.integer(last->rows);
    write_text_or_null(json, "message", last == nullptr ? "" : make_valid_utf8(last->message));
    json.key("history").begin_array();
    for (const CheckRecord& result : results) {
        json.begin_object().field("at", result.at).field("state", result.state).field("rows", result.rows).end_object();
    }
    json.end_array().field("file", check.file).key("line");
    check.line == 0 ? json.null() : json.integer(check.line);
    json.end_object();
}

Result<ApiAnswer> list(ApiCall& call) {
    const auto project = TRY(project_of(call.serve));
    LimitedRun limited(call.serve.world, kLimit);
    Checks checks;
    add_expectations(*project, checks);
    // Expectations are of use without the models.
    const auto models = limited.explain(read_model_graph(call.serve, *project, limited.run()));
    if (models.ok()) add_tests(models.value(), checks);
    const auto results = check_results(call.serve);
    const std::string table = to_lower(call.query("table")), state = call.query("state"), after = call.query("after");
    const auto limit = static_cast<size_t>(std::clamp<int64_t>(call.query_integer("limit"), 1, kPageMax));
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    size_t count = 0;
    std::string last, next;
    for (auto at = checks.upper_bound(after); at != checks.end(); ++at) {
        const auto& [id, check] = *at;
        const auto found = results.find(id);
        const auto& own = found == results.end() ? std::vector<CheckRecord>() : found->second;
        const std::string now = own.empty() ? "never" : own.back().state;
        if ((!table.empty() && check.on != table) || (!state.empty() && now != state)) continue;
        if (count == limit) {
            next = last;
            break;
        }
        ++count;
        last = id;
        write_check(json, id, check, own);
    }
    write_text_or_null(json.end_array(), "next", next);
    write_text_or_null(json, "models_error", models.ok() ? "" : models.error().to_string());
    return ApiAnswer{.body = json.end_object().str()};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/checks",
     .id = "listChecks",
     .summary = "Expectations of streams and tests of models, with what came of them.",
     .query = kListQuery,
     .response = &kChecks,
     .handle = list},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_checks;
const server::ApiSpec api_checks{
    .name = "checks", .summary = "What data is expected to be.", .endpoints = server::kEndpoints};

}  // namespace shaduf
