#pragma once

#include <functional>
#include <memory>
#include <string>

#include "models/context/node_scope.h"
#include "models/run/batches.h"
#include "models/run/compiler.h"
#include "models/run/node_result.h"

namespace shaduf::models {

class Publications;

enum class RunKind : uint8_t {
    compile,  // its code, and nothing in the database
    execute,  // its materialization, or its test
    clone,    // the materialization clone in place of its own: what the state has of it
};

// Runs nodes one at a time on one session, which must outlive it. A node that fails has its transaction rolled back and
// leaves the session usable, unless the session was lost.
class NodeRunner {
public:
    // `publications`: of the whole run, where models are published after their tests.
    NodeRunner(const ContextServices& services, Compiler& compiler, Session& session, std::string thread_id,
               Publications* publications = nullptr)
        : services_(services),
          compiler_(compiler),
          session_(session),
          thread_id_(std::move(thread_id)),
          publications_(publications) {}

    NodeResult run(const Node& node, RunKind kind);
    // Builds the model beside its relation, for its tests to see. REQUIRES: publications are given
    NodeResult run_beside(const Node& node);
    // A hook of on-run-start or on-run-end, or any statements with Jinja in them.
    NodeResult run_operation(const Node& node, jinja::Value schemas, jinja::Value results);

private:
    // What stands in a scope before a node is executed, beside what it was compiled with.
    using Prepare = std::function<void(NodeScope& scope)>;
    NodeResult run_once(const Node& node, RunKind kind, NodeRun& run, const Prepare& prepare);
    NodeResult run_batches(const Node& node);
    Result<std::vector<Batch>> plan_batches(const Node& node, BatchPlan& plan);
    // By index; what was not run for want of the first one, or was canceled, is empty.
    using BatchesRun = std::vector<std::optional<NodeResult>>;
    BatchesRun run_in_order(const Node& node, const BatchPlan& plan, const std::vector<Batch>& batches);
    void run_between(const Node& node, const BatchPlan& plan, const std::vector<Batch>& batches, BatchesRun& done);
    NodeResult run_batch(const Node& node, const BatchPlan& plan, const std::vector<Batch>& batches, size_t index);
    Result<void> compile(const Node& node, NodeScope& scope, NodeRun& run, NodeResult& result);
    Result<void> clone(const Node& node, NodeScope& scope, NodeRun& run, NodeResult& result);
    Result<void> execute(const Node& node, NodeScope& scope, NodeRun& run, NodeResult& result);
    Result<void> materialize(const Node& node, NodeScope& scope, NodeRun& run, NodeResult& result);
    Result<void> compile_unit_test(const Node& node, NodeRun& run, NodeResult& result);
    Result<void> run_unit_test(const Node& node, NodeScope& scope, NodeRun& run, NodeResult& result);
    Result<void> run_test(const Node& node, NodeScope& scope, NodeRun& run, NodeResult& result);
    Result<void> keep_relations(const jinja::Value& given, std::string_view materialization, NodeScope& scope) const;
    Result<jinja::Value> call_materialization(std::string_view name, NodeScope& scope);

    const ContextServices& services_;
    Compiler& compiler_;
    Session& session_;
    const std::string thread_id_;
    Publications* const publications_;
};

// materialization_<name>_<adapter>, of the root project before the built-in ones, those before other packages; nullptr:
// there is none.
const Macro* find_materialization(const ContextServices& services, std::string_view name);

}  // namespace shaduf::models
