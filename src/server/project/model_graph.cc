#include "server/project/model_graph.h"

#include <filesystem>
#include <mutex>
#include <sstream>

#include "base/text.h"
#include "models/command/dbt_command.h"
#include "models/command/warehouse_target.h"
#include "models/select/selector.h"

namespace shaduf::server {
namespace {

namespace fs = std::filesystem;

// Where what was parsed is kept for the next time; one at a time uses it.
constexpr std::string_view kTargetFolder = ".shaduf/targets/serve";
std::mutex parsing;

std::string whole_folder(const Project& project) { return fs::absolute(project.folder).lexically_normal().string(); }

models::InvocationWorld world_of(const Project& project, RunContext& run, const Registry<models::AdapterSpec>& adapters,
                                 models::Console& console) {
    const auto variable = [&project](const std::string& name) {
        return project.variable ? project.variable(name) : std::nullopt;
    };
    return {.run = run,
            .adapters = adapters,
            .messages = console,
            .environment = variable,
            .working_folder = whole_folder(project),
            .home_folder = variable("HOME").value_or(""),
            .other_target = [&project](const auto&) -> Result<std::optional<models::ProfileTarget>> {
                return std::optional(TRY(warehouse_target(project)));
            }};
}

ModelNode node_of(const models::Node& node) {
    ModelNode out;
    out.id = node.unique_id;
    out.kind = std::string(to_string(node.type));
    out.name = node.name;
    out.schema = node.schema;
    out.table = node.alias;
    out.description = node.description;
    out.file = node.place.original_path;
    out.group = node.group.value_or("");
    out.sql = node.raw_code;
    out.reads = node.depends_on_nodes;
    if (node.test) {
        out.on = node.test->attached_node;
        out.column = node.test->column_name.value_or("");
    }
    if (out.kind == "test" && out.on.empty() && !out.reads.empty()) out.on = out.reads.front();
    for (const auto& column : node.columns) out.columns.emplace_back(column.name, column.description);
    return out;
}

ModelGraph graph_of(const models::Manifest& manifest) {
    ModelGraph graph;
    for (const auto& node : manifest.nodes) graph.nodes.push_back(node_of(*node));
    for (const auto& source : manifest.sources) {
        ModelNode out;
        out.id = source->unique_id;
        out.kind = "source";
        out.name = source->source_name + "." + source->name;
        out.schema = source->schema;
        out.table = source->identifier;
        out.description = source->description;
        out.file = source->place.original_path;
        for (const auto& column : source->columns) out.columns.emplace_back(column.name, column.description);
        graph.nodes.push_back(std::move(out));
    }
    for (const auto& declaration : manifest.declarations) {
        if (declaration->type != models::ResourceType::exposure) continue;
        ModelNode out;
        out.id = declaration->unique_id;
        out.kind = "exposure";
        out.name = declaration->name;
        out.file = declaration->place.original_path;
        out.reads = declaration->depends_on_nodes;
        graph.nodes.push_back(std::move(out));
    }
    return graph;
}

}  // namespace

const ModelNode* ModelGraph::at_table(const std::string& schema, const std::string& table) const {
    const ModelNode* source = nullptr;
    for (const ModelNode& node : nodes) {
        const bool is_table = node.kind == "model" || node.kind == "seed" || node.kind == "snapshot";
        if (!is_table && node.kind != "source") continue;
        if (!equals_ignoring_case(node.schema, schema) || !equals_ignoring_case(node.table, table)) continue;
        if (is_table) return &node;
        source = &node;
    }
    return source;
}

Result<ModelGraph> read_model_graph(ServeContext& serve, const Project& project, RunContext& run,
                                    const std::string& select) {
    (void)serve;
    std::error_code ignored;
    if (!fs::exists(project.folder + "/dbt_project.yml", ignored)) return ModelGraph();
    std::ostringstream out, errors;
    models::Console console(out, errors);
    const auto adapters = builtin_adapters();
    const auto world = world_of(project, run, adapters, console);
    const std::string target = whole_folder(project) + "/" + std::string(kTargetFolder);
    const std::vector<std::string> words = {"parse", "--target-path", target, "--log-path", target + "/logs"};
    const auto arguments = TRY(models::parse_dbt_arguments(words, world.environment));
    const std::lock_guard lock(parsing);
    const auto invocation = TRY(models::Invocation::open(world, arguments));
    models::Findings findings;
    TRY(invocation->parse(findings));
    if (!findings.ok()) return findings.errors.front();
    ModelGraph graph = graph_of(invocation->manifest());
    if (!select.empty()) {
        const auto spec =
            TRY(models::parse_selection(std::vector<std::string>{select}, {}, models::IndirectSelection::empty));
        models::Selector selector({.manifest = invocation->manifest(), .project_root = world.working_folder});
        const auto chosen = TRY(selector.select(spec));
        for (const uint32_t index : chosen.indexes()) graph.selected.emplace_back(selector.members()[index].unique_id);
    }
    return graph;
}

std::map<std::string, TestCounts> count_tests(const ModelGraph& graph,
                                              const std::map<std::string, std::string>& states) {
    std::map<std::string, TestCounts> counts;
    for (const ModelNode& node : graph.nodes) {
        if (node.kind != "test" || node.on.empty()) continue;
        TestCounts& count = counts[node.on];
        ++count.total;
        const auto state = states.find(node.id);
        if (state == states.end()) continue;
        if (state->second == "passed") ++count.passed;
        if (state->second == "failed" || state->second == "error") ++count.failed;
    }
    return counts;
}

Result<std::string> run_model_command(const Project& project, RunContext& run, std::vector<std::string> words) {
    std::ostringstream out, errors;
    models::Console console(out, errors);
    const auto adapters = builtin_adapters();
    const auto world = world_of(project, run, adapters, console);
    const std::string target = whole_folder(project) + "/" + std::string(kTargetFolder);
    words.insert(words.end(), {"--target-path", target, "--log-path", target + "/logs"});
    const std::lock_guard lock(parsing);
    if (models::run_dbt_command(world, words, console) == 0) return out.str();
    const std::string said = errors.str().empty() ? out.str() : errors.str();
    return Error(ErrorKind::invalid_config, std::string(trim(said)));
}

}  // namespace shaduf::server
