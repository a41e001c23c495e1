#include "models/command/graph_command.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "models/artifacts/manifest_json.h"
#include "models/artifacts/node_value.h"
#include "models/command/log_setup.h"
#include "models/command/operation_command.h"
#include "models/context/native.h"
#include "models/context/node_scope.h"
#include "models/run/compiler.h"
#include "models/run/publication.h"

namespace shaduf::models {
namespace {

using jinja::Ref;
using jinja::Value;

bool writes_relation(const Node& node, const ContextServices& services) {
    if (node.type == ResourceType::test) {
        return node.config.flag("store_failures") || services.flags->find("STORE_FAILURES")->truth();
    }
    const bool is_relational = node.type == ResourceType::model || node.type == ResourceType::seed ||
                               node.type == ResourceType::snapshot || node.type == ResourceType::function;
    return is_relational && node.config.text("materialized") != "ephemeral";
}

using Schemas = std::set<std::pair<std::string, std::string>>;  // database, schema

Schemas schemas_of(const std::vector<const Node*>& nodes, const ContextServices& services) {
    Schemas schemas;
    for (const Node* node : nodes) {
        if (writes_relation(*node, services)) schemas.emplace(node->database.value_or(""), node->schema);
    }
    return schemas;
}

// By the macro create_schema, where the database does not have it yet.
Result<void> create_schemas(Invocation& invocation, const Schemas& schemas, Session& session) {
    const ContextServices& services = invocation.services();
    NodeRun run;
    run.session = &session;
    NodeScope scope(services, Phase::run, {.package = services.root_package, .label = "create_schemas"});
    scope.run_with(run);
    jinja::Vm vm(vm_options(RenderMode::text), &services.run.cancellation);
    const Value adapter = *TRY(scope.find_builtin("adapter"));
    // Methods of the adapter call macros, which need a scope to run in.
    for (const auto& [database, schema] : schemas) {
        Relation::Parts parts;
        parts.path = {database, schema, std::nullopt};
        parts.quoted = services.quoting;
        parts.included = services.adapter.relation_style().included;
        parts.included.identifier = false;
        const Value relation(Ref<jinja::Object>(new Relation(services.adapter.relation_style(), std::move(parts))));
        const jinja::NamedValue argument = {"relation", relation};
        const Macro* macro = scope.find_macro("create_schema");
        if (macro == nullptr) return Error(ErrorKind::internal, "there is no macro create_schema");
        TRY(scope.call_macro(vm, *macro, {{}, std::span(&argument, 1)}));
        TRY(session.commit());
    }
    return {};
}

std::vector<const Node*> hooks_of(const Manifest& manifest, std::string_view tag) {
    std::vector<const Node*> hooks;
    for (const auto& node : manifest.nodes) {
        const bool is_it = node->type == ResourceType::operation && !node->tags.empty() && node->tags.front() == tag;
        if (is_it) hooks.push_back(node.get());
    }
    // Those of packages first, each in the order of its file.
    std::stable_sort(hooks.begin(), hooks.end(), [&](const Node* a, const Node* b) {
        const bool a_is_root = a->package == manifest.root_package;
        const bool b_is_root = b->package == manifest.root_package;
        if (a_is_root != b_is_root) return b_is_root;
        return a->package == b->package && a->hook_index < b->hook_index;
    });
    return hooks;
}

Value copy_of(const jinja::Dict& dict) {
    auto copy = jinja::make<jinja::Dict>();
    for (const auto& [key, value] : dict.entries()) copy->set(key, value);
    return copy;
}

Value schemas_value(const Schemas& schemas) {
    std::vector<Value> names;
    for (const auto& [database, schema] : schemas) names.emplace_back(schema);
    return Value::list(std::move(names));
}

// `results` of hooks behind the run: what became of each node, with its own dict under `node`.
Value results_value(const std::vector<NodeResult>& results, const Manifest& manifest) {
    std::vector<Value> values;
    for (const NodeResult& result : results) {
        auto value = jinja::make<jinja::Dict>();
        const Node* node = manifest.node(result.unique_id);
        value->set("node", node == nullptr ? Value::none() : node_value(*node, NoneValues::kept));
        value->set("unique_id", result.unique_id);
        value->set("status", to_string(result.status));
        value->set("message", result.message.empty() ? Value::none() : Value(result.message));
        value->set("thread_id", result.thread_id);
        value->set("execution_time", result.execution_seconds);
        value->set("adapter_response",
                   result.adapter_response.is_none() ? Value(jinja::make<jinja::Dict>()) : result.adapter_response);
        value->set("failures", result.failures ? Value(*result.failures) : Value::none());
        const Value dict(value);
        value->set("to_dict",
                   jinja::make_function("to_dict",
                                        [copy = copy_of(*value)](jinja::Vm&, const jinja::Arguments&) -> Result<Value> {
                                            return copy;
                                        }));
        values.push_back(dict);
    }
    return Value::list(std::move(values));
}

// False: one of them failed.
Result<bool> run_hooks(const std::vector<const Node*>& hooks, Invocation& invocation, Compiler& compiler,
                       Session& session, const Schemas& schemas, Console& console, const Value& ran,
                       std::vector<NodeResult>& results) {
    NodeRunner runner(invocation.services(), compiler, session, "MainThread");
    bool is_well = true;
    for (const Node* hook : hooks) {
        NodeResult result = runner.run_operation(*hook, schemas_value(schemas), ran);
        if (result.status == NodeStatus::error) {
            console.error("Failure in " + hook->name + "\n  " + result.message);
            is_well = false;
        }
        results.push_back(std::move(result));
        if (!is_well) break;
    }
    return is_well;
}

// What a command leaves for those that read of it, also when it failed.
Result<void> write_results(const Invocation& invocation, const std::vector<NodeResult>& results, double seconds) {
    if (!invocation.arguments().is_on("write-json", true)) return {};
    TRY(write_manifest(invocation.services(), results, invocation.selectors_json()));
    return write_run_results(invocation.services(), results, seconds);
}

GraphRunOptions options_of(const Invocation& invocation, RunKind kind) {
    const DbtArguments& arguments = invocation.arguments();
    GraphRunOptions options;
    options.kind = kind;
    options.threads = invocation.threads();
    options.fail_fast = arguments.is_on("fail-fast");
    options.tests_block = arguments.verb == "build";
    options.audits = options.tests_block && kind == RunKind::execute;
    options.continue_on_error = arguments.text("on-error") == "continue";
    return options;
}

void warn_of_untested(const std::vector<const Node*>& nodes, Console& console) {
    for (const Node* node : nodes) {
        if (!publishes_after_tests(*node)) continue;
        console.message(MessageSink::Level::warning, node->place.original_path + ": " + node->name +
                                                         " is published at once: `run` has no tests that "
                                                         "publish: after_tests could wait for; use `build`");
    }
}

// A flag of dbt_project.yml.
bool is_flag_on(const ContextServices& services, std::string_view name) {
    const Value* value = services.project_flags->find(name);
    return value != nullptr && value->truth();
}

std::vector<NodeResult> skipped(const std::vector<const Node*>& nodes) {
    std::vector<NodeResult> results;
    for (const Node* node : nodes) results.emplace_back().unique_id = node->unique_id;
    return results;
}

// Adds to `results` in the order in which things ran, also when it ends in an error.
Result<void> run_nodes(Invocation& invocation, const std::vector<const Node*>& nodes, RunKind kind, Console& console,
                       std::vector<NodeResult>& results) {
    ContextServices& services = invocation.services();
    Compiler compiler(services);
    const auto session = TRY(invocation.adapter().connect(invocation.run(), "MainThread"));
    const Schemas schemas = schemas_of(nodes, services);
    if (kind == RunKind::execute) TRY(check_publications(nodes));
    if (kind != RunKind::compile) TRY(create_schemas(invocation, schemas, *session));
    bool skips = false;
    if (kind == RunKind::execute) {
        const bool is_well = TRY(run_hooks(hooks_of(services.manifest, "on-run-start"), invocation, compiler, *session,
                                           schemas, console, Value(), results));
        skips = !is_well && is_flag_on(services, "skip_nodes_if_on_run_start_fails");
    }
    std::vector<NodeResult> ran =
        skips ? skipped(nodes) : TRY(run_graph(services, compiler, nodes, options_of(invocation, kind), console));
    const Value told = results_value(ran, services.manifest);
    results.insert(results.end(), std::make_move_iterator(ran.begin()), std::make_move_iterator(ran.end()));
    if (kind == RunKind::execute) {
        TRY(run_hooks(hooks_of(services.manifest, "on-run-end"), invocation, compiler, *session, schemas, console, told,
                      results));
    }
    return {};
}

}  // namespace

Result<int> run_graph_command(Invocation& invocation, const std::vector<const Node*>& nodes, RunKind kind,
                              Console& console) {
    const auto started = std::chrono::steady_clock::now();
    ContextServices& services = invocation.services();
    if (nodes.empty()) {
        console.line("Nothing to do. Try checking your model configs and model specification args");
        TRY(write_results(invocation, {}, 0));
        return 0;
    }
    for (const Node* node : nodes) services.selected.push_back(node->unique_id);
    console.event(concurrency_line(invocation, nodes.size()));
    if (kind == RunKind::execute && invocation.arguments().verb == "run") warn_of_untested(nodes, console);
    std::vector<NodeResult> results;
    const auto done = run_nodes(invocation, nodes, kind, console, results);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    TRY(write_results(invocation, results, seconds));
    if (!done.ok()) return done.error();
    const bool failed =
        std::any_of(results.begin(), results.end(), [](const NodeResult& result) { return is_failure(result.status); });
    if (kind == RunKind::compile && !failed)
        TRY(print_compiled(invocation, results, console));
    else
        console.summary(results, seconds);
    return failed ? 1 : 0;
}

}  // namespace shaduf::models
