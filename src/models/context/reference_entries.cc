#include <algorithm>
#include <array>

#include "base/text.h"
#include "models/artifacts/node_value.h"
#include "models/context/native.h"
#include "models/context/node_scope.h"
#include "models/context/read_notes.h"
#include "models/context/relations.h"

// Names of the context that lead to other resources: ref, source, metric, function, this, model, graph.
namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Kind;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

std::string spelled(const ModelRef& ref) {
    std::string text = ref.package ? "'" + *ref.package + "', " : "";
    text += "'" + ref.name + "'";
    if (ref.version) text += ", v=" + *ref.version;
    return text;
}

Result<ModelRef> read_ref(const NodeScope& scope, const Arguments& arguments) {
    const auto& given = arguments.positional;
    if (given.empty() || given.size() > 2) {
        return scope.error("ref() takes at most two arguments (" + std::to_string(given.size()) +
                           " given): ref('model') or ref('package', 'model')");
    }
    for (const Value& name : given) {
        if (!name.is_string() && !(name.is_none() && given.size() == 2)) {
            return scope.error("The name argument to ref() must be a string, got " + std::string(name.type_name()));
        }
    }
    ModelRef ref;
    ref.name = given.back().text();
    if (given.size() == 2 && given[0].is_string()) ref.package = given[0].string();
    for (const auto& [name, value] : arguments.named) {
        if ((name == "v" || name == "version") && value.truth()) ref.version = value.text();
    }
    return ref;
}

// The nearest right name, of all that could be meant.
Error unknown_ref(const NodeScope& scope, const ModelRef& ref) {
    std::vector<std::string> names;
    for (const auto& node : scope.services().manifest.nodes) {
        const bool is_referable = node->type == ResourceType::model || node->type == ResourceType::seed ||
                                  node->type == ResourceType::snapshot;
        if (is_referable) names.push_back(node->name);
    }
    return scope.error("ref(" + spelled(ref) + ") finds no model, seed or snapshot" + did_you_mean(ref.name, names));
}

// A private model is its group's own, a protected one its package's.
Result<void> check_access(const NodeScope& scope, const Node& target) {
    const Node* from = scope.node();
    if (from == nullptr || target.type != ResourceType::model) return {};
    if (target.access == "private" && target.package == from->package && target.group != from->group) {
        return scope.error("Node " + from->unique_id + " attempted to reference node " + target.unique_id +
                           ", which is not allowed because the referenced node is private to the '" +
                           target.group.value_or("") + "' group.");
    }
    return {};
}

Result<Value> resolve_ref(const NodeScope& scope, const ModelRef& ref) {
    const ContextServices& services = scope.services();
    if (scope.phase() == Phase::parse) {
        if (Captured* captured = scope.captured()) captured->refs.push_back(ref);
        return own_relation(scope);
    }
    const Node* target = services.manifest.find_ref(ref, scope.subject().package);
    if (target == nullptr) return unknown_ref(scope, ref);
    TRY(check_access(scope, *target));
    if (scope.resolve()) {
        if (auto value = TRY(scope.resolve()(ref, *target))) return *value;
    }
    const Node* node = scope.node();
    const bool is_ephemeral = target->type == ResourceType::model && target->config.text("materialized") == "ephemeral";
    // A query of the command line was not parsed before it runs.
    const bool is_inline = node == nullptr || node->type == ResourceType::sql_operation;
    const bool depends = is_inline || std::find(node->depends_on_nodes.begin(), node->depends_on_nodes.end(),
                                                target->unique_id) != node->depends_on_nodes.end();
    const bool is_checked = node != nullptr && node->type != ResourceType::operation;
    if (is_checked && !depends) {
        return scope.error(
            "dbt was unable to infer all dependencies for the model \"" + node->name +
            "\".\nThis typically happens when ref() is placed within a conditional block.\n\nTo fix this, "
            "add the following hint to the top of the model \"" +
            node->name + "\":\n\n-- depends_on: {{ ref(" + spelled(ref) + ") }}");
    }
    if (!is_ephemeral) return node_relation(scope, *target);
    if (scope.run() == nullptr || node == nullptr) {
        return scope.error("Operations can not ref() ephemeral nodes, but " + target->name + " is ephemeral");
    }
    auto& ctes = scope.run()->ctes;
    if (std::find(ctes.begin(), ctes.end(), target->unique_id) == ctes.end()) ctes.push_back(target->unique_id);
    return ephemeral_relation(scope, *target);
}

Result<Value> make_ref(const NodeScope& scope) {
    return jinja::make_function("ref", [&scope](Vm&, const Arguments& arguments) -> Result<Value> {
        return resolve_ref(scope, TRY(read_ref(scope, arguments)));
    });
}

Result<Value> make_source(const NodeScope& scope) {
    return jinja::make_function("source", [&scope](Vm&, const Arguments& arguments) -> Result<Value> {
        std::vector<Value> given(arguments.positional.begin(), arguments.positional.end());
        for (const auto& named : arguments.named) given.push_back(named.value);
        if (given.size() != 2 || !given[0].is_string() || !given[1].is_string()) {
            return scope.error("source() takes exactly two texts (" + std::to_string(given.size()) +
                               " arguments given): source('source', 'table')");
        }
        const SourceRef ref = {given[0].string(), given[1].string()};
        if (scope.phase() == Phase::parse) {
            if (Captured* captured = scope.captured()) captured->sources.push_back(ref);
            return own_relation(scope);
        }
        const SourceTable* target = scope.services().manifest.find_source(ref, scope.subject().package);
        if (target == nullptr) {
            std::vector<std::string> names;
            for (const auto& source : scope.services().manifest.sources) {
                names.push_back(source->source_name + "." + source->name);
            }
            return scope.error("source('" + ref.source + "', '" + ref.table + "') finds no source" +
                               did_you_mean(ref.source + "." + ref.table, names));
        }
        if (scope.resolve_source()) {
            if (auto value = TRY(scope.resolve_source()(*target))) return *value;
        }
        return source_relation(scope, *target);
    });
}

// The names of metric() and function(): one, or that of a package before it.
Result<std::vector<std::string>> read_path(const NodeScope& scope, std::string_view function,
                                           const Arguments& arguments) {
    std::vector<std::string> path;
    for (const Value& part : arguments.positional) path.push_back(part.text());
    if (path.empty() || path.size() > 2) {
        return scope.error(std::string(function) + "() takes a name, or a package and a name");
    }
    return path;
}

// metric(): a name that parsing keeps; there is nothing to run behind it here.
Result<Value> make_metric(const NodeScope& scope) {
    return jinja::make_function("metric", [&scope](Vm&, const Arguments& arguments) -> Result<Value> {
        std::vector<std::string> path = TRY(read_path(scope, "metric", arguments));
        Value name(path.back());
        if (Captured* captured = scope.captured()) captured->metrics.push_back(std::move(path));
        return name;
    });
}

Result<Value> resolve_function(const NodeScope& scope, std::vector<std::string> path) {
    if (scope.phase() == Phase::parse) {
        if (Captured* captured = scope.captured()) captured->functions.push_back(std::move(path));
        return own_relation(scope);
    }
    const Manifest& manifest = scope.services().manifest;
    if (const Node* target = manifest.find_function(path, scope.subject().package)) {
        return function_relation(scope, *target);
    }
    std::vector<std::string> names;
    for (const auto& node : manifest.nodes) {
        if (node->type == ResourceType::function) names.push_back(node->name);
    }
    return scope.error("function('" + join(path, "', '") + "') finds no function" + did_you_mean(path.back(), names));
}

Result<Value> make_function_ref(const NodeScope& scope) {
    return jinja::make_function("function", [&scope](Vm&, const Arguments& arguments) -> Result<Value> {
        return resolve_function(scope, TRY(read_path(scope, "function", arguments)));
    });
}

Result<Value> make_this(const NodeScope& scope) {
    if (scope.subject().source != nullptr) return source_relation(scope, *scope.subject().source);
    if (scope.node() == nullptr || scope.node()->type == ResourceType::operation) return Value::none();
    return own_relation(scope);
}

// Where the state of --defer or of clone has the node; none: nowhere.
Result<Value> make_defer_relation(const NodeScope& scope) {
    if (scope.node() == nullptr) return Value::none();
    const auto& relations = scope.services().deferral.relations;
    const auto known = relations.find(scope.node()->unique_id);
    if (known == relations.end()) return Value::none();
    return relation_at(scope, *scope.node(), known->second);
}

// `to: ref('parents')` of foreign keys as the relation's name: in copies, since the manifest's own are read by many.
Result<Value> with_foreign_keys(const NodeScope& scope, const Value& constraints) {
    if (constraints.kind() != Kind::list) return constraints;
    std::vector<Value> resolved;
    for (const Value& constraint : constraints.items()) {
        const Value* to = constraint.kind() == Kind::dict ? constraint.dict().find("to") : nullptr;
        const bool is_call = to != nullptr && to->is_string() &&
                             (to->string().starts_with("ref(") || to->string().starts_with("source("));
        if (!is_call) {
            resolved.push_back(constraint);
            continue;
        }
        auto copy = jinja::make<jinja::Dict>();
        for (const auto& [key, value] : constraint.dict().entries()) copy->set(key, value);
        const auto code =
            TRY(jinja::Template::compile("{{ " + to->string() + " }}", scope.node()->place.original_path, {}));
        Vm vm(vm_options(RenderMode::text));
        copy->set("to", TRY(vm.render(*code, scope)));
        resolved.emplace_back(copy);
    }
    return Value::list(std::move(resolved));
}

// REQUIRES: `model` and its columns are dicts of the caller's own
Result<void> resolve_foreign_keys_of(const NodeScope& scope, jinja::Dict& model) {
    if (const Value* constraints = model.find("constraints")) {
        model.set("constraints", TRY(with_foreign_keys(scope, *constraints)));
    }
    const Value* columns = model.find("columns");
    if (columns == nullptr || columns->kind() != Kind::dict) return {};
    for (const auto& [name, column] : columns->dict().entries()) {
        const Value* constraints = column.kind() == Kind::dict ? column.dict().find("constraints") : nullptr;
        if (constraints != nullptr) column.dict().set("constraints", TRY(with_foreign_keys(scope, *constraints)));
    }
    return {};
}

Result<Value> make_model(const NodeScope& scope) {
    if (scope.node() == nullptr) return Value::none();
    Value model = node_value(*scope.node(), NoneValues::left_out);
    if (scope.phase() == Phase::run) TRY(resolve_foreign_keys_of(scope, model.dict()));
    if (scope.run() != nullptr) {
        if (scope.run()->batch) model.dict().set("batch", batch_value(*scope.run()->batch));
        const std::string& compiled = scope.run()->compiled_code;
        model.dict().set("compiled", true);
        model.dict().set("compiled_code", compiled);
        model.dict().set("compiled_sql", compiled);
    }
    return model;
}

// While it is parsed, it holds what was parsed before.
Result<Value> make_graph(const NodeScope& scope) {
    if (ReadNotes* notes = scope.services().notes) notes->note_passing(nullptr);
    return graph_value(scope.services().manifest);
}

Result<Value> make_database(const NodeScope& scope) {
    if (scope.node() != nullptr && scope.node()->database) return Value(*scope.node()->database);
    return *scope.services().target->find("database");
}
Result<Value> make_schema(const NodeScope& scope) {
    if (scope.node() != nullptr && !scope.node()->schema.empty()) return Value(scope.node()->schema);
    return *scope.services().target->find("schema");
}

}  // namespace

std::span<const ContextEntry> reference_entries() {
    static constexpr std::array<ContextEntry, 10> kEntries = {{
        {"ref", make_ref},
        {"source", make_source},
        {"metric", make_metric},
        {"function", make_function_ref},
        {"this", make_this},
        {"defer_relation", make_defer_relation},
        {"model", make_model},
        {"graph", make_graph},
        {"database", make_database},
        {"schema", make_schema},
    }};
    return kEntries;
}

}  // namespace shaduf::models
