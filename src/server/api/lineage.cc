#include "server/project/lineage.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "flow/pipeline_tables.h"
#include "server/answers.h"
#include "server/data/limited_run.h"
#include "server/data/warehouse.h"
#include "server/project/check_results.h"
#include "server/project/stream_history.h"

namespace shaduf::server {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::milliseconds kLimit{30'000};
constexpr size_t kNodesMax = 300;

constexpr ShapeField kNodeFields[] = {
    {"id", &kText},
    {"kind", &kText, "connection, source, table, seed, model, snapshot or exposure"},
    {"name", &kText},
    {"schema", &kText, "", true},
    {"table", &kText, "", true},
    {"group", &kText, "The pipeline that loads it, or the group of the model.", true},
    {"state", &kText, "ok, failing, running or never; of tables that a pipeline loads.", true},
    {"fresh_at", &kText, "", true},
    {"tests", &kAny},
    {"description", &kText, "", true},
    {"file", &kText, "", true},
};
constexpr Shape kNode{.kind = ShapeKind::object, .name = "LineageNode", .fields = kNodeFields};
constexpr ShapeField kEdgeFields[] = {{"from", &kAny}, {"to", &kAny}};
constexpr Shape kEdge{.kind = ShapeKind::object, .name = "LineageEdge", .fields = kEdgeFields};
constexpr ShapeField kLineageFields[] = {
    {"nodes", &kListOf<kNode>},
    {"edges", &kListOf<kEdge>},
    {"hidden", &kAny, "By node: how many neighbours before and after it are not shown."},
    {"total", &kInteger, "Nodes of the whole graph."},
    {"cut", &kBoolean, "More are selected than are shown."},
};
constexpr Shape kLineage{.kind = ShapeKind::object, .name = "Lineage", .fields = kLineageFields};
constexpr ShapeField kColumnsFields[] = {{"edges", &kListOf<kEdge>}};
constexpr Shape kColumns{.kind = ShapeKind::object, .name = "ColumnLineage", .fields = kColumnsFields};
constexpr QueryParamSpec kLineageQuery[] = {
    {"select", &kText, "What to show, in dbt's syntax: names with + before and behind; all unless given."},
    {"depth", &kInteger, "Steps around what is selected without a +.", "1"},
};
constexpr QueryParamSpec kColumnsQuery[] = {{"table", &kText, "schema.table, or the name of a model."},
                                            {"column", &kText}};

// The nodes that a selection shows. What no node is called is given to dbt's methods (tag:, path:, ...).
Result<std::set<std::string>> select_nodes(ApiCall& call, const Project& project, RunContext& run,
                                           const LineageGraph& graph) {
    std::set<std::string> shown;
    const std::string select = call.query("select");
    const int64_t depth = std::clamp<int64_t>(call.query_integer("depth"), 0, 100);
    for (const std::string_view word : split(select, ' ')) {
        if (word.empty()) continue;
        const LineageCriterion criterion = read_criterion(word);
        std::set<std::string> found = graph.named(criterion.name);
        if (found.empty()) {
            const auto chosen = TRY(read_model_graph(call.serve, project, run, criterion.name));
            for (const std::string& id : chosen.selected) {
                if (graph.nodes().contains(graph.id_of(id))) found.insert(graph.id_of(id));
            }
        }
        const bool is_bare = !criterion.has_before && !criterion.has_after;
        const auto before =
            criterion.has_before || is_bare ? graph.reach(found, true, is_bare ? depth : criterion.before) : found;
        const auto after =
            criterion.has_after || is_bare ? graph.reach(found, false, is_bare ? depth : criterion.after) : found;
        shown.insert(before.begin(), before.end());
        shown.insert(after.begin(), after.end());
    }
    if (trim(select).empty()) {
        for (const auto& [id, node] : graph.nodes()) shown.insert(id);
    }
    return shown;
}

// Too many: those that lie first, from the connections on.
void cut(const LineageGraph& graph, std::set<std::string>& shown) {
    std::set<std::string> kept;
    for (int64_t step = 0; kept.size() < kNodesMax && kept.size() < shown.size(); ++step) {
        const size_t before = kept.size();
        const auto reached = kept.empty() ? std::set<std::string>{*shown.begin()} : graph.reach(kept, false, 1);
        for (const std::string& id : reached) {
            if (kept.size() < kNodesMax && shown.contains(id)) kept.insert(id);
        }
        if (kept.size() > before) continue;
        const auto next = std::find_if(shown.begin(), shown.end(), [&](const auto& id) { return !kept.contains(id); });
        kept.insert(*next);
    }
    shown = std::move(kept);
}

struct LoadState {
    std::string state = "never";
    std::string fresh_at;
};

std::map<std::string, LoadState> load_states(const ServeContext& serve, const Project& project) {
    std::map<std::string, LoadState> states;
    const auto records = latest_of_streams(serve);
    for (const StreamRecord& record : records.ok() ? records.value() : std::vector<StreamRecord>()) {
        for (const PipelineConfig& pipeline : project.pipelines) {
            if (pipeline.name != record.progress.pipeline) continue;
            for (const StreamConfig& stream : pipeline.streams) {
                if (stream.name != record.progress.stream) continue;
                LoadState& state = states["table:" + to_lower(schema_of(project, pipeline) + "." + stream.table)];
                state.state = record.status == "failed" ? "failing" : record.status == "running" ? "running" : "ok";
                if (record.status == "done") state.fresh_at = record.started_at;
            }
        }
    }
    return states;
}

void write_node(JsonWriter& json, const LineageNode& node, const std::map<std::string, LoadState>& states) {
    json.begin_object().field("id", node.id).field("kind", node.kind).field("name", node.name);
    write_text_or_null(json, "schema", node.schema);
    write_text_or_null(json, "table", node.table);
    write_text_or_null(json, "group", node.group);
    const auto state = states.find(node.id);
    write_text_or_null(json, "state",
                       state != states.end()  ? state->second.state
                       : node.kind == "table" ? "never"
                                              : "");
    write_text_or_null(json, "fresh_at", state == states.end() ? "" : state->second.fresh_at);
    json.key("tests").begin_object().field("passed", node.tests.passed).field("failed", node.tests.failed);
    json.field("total", node.tests.total).end_object();
    write_text_or_null(json, "description", node.description);
    write_text_or_null(json, "file", node.file);
    json.end_object();
}

Result<ApiAnswer> show(ApiCall& call) {
    const auto project = TRY(project_of(call.serve));
    LimitedRun limited(call.serve.world, kLimit);
    const ModelGraph models = TRY(limited.explain(read_model_graph(call.serve, *project, limited.run())));
    const LineageGraph graph(*project, models, count_tests(models, last_states(call.serve)));
    std::set<std::string> shown = TRY(limited.explain(select_nodes(call, *project, limited.run(), graph)));
    const bool is_cut = shown.size() > kNodesMax;
    if (is_cut) cut(graph, shown);
    const auto states = load_states(call.serve, *project);
    JsonWriter json;
    json.begin_object().key("nodes").begin_array();
    for (const std::string& id : shown) write_node(json, graph.nodes().at(id), states);
    json.end_array().key("edges").begin_array();
    for (const auto& [from, to] : graph.edges()) {
        if (shown.contains(from) && shown.contains(to)) {
            json.begin_object().field("from", from).field("to", to).end_object();
        }
    }
    json.end_array().key("hidden").begin_object();
    for (const std::string& id : shown) {
        const auto [before, after] = graph.hidden(id, shown);
        if (before + after > 0) json.key(id).begin_object().field("up", before).field("down", after).end_object();
    }
    json.end_object().field("total", static_cast<int64_t>(graph.nodes().size()));
    write_flag(json, "cut", is_cut);
    return ApiAnswer{.body = json.end_object().str()};
}

// Branches of `shaduf lineage --json` as edges; `before` says in which direction they lead.
void add_edges(const LineageGraph& graph, const Json& branches, const Json& at, bool before,
               std::set<std::string>& edges) {
    for (const Json& branch : branches) {
        const Json other = {{"node", graph.id_of(branch.value("relation", ""))},
                            {"column", branch.value("column", "")}};
        const Json edge = {{"from", before ? other : at}, {"to", before ? at : other}};
        if (edges.insert(edge.dump()).second)
            add_edges(graph, branch.value("branches", Json::array()), other, before, edges);
    }
}

Result<ApiAnswer> columns(ApiCall& call) {
    const auto project = TRY(project_of(call.serve));
    LimitedRun limited(call.serve.world, kLimit);
    const ModelGraph models = TRY(limited.explain(read_model_graph(call.serve, *project, limited.run())));
    const std::string table = call.query("table");
    const size_t dot = table.find('.');
    const ModelNode* model = dot == table.npos ? nullptr : models.at_table(table.substr(0, dot), table.substr(dot + 1));
    const std::string name = (model == nullptr ? table : model->name) + "." + call.query("column");
    const std::string said =
        TRY(limited.explain(run_model_command(*project, limited.run(), {"lineage", name, "--json"})));
    const Json report = Json::parse(said, nullptr, false);
    if (!report.is_object()) return Error(ErrorKind::internal, "the lineage of columns cannot be read");
    // Nodes are called here as in the graph of tables.
    const LineageGraph graph(*project, models, {});
    const Json self = {{"node", graph.id_of(report.value("relation", ""))}, {"column", report.value("column", "")}};
    std::set<std::string> edges;
    add_edges(graph, report.value("upstream", Json::array()), self, true, edges);
    add_edges(graph, report.value("downstream", Json::array()), self, false, edges);
    JsonWriter json;
    json.begin_object().key("edges").begin_array();
    for (const std::string& edge : edges) json.raw(edge);
    return ApiAnswer{.body = json.end_array().end_object().str()};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/lineage",
     .id = "getLineage",
     .summary = "What comes from what, from connections to exposures.",
     .query = kLineageQuery,
     .response = &kLineage,
     .handle = show},
    {.method = "GET",
     .path = "/api/v1/lineage/columns",
     .id = "getColumnLineage",
     .summary = "Where a column comes from, and who reads it.",
     .query = kColumnsQuery,
     .response = &kColumns,
     .handle = columns},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_lineage;
const server::ApiSpec api_lineage{
    .name = "lineage", .summary = "What comes from what.", .endpoints = server::kEndpoints};

}  // namespace shaduf
