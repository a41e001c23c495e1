// Runs microbatch models: a part of NodeRunner in a file of its own. Each batch is compiled and run as a node by
// itself; the first one makes the table and the others add to it.
#include <algorithm>
#include <atomic>
#include <thread>

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
    if (const auto before = services_.batch_history.find(node.unique_id); before != services_.batch_history.end()) {
        plan.is_incremental = true;  // some of them made the table
        std::vector<Batch> batches;
        for (const TimeSpan& time : before->second.failed) batches.push_back(batch_of(time, plan.size));
        return batches;
    }
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

// Those between the first and the last one, by several sessions where the model and the adapter allow it.
void NodeRunner::run_between(const Node& node, const BatchPlan& plan, const std::vector<Batch>& batches,
                             BatchesRun& done) {
    const size_t end = batches.size() - 1;
    std::atomic<size_t> next = 1;
    const auto work = [&](NodeRunner& runner) {
        for (size_t i = next++; i < end && !services_.run.cancellation.canceled(); i = next++) {
            done[i] = runner.run_batch(node, plan, batches, i);
        }
    };
    std::vector<std::thread> threads;
    const bool at_once = services_.adapter.takes_concurrent_batches() && runs_batches_at_once(node);
    const size_t count = at_once ? std::min<size_t>(static_cast<size_t>(services_.threads), end) : 1;
    for (size_t i = 1; i < count; ++i) {
        threads.emplace_back([&, name = thread_id_ + " batches " + std::to_string(i + 1)] {
            // Without a session of its own, its batches are left to the others.
            auto session = services_.adapter.connect(services_.run, name);
            if (!session.ok()) return;
            NodeRunner runner(services_, compiler_, *session.value(), name);
            work(runner);
        });
    }
    work(*this);
    for (std::thread& thread : threads) thread.join();
}

// Without the table of the first batch there is nothing for the others to add to: they fail with it. Any other one
// that fails leaves the rest alone. The last one comes when all others have ended, with the hooks behind it.
NodeRunner::BatchesRun NodeRunner::run_in_order(const Node& node, const BatchPlan& plan,
                                                const std::vector<Batch>& batches) {
    BatchesRun done(batches.size());
    if (services_.run.cancellation.canceled()) return done;
    done.front() = run_batch(node, plan, batches, 0);
    if (done.front()->status != NodeStatus::success || batches.size() == 1) return done;
    run_between(node, plan, batches, done);
    if (!services_.run.cancellation.canceled()) {
        done.back() = run_batch(node, plan, batches, batches.size() - 1);
    }
    return done;
}

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
    BatchesRun done = run_in_order(node, plan, batches.value());
    for (size_t i = 0; i < done.size(); ++i) {
        const bool is_well = done[i] && done[i]->status == NodeStatus::success;
        (is_well ? result.batches->successful : result.batches->failed).push_back(batches.value()[i].time);
        if (done[i] && !is_well && !result.error) result.error = std::move(done[i]->error);
    }
    if (const auto before = services_.batch_history.find(node.unique_id); before != services_.batch_history.end()) {
        auto& successful = result.batches->successful;
        successful.insert(successful.end(), before->second.successful.begin(), before->second.successful.end());
    }
    conclude(result);
    const auto ended = std::chrono::system_clock::now();
    result.timing.push_back({"execute", started, ended});
    result.execution_seconds = std::chrono::duration<double>(ended - started).count();
    return result;
}

}  // namespace shaduf::models
