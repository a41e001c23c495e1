#include "models/run/node_runner.h"

#include <algorithm>
#include <array>

#include "base/run_context.h"
#include "base/text.h"
#include "models/context/native.h"
#include "models/context/relations.h"
#include "models/context/response.h"
#include "models/run/deferral.h"
#include "models/run/publication.h"
#include "models/run/statement_error.h"

namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::Value;

constexpr size_t kFailingRowsShown = 5;

// How long a part of a node's run took, noted when it goes away.
class Timed {
public:
    Timed(NodeResult& result, std::string name) : result_(result) {
        result_.timing.push_back({std::move(name), std::chrono::system_clock::now(), {}});
        index_ = result_.timing.size() - 1;
    }
    ~Timed() { result_.timing[index_].completed_at = std::chrono::system_clock::now(); }
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

private:
    NodeResult& result_;
    size_t index_;
};

bool is_true(const Value& value) {
    if (value.is_string()) return equals_ignoring_case(value.string(), "true") || value.string() == "1";
    return value.truth();
}

struct TestCounts {
    int64_t failures = 0;
    bool should_warn = false;
    bool should_error = false;
};

Result<TestCounts> read_counts(const NodeScope& scope, const Table& table) {
    const auto failures = table.index_of("failures");
    const auto warns = table.index_of("should_warn");
    const auto errors = table.index_of("should_error");
    if (table.rows().size() != 1 || !failures || !warns || !errors) {
        return scope.error("a test must give one row of failures, should_warn and should_error");
    }
    const Table::Row& row = table.rows()[0];
    TestCounts counts;
    if (row[*failures].kind() == Kind::integer)
        counts.failures = row[*failures].integer();
    else
        counts.failures = std::atoll(row[*failures].text().c_str());
    counts.should_warn = is_true(row[*warns]);
    counts.should_error = is_true(row[*errors]);
    return counts;
}

void judge(const Node& node, const TestCounts& counts, NodeResult& result) {
    const bool is_error_severity = equals_ignoring_case(node.config.text("severity"), "error");
    const std::string found =
        "Got " + std::to_string(counts.failures) + (counts.failures == 1 ? " result" : " results");
    result.failures = counts.failures;
    if (is_error_severity && counts.should_error) {
        result.status = NodeStatus::fail;
        result.message = found + ", configured to fail if " + node.config.text("error_if");
    } else if (counts.should_warn) {
        result.status = NodeStatus::warn;
        result.message = found + ", configured to warn if " + node.config.text("warn_if");
    } else {
        result.status = NodeStatus::pass;
        result.failures = 0;
    }
}

// The name of the relation that a node builds, which only one run may do at a time; "": it builds none.
std::string built_relation(const ContextServices& services, const Node& node) {
    const bool is_built =
        node.type == ResourceType::model || node.type == ResourceType::seed || node.type == ResourceType::snapshot;
    return is_built ? relation_name(services, node) : "";
}

}  // namespace

std::string_view to_string(NodeStatus status) {
    switch (status) {
        case NodeStatus::success: return "success";
        case NodeStatus::pass: return "pass";
        case NodeStatus::warn: return "warn";
        case NodeStatus::fail: return "fail";
        case NodeStatus::error: return "error";
        case NodeStatus::skipped: return "skipped";
        case NodeStatus::no_op: return "no-op";
        case NodeStatus::partial_success: return "partial success";
    }
    return "";
}

const Macro* find_materialization(const ContextServices& services, std::string_view name) {
    std::vector<std::string> types = services.adapter.lineage();
    types.emplace_back("default");
    std::vector<std::string> packages = {services.root_package};
    for (const std::string& type : services.adapter.lineage()) packages.push_back("dbt_" + type);
    packages.emplace_back(kBuiltinPackage);
    // As it was once: packages replace what is built in without being asked.
    const Value* explicitly =
        services.project_flags->find("require_explicit_package_overrides_for_builtin_materializations");
    const bool packages_override = explicitly != nullptr && !explicitly->truth();
    packages.insert(packages_override ? packages.begin() + 1 : packages.end(), services.packages.begin(),
                    services.packages.end());
    for (const std::string& type : types) {
        const std::string full = "materialization_" + std::string(name) + "_" + type;
        for (const std::string& package : packages) {
            if (const Macro* macro = services.macros.in_package(package, full)) return macro;
        }
    }
    return nullptr;
}

// What stands in the graph for others alone.
NodeResult no_operation(const Node& node, const std::string& thread_id) {
    NodeResult result;
    result.unique_id = node.unique_id;
    result.thread_id = thread_id;
    result.status = NodeStatus::no_op;
    result.message = "NO-OP";
    result.failures = 0;
    return result;
}

NodeResult NodeRunner::run(const Node& node, RunKind kind) {
    if (node.type == ResourceType::exposure || node.type == ResourceType::saved_query) {
        return no_operation(node, thread_id_);
    }
    const Value* asks = services_.project_flags->find("require_batched_execution_for_custom_microbatch_strategy");
    const bool batches_custom = asks != nullptr && asks->truth();
    if (kind == RunKind::execute && runs_in_batches(node, services_.macros, services_.packages, batches_custom)) {
        return run_batches(node);
    }
    NodeRun run;
    return run_once(node, kind, run, {});
}

NodeResult NodeRunner::run_beside(const Node& node) {
    Node copy = unpublished_copy(node);
    if (auto ready = publications_->begin(session_, node, copy); !ready.ok()) {
        NodeResult result;
        result.unique_id = node.unique_id;
        result.thread_id = thread_id_;
        result.status = NodeStatus::error;
        result.error = ready.release_error();
        result.message = result.error->to_string();
        return result;
    }
    NodeResult result = run(copy, RunKind::execute);
    result.relation_name = relation_name(services_, node);
    if (result.status == NodeStatus::success) publications_->built(node, std::move(copy));
    return result;
}

NodeResult NodeRunner::run_once(const Node& node, RunKind kind, NodeRun& run, const Prepare& prepare) {
    NodeResult result;
    result.unique_id = node.unique_id;
    result.thread_id = thread_id_;
    const auto started = std::chrono::steady_clock::now();
    run.session = &session_;
    NodeScope scope(services_, Phase::run, {.node = &node, .package = node.package, .label = label_of(node)});
    scope.run_with(run);
    defer_refs(scope, session_);
    if (publications_ != nullptr && node.type == ResourceType::test) publications_->resolve_refs(scope);
    auto done = kind == RunKind::clone ? clone(node, scope, run, result) : compile(node, scope, run, result);
    scope.forget_values();
    if (done.ok() && prepare) prepare(scope);
    const std::string built = kind == RunKind::execute ? built_relation(services_, node) : "";
    bool is_locked = false;
    if (done.ok() && !built.empty()) {
        done = session_.lock(built);
        is_locked = done.ok();
    }
    if (done.ok()) result.status = NodeStatus::success;
    if (done.ok() && kind == RunKind::execute) done = execute(node, scope, run, result);
    if (!done.ok()) {
        result.status = NodeStatus::error;
        result.error = statement_error(done.release_error(), run, origin_of(services_, node, run));
        result.message = result.error->to_string();
        const std::string& file = node.place.original_path;
        if (result.message.find(file) == std::string::npos) result.message = file + ": " + result.message;
    }
    // What a node left open is not for the next one.
    auto left = session_.rollback();
    if (left.ok() && is_locked) left = session_.unlock(built);
    if (!left.ok() && !result.error) result.error = left.release_error();
    result.build_path = run.build_path;
    result.execution_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    return result;
}

Result<void> NodeRunner::compile(const Node& node, NodeScope& scope, NodeRun& run, NodeResult& result) {
    const Timed timed(result, "compile");
    if (node.unit_test != nullptr) return compile_unit_test(node, run, result);
    const bool is_relational = node.type != ResourceType::analysis && node.type != ResourceType::operation &&
                               node.type != ResourceType::function && node.config.text("materialized") != "ephemeral";
    const bool is_stored = node.type != ResourceType::test || node.config.flag("store_failures") ||
                           services_.flags->find("STORE_FAILURES")->truth();
    if (is_relational && is_stored) result.relation_name = relation_name(services_, node);
    if (node.type == ResourceType::seed) return {};
    const CompiledNode compiled = TRY(compiler_.compile(node, scope, run));
    result.compiled_code = compiled.code;
    for (const auto& cte : compiled.ctes) result.extra_ctes.emplace_back(cte.unique_id, cte.sql);
    // The text of a snapshot is only part of what runs.
    if (node.type == ResourceType::snapshot) return {};
    return write_compiled(services_, node, compiled.code, run.batch ? run.batch->name : "");
}

Result<void> NodeRunner::execute(const Node& node, NodeScope& scope, NodeRun& run, NodeResult& result) {
    const Timed timed(result, "execute");
    if (node.unit_test != nullptr) return run_unit_test(node, scope, run, result);
    if (node.type == ResourceType::test) return run_test(node, scope, run, result);
    return materialize(node, scope, run, result);
}

// Nothing is compiled: what is made reads the relation of the state, whatever the text of the node is now.
Result<void> NodeRunner::clone(const Node& node, NodeScope& scope, NodeRun& run, NodeResult& result) {
    {
        const Timed timed(result, "compile");
        result.relation_name = relation_name(services_, node);
        const Value original = *TRY(scope.find_builtin("defer_relation"));
        if (!original.is_none()) run.compiled_code = "select * from " + original.text();
    }
    const Timed timed(result, "execute");
    TRY(keep_relations(TRY(call_materialization("clone", scope)), "clone", scope));
    const auto main = run.results.find("main");
    result.message = "No-op";
    if (main == run.results.end()) return {};
    const Value& response = *main->second.dict().find("response");
    result.message = response.text();
    result.adapter_response = response_dict(response);
    return {};
}

Result<Value> NodeRunner::call_materialization(std::string_view name, NodeScope& scope) {
    const Macro* macro = find_materialization(services_, name);
    if (macro == nullptr) {
        return scope.error("No materialization '" + std::string(name) + "' was found for adapter " +
                           std::string(services_.adapter.type()) + "! (searched types 'default' and '" +
                           std::string(services_.adapter.type()) + "')");
    }
    jinja::Vm vm(vm_options(RenderMode::text), &services_.run.cancellation);
    return scope.call_macro(vm, *macro, {});
}

Result<void> NodeRunner::materialize(const Node& node, NodeScope& scope, NodeRun& run, NodeResult& result) {
    const std::string name = node.config.text("materialized");
    TRY(keep_relations(TRY(call_materialization(name, scope)), name, scope));
    const auto main = run.results.find("main");
    if (main == run.results.end()) return scope.error("main is not being called during running model");
    const Value& response = *main->second.dict().find("response");
    result.message = response.text();
    result.adapter_response = response_dict(response);
    return {};
}

// What a materialization says that there is now.
Result<void> NodeRunner::keep_relations(const Value& given, std::string_view materialization, NodeScope& scope) const {
    const Value* relations = given.kind() == Kind::dict ? given.dict().find("relations") : nullptr;
    if (relations == nullptr || relations->kind() != Kind::list) {
        return scope.error("The materialization (\"" + std::string(materialization) +
                           "\") did not explicitly return a list of relations to add to the cache: it must end with "
                           "return({'relations': [...]})");
    }
    for (const Value& value : relations->items()) {
        const auto* relation = value.object_as<Relation>();
        if (relation == nullptr) {
            return scope.error("Invalid return value from materialization, \"relations\" contains non-Relation: " +
                               value.repr());
        }
        services_.relations.add(jinja::Ref<Relation>(const_cast<Relation*>(relation)));  // NOLINT: counted
    }
    return {};
}

Result<void> NodeRunner::run_test(const Node& node, NodeScope& scope, NodeRun& run, NodeResult& result) {
    TRY(call_materialization("test", scope));
    const auto main = run.results.find("main");
    const Table* table = main == run.results.end() ? nullptr : main->second.dict().find("table")->object_as<Table>();
    if (table == nullptr) return scope.error("the materialization of tests ran no statement named main");
    judge(node, TRY(read_counts(scope, *table)), result);
    result.adapter_response = response_dict(*main->second.dict().find("response"));
    if (result.status == NodeStatus::pass || run.compiled_code.empty()) return {};
    // The rows themselves, for who reads the log; that they cannot be had changes nothing.
    auto rows = session_.execute(
        {.sql = run.compiled_code, .fetch = Fetch::rows, .rows_max = static_cast<int64_t>(kFailingRowsShown)});
    if (rows.ok()) result.failing_rows = print_table(*rows.value().table, kFailingRowsShown);
    result.failing_query = result.relation_name ? "select * from " + *result.relation_name : run.compiled_code;
    result.failing_query_path = compiled_path(services_, node, "");
    return {};
}

NodeResult NodeRunner::run_operation(const Node& node, Value schemas, Value results) {
    NodeResult result;
    result.unique_id = node.unique_id;
    result.thread_id = thread_id_;
    const auto started = std::chrono::steady_clock::now();
    NodeRun run;
    run.session = &session_;
    NodeScope scope(services_, Phase::run, {.node = &node, .package = node.package, .label = label_of(node)});
    scope.run_with(run);
    const Value database = *services_.target->find("database");
    scope.set("schemas", std::move(schemas));
    scope.set("database_schemas", Value::list({}));
    if (!results.is_undefined()) scope.set("results", std::move(results));
    auto done = [&]() -> Result<void> {
        const Timed timed(result, "execute");
        const CompiledNode compiled = TRY(compiler_.compile(node, scope, run));
        result.compiled_code = compiled.code;
        TRY(write_compiled(services_, node, compiled.code));
        const std::string sql(trim(compiled.code));
        if (sql.empty()) return {};
        TRY(session_.begin());
        const QueryResult answer = TRY(scope.execute({.sql = sql}));
        result.message = answer.message;
        return session_.commit();
    }();
    result.status = done.ok() ? NodeStatus::success : NodeStatus::error;
    result.failures = 0;
    if (!done.ok()) {
        result.error = statement_error(done.release_error(), run, origin_of(services_, node, run));
        result.message = result.error->to_string();
        if (auto rolled_back = session_.rollback(); !rolled_back.ok())
            result.message += "; " + rolled_back.error().message();
    }
    result.execution_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    return result;
}

}  // namespace shaduf::models
