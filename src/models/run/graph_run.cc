#include "models/run/graph_run.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <queue>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "base/run_context.h"

// One table of nodes with the number of inputs that each still waits for, and a queue of those that wait for none.
// Edges between selected nodes are found over nodes that are not. Where tests block, whoever reads a tested node waits
// for its tests as well; a test of several nodes blocks those that come after all of them.
namespace shaduf::models {
namespace {

struct Task {
    const Node* node = nullptr;
    std::vector<size_t> dependents;
    size_t waits_for = 0;
    bool is_skipped = false;
    std::string cause;  // what made it be skipped
};

class TaskGraph {
public:
    TaskGraph(const Manifest& manifest, const std::vector<const Node*>& selected) : manifest_(manifest) {
        for (const Node* node : selected) {
            index_.emplace(node->unique_id, tasks_.size());
            tasks_.emplace_back().node = node;
        }
    }

    void order_by_inputs() {
        for (size_t i = 0; i < tasks_.size(); ++i) {
            for (const size_t input : inputs_of(*tasks_[i].node)) add_edge(input, i);
            add_edge_to_tested(i);
        }
    }

    void block_by_tests() {
        const size_t count = tasks_.size();
        for (size_t test = 0; test < count; ++test) {
            if (tasks_[test].node->type != ResourceType::test) continue;
            const std::vector<size_t> tested = inputs_of(*tasks_[test].node);
            for (const size_t dependent : dependents_of_all(tested)) {
                if (tasks_[dependent].node->type != ResourceType::test) add_edge(test, dependent);
            }
        }
    }

    std::vector<Task>& tasks() { return tasks_; }

private:
    void add_edge(size_t from, size_t to) {
        auto& dependents = tasks_[from].dependents;
        if (from == to || std::find(dependents.begin(), dependents.end(), to) != dependents.end()) return;
        dependents.push_back(to);
        ++tasks_[to].waits_for;
    }

    // A unit test needs what its model reads, and the model is not built before it.
    void add_edge_to_tested(size_t task) {
        const UnitTest* test = tasks_[task].node->unit_test;
        if (test == nullptr || test->depends_on_nodes.empty()) return;
        const auto model = index_.find(test->depends_on_nodes.front());
        if (model != index_.end()) add_edge(task, model->second);
    }

    // Selected nodes that this one reads, directly or through nodes that are not selected.
    std::vector<size_t> inputs_of(const Node& node) const {
        std::vector<size_t> inputs;
        std::vector<const Node*> open = {&node};
        std::unordered_set<std::string_view> seen;
        while (!open.empty()) {
            const Node* at = open.back();
            open.pop_back();
            for (const std::string& id : at->depends_on_nodes) {
                if (!seen.insert(id).second) continue;
                const auto known = index_.find(id);
                if (known != index_.end())
                    inputs.push_back(known->second);
                else if (const Node* beyond = manifest_.node(id))
                    open.push_back(beyond);
            }
        }
        return inputs;
    }

    // The first nodes that come after every one of `tested`.
    std::vector<size_t> dependents_of_all(const std::vector<size_t>& tested) const {
        if (tested.empty()) return {};
        if (tested.size() == 1) return tasks_[tested[0]].dependents;
        std::unordered_map<size_t, size_t> reached;
        for (const size_t from : tested) {
            for (const size_t task : descendants_of(from)) ++reached[task];
        }
        std::unordered_set<size_t> after;
        for (const auto& [task, times] : reached) {
            if (times == tested.size()) after.insert(task);
        }
        std::vector<size_t> first;
        for (const size_t task : after) {
            const std::vector<size_t> inputs = inputs_of(*tasks_[task].node);
            const bool is_behind =
                std::any_of(inputs.begin(), inputs.end(), [&](size_t in) { return after.contains(in); });
            if (!is_behind) first.push_back(task);
        }
        return first;
    }

    // Itself counts: a node that was tested together with its input comes after both.
    std::unordered_set<size_t> descendants_of(size_t from) const {
        std::unordered_set<size_t> seen;
        std::vector<size_t> open = {from};
        while (!open.empty()) {
            const size_t at = open.back();
            open.pop_back();
            for (const size_t next : tasks_[at].dependents) {
                if (tasks_[next].node->type != ResourceType::test && seen.insert(next).second) open.push_back(next);
            }
        }
        return seen;
    }

    const Manifest& manifest_;
    std::vector<Task> tasks_;
    std::unordered_map<std::string_view, size_t> index_;
};

class GraphRun {
public:
    GraphRun(const ContextServices& services, Compiler& compiler, TaskGraph& graph, const GraphRunOptions& options,
             GraphRunListener& listener)
        : services_(services), compiler_(compiler), tasks_(graph.tasks()), options_(options), listener_(listener) {
        left_ = tasks_.size();
        for (size_t i = 0; i < tasks_.size(); ++i) {
            if (tasks_[i].waits_for == 0) ready_.push(i);
            if (!is_ephemeral(*tasks_[i].node)) ++total_;
        }
    }

    Result<std::vector<NodeResult>> run() {
        const size_t count =
            std::max<size_t>(1, std::min<size_t>(static_cast<size_t>(options_.threads), tasks_.size()));
        std::vector<std::thread> threads;
        for (size_t i = 1; i < count; ++i) threads.emplace_back([this, i] { work(i); });
        work(0);
        for (std::thread& thread : threads) thread.join();
        if (failure_) return *failure_;
        if (left_ > 0 && !services_.run.cancellation.canceled()) {
            return Error(ErrorKind::internal,
                         "nodes wait for each other for ever: " + std::to_string(left_) + " of them");
        }
        return std::move(results_);
    }

private:
    static bool is_ephemeral(const Node& node) {
        return node.type == ResourceType::model && node.config.text("materialized") == "ephemeral";
    }

    // Clones are told of by their materialization, in a line each; what is compiled is shown at the end.
    bool is_told_of_nodes() const { return options_.kind == RunKind::execute; }

    void work(size_t thread) {
        const std::string name = "Thread-" + std::to_string(thread + 1) + " (worker)";
        auto session = services_.adapter.connect(services_.run, name);
        if (!session.ok()) {
            const std::lock_guard lock(mutex_);
            // One thread that cannot connect (a limit of sessions) leaves the work to the others.
            if (++unconnected_ >= std::max(1, options_.threads) || thread == 0) failure_ = session.release_error();
            if (failure_) changed_.notify_all();
            return;
        }
        NodeRunner runner(services_, compiler_, *session.value(), name);
        while (const auto task = take()) finish(*task, run_one(runner, *task));
    }

    std::optional<size_t> take() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !ready_.empty() || is_over(); });
        if (is_over()) return std::nullopt;
        const size_t task = ready_.front();
        ready_.pop();
        ++running_;
        return task;
    }

    bool is_over() const {
        const bool is_stuck = ready_.empty() && running_ == 0;
        return left_ == 0 || failure_.has_value() || is_stuck;
    }

    NodeResult run_one(NodeRunner& runner, size_t index) {
        Task& task = tasks_[index];
        NodeResult result;
        result.unique_id = task.node->unique_id;
        bool is_skipped = false;
        size_t number = 0;
        {
            const std::lock_guard lock(mutex_);
            is_skipped = task.is_skipped || (is_stopping_ && !is_ephemeral(*task.node));
            if (!is_ephemeral(*task.node)) number = ++begun_;
        }
        if (services_.run.cancellation.canceled()) is_skipped = true;
        if (is_skipped) {
            result.status = NodeStatus::skipped;
            result.message = task.cause.empty() ? "" : "Skipped due to " + task.cause;
        } else if (is_ephemeral(*task.node) && options_.kind != RunKind::compile) {
            result.status = NodeStatus::success;  // compiled where it is read
            return result;
        } else {
            if (is_told_of_nodes()) listener_.started(*task.node, number, total_);
            result = runner.run(*task.node, options_.kind);
        }
        if (number > 0 && is_told_of_nodes()) listener_.ended(*task.node, result, number, total_);
        return result;
    }

    void finish(size_t index, NodeResult result) {
        const std::lock_guard lock(mutex_);
        Task& task = tasks_[index];
        const bool failed = is_failure(result.status) || result.status == NodeStatus::skipped;
        if (is_failure(result.status) && options_.fail_fast) is_stopping_ = true;
        for (const size_t dependent : task.dependents) {
            Task& next = tasks_[dependent];
            const bool keeps_on = options_.continue_on_error || task.node->type == ResourceType::analysis;
            if (failed && !keeps_on && !next.is_skipped) {
                next.is_skipped = true;
                next.cause = task.cause.empty() ? task.node->unique_id : task.cause;
            }
            if (--next.waits_for == 0) ready_.push(dependent);
        }
        --left_;
        --running_;
        const bool is_shown = !is_ephemeral(*task.node) || options_.kind == RunKind::compile;
        if (is_shown) results_.push_back(std::move(result));
        changed_.notify_all();
    }

    const ContextServices& services_;
    Compiler& compiler_;
    std::vector<Task>& tasks_;
    const GraphRunOptions& options_;
    GraphRunListener& listener_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::queue<size_t> ready_;
    size_t left_ = 0, running_ = 0, begun_ = 0, total_ = 0;
    int unconnected_ = 0;
    bool is_stopping_ = false;
    std::optional<Error> failure_;
    std::vector<NodeResult> results_;
};

}  // namespace

Result<std::vector<NodeResult>> run_graph(const ContextServices& services, Compiler& compiler,
                                          const std::vector<const Node*>& selected, const GraphRunOptions& options,
                                          GraphRunListener& listener) {
    TaskGraph graph(services.manifest, selected);
    // A clone reads the state alone.
    if (options.kind != RunKind::clone) graph.order_by_inputs();
    if (options.tests_block) graph.block_by_tests();
    return GraphRun(services, compiler, graph, options, listener).run();
}

}  // namespace shaduf::models
