// Runs microbatch models: a part of NodeRunner in a file of its own. Each batch is compiled and run as a node by
// itself; the first one makes the table and the others add to it.
#include "base/run_context.h"
#include "models/context/native.h"
#include "models/context/relations.h"
#include "models/python/moment.h"
#include "models/run/node_runner.h"

namespace shaduf::models {
namespace {

using jinja::Value;

Value constant_function(const std::string& name, bool value) {
    return jinja::make_function(name,
                                [value](jinja::Vm&, const jinja::Arguments&) -> Result<Value> { return Value(value); });
}

// Hooks stand before the first and behind the last batch.
void prepare_batch(NodeScope& scope, size_t index, size_t count, bool is_incremental) {
    if (index > 0) scope.set("pre_hooks", Value::list({}));
    if (index + 1 < count) scope.set("post_hooks", Value::list({}));
    if (index == 0 && !is_incremental) return;
    scope.set("is_incremental", constant_function("is_incremental", true));
    scope.set("should_full_refresh", constant_function("should_full_refresh", false));
}

// dbt's words, and the first error behind them.
void conclude(NodeResult& result) {
    const size_t good = result.batches->successful.size();
    const size_t bad = result.batches->failed.size();
    if (bad == 0) {
        result.status = NodeStatus::success;
        result.message = "SUCCESS";
    } else if (good == 0) {
        result.status = NodeStatus::error;
        result.message = "ERROR";
    } else {
        result.status = NodeStatus::partial_success;
        result.message = "PARTIAL SUCCESS (" + std::to_string(good) + "/" + std::to_string(good + bad) + ")";
    }
    if (result.error) result.message += ": " + result.error->to_string();
}

}  // namespace

// Whether the table is there to be added to is what is_incremental() says outside of batches.
Result<std::vector<Batch>> NodeRunner::plan_batches(const Node& node, BatchPlan& plan) {
    plan = TRY(read_batch_plan(node));
    NodeRun run;
    run.session = &session_;
    NodeScope scope(services_, Phase::run, {.node = &node, .package = node.package, .label = label_of(node)});
    scope.run_with(run);
    const Macro* macro = scope.find_macro(kBuiltinPackage, "is_incremental");
    if (macro == nullptr) return Error(ErrorKind::internal, "there is no macro is_incremental");
    jinja::Vm vm(vm_options(RenderMode::text), &services_.run.cancellation);
    plan.is_incremental = TRY(scope.call_macro(vm, *macro, {})).truth();
    plan.given = services_.sample ? services_.sample : services_.event_time;
    const auto* started = services_.run_started_at.object_as<Moment>();
    SHADUF_ASSERT(started != nullptr);
    plan.now = started->utc_micros();
    if (!plan.begin && !plan.given && !plan.is_incremental) {
        return scope.error("Microbatch model '" + node.name +
                           "' has no config begin; set it to where its time begins: begin: 2024-01-01");
    }
    return batches_of(plan);
}

NodeResult NodeRunner::run_batch(const Node& node, const BatchPlan& plan, const std::vector<Batch>& batches,
                                 size_t index) {
    const std::string place = "Batch " + std::to_string(index + 1) + " of " + std::to_string(batches.size());
    const std::string name = "batch " + batches[index].name + " of " + node.schema + "." + node.alias;
    services_.messages.message(MessageSink::Level::info, place + " START " + name);
    NodeRun run;
    run.batch = batches[index];
    NodeResult result = run_once(node, RunKind::execute, run, [&](NodeScope& scope) {
        prepare_batch(scope, index, batches.size(), plan.is_incremental);
    });
    const bool is_well = result.status == NodeStatus::success;
    services_.messages.message(MessageSink::Level::info,
                               place + (is_well ? " OK created " : " ERROR creating ") + name);
    if (result.error) {
        result.error = Error(result.error->kind(), name + ": " + result.error->to_string());
        services_.messages.message(MessageSink::Level::info, "  " + result.error->to_string());
    }
    return result;
}

// Without the table of the first batch there is nothing for the others to add to: they fail with it. Any other one
// that fails leaves the rest alone.
NodeResult NodeRunner::run_batches(const Node& node) {
    NodeResult result;
    result.unique_id = node.unique_id;
    result.thread_id = thread_id_;
    result.relation_name = relation_name(services_, node);
    const auto started = std::chrono::system_clock::now();
    result.timing.push_back({"compile", started, started});
    BatchPlan plan;
    auto batches = plan_batches(node, plan);
    if (!batches.ok()) {
        result.status = NodeStatus::error;
        result.error = batches.release_error();
        result.message = result.error->to_string();
        return result;
    }
    result.failures = 0;
    result.batches.emplace();
    bool is_skipping = false;
    for (size_t i = 0; i < batches.value().size(); ++i) {
        const TimeSpan& time = batches.value()[i].time;
        if (is_skipping || services_.run.cancellation.canceled()) {
            result.batches->failed.push_back(time);
            continue;
        }
        NodeResult batch = run_batch(node, plan, batches.value(), i);
        const bool is_well = batch.status == NodeStatus::success;
        (is_well ? result.batches->successful : result.batches->failed).push_back(time);
        if (!is_well && !result.error) result.error = std::move(batch.error);
        is_skipping = !is_well && i == 0;
    }
    conclude(result);
    const auto ended = std::chrono::system_clock::now();
    result.timing.push_back({"execute", started, ended});
    result.execution_seconds = std::chrono::duration<double>(ended - started).count();
    return result;
}

}  // namespace shaduf::models
