#include "models/run/graph_run.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <queue>
#include <thread>

#include "base/run_context.h"
#include "models/context/relations.h"
#include "models/run/publication.h"
#include "models/run/task_graph.h"

// A queue of the tasks that wait for nothing, from which each thread takes the next.
namespace shaduf::models {
namespace {

class GraphRun {
public:
    GraphRun(const ContextServices& services, Compiler& compiler, TaskGraph& graph, const GraphRunOptions& options,
             GraphRunListener& listener)
        : services_(services),
          compiler_(compiler),
          tasks_(graph.tasks()),
          options_(options),
          listener_(listener),
          publications_(services) {
        left_ = tasks_.size();
        for (size_t i = 0; i < tasks_.size(); ++i) {
            if (tasks_[i].waits_for == 0) ready_.push(i);
            if (is_counted(tasks_[i])) ++total_;
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

    // Has a number of its own, and a result.
    static bool is_counted(const Task& task) { return task.kind == Task::Kind::run && !is_ephemeral(*task.node); }

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
        NodeRunner runner(services_, compiler_, *session.value(), name, &publications_);
        while (const auto task = take()) {
            if (tasks_[*task].kind == Task::Kind::publish)
                finish_publication(*task, publish(*session.value(), *task));
            else
                finish(*task, run_one(runner, *task));
        }
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
            const bool is_audited = options_.audits && publishes_after_tests(*task.node);
            result = is_audited ? runner.run_beside(*task.node) : runner.run(*task.node, options_.kind);
        }
        if (number > 0 && is_told_of_nodes()) listener_.ended(*task.node, result, number, total_);
        return result;
    }

    // Why the publication did not come to be; nullopt: it did, or there is nothing to publish.
    std::optional<Error> publish(Session& session, size_t index) {
        const Node& node = *tasks_[index].node;
        const Node* copy = publications_.unpublished(node.unique_id);
        if (copy == nullptr) return std::nullopt;  // it was not built, which has been told
        const std::string built = relation_name(services_, *copy);
        std::string why;
        {
            const std::lock_guard lock(mutex_);
            if (tasks_[index].is_skipped) why = tasks_[index].cause + " did not pass";
            if (why.empty() && is_stopping_) why = "the run was stopped";
        }
        if (services_.run.cancellation.canceled()) why = "the run was canceled";
        if (why.empty()) {
            auto done = publications_.publish(session, node);
            if (done.ok()) return std::nullopt;
            why = done.error().to_string();
        }
        return Error(ErrorKind::bad_data, "not published: " + why + "; readers see what was there before, and " +
                                              "what was built is in " + built);
    }

    void finish_publication(size_t index, std::optional<Error> error) {
        publications_.end(*tasks_[index].node);
        const std::lock_guard lock(mutex_);
        Task& task = tasks_[index];
        const auto result = std::find_if(results_.begin(), results_.end(), [&](const NodeResult& known) {
            return known.unique_id == task.node->unique_id;
        });
        const bool was_built = result != results_.end() && result->status == NodeStatus::success;
        if (was_built && error) {
            result->status = NodeStatus::error;
            result->message = error->to_string();
            result->error = std::move(error);
        }
        if (was_built) listener_.published(*task.node, *result);
        release_dependents(task, !was_built || is_failure(result->status));
        changed_.notify_all();
    }

    void finish(size_t index, NodeResult result) {
        const std::lock_guard lock(mutex_);
        Task& task = tasks_[index];
        const bool failed = is_failure(result.status) || result.status == NodeStatus::skipped;
        if (is_failure(result.status) && options_.fail_fast) is_stopping_ = true;
        release_dependents(task, failed);
        const bool is_shown = !is_ephemeral(*task.node) || options_.kind == RunKind::compile;
        if (is_shown) results_.push_back(std::move(result));
        changed_.notify_all();
    }

    // REQUIRES: the mutex is held
    void release_dependents(const Task& task, bool failed) {
        for (const size_t dependent : task.dependents) {
            Task& next = tasks_[dependent];
            // Nothing is published that a test has not passed, whatever else goes on.
            const bool keeps_on = (options_.continue_on_error && next.kind != Task::Kind::publish) ||
                                  task.node->type == ResourceType::analysis;
            if (failed && !keeps_on && !next.is_skipped) {
                next.is_skipped = true;
                next.cause = task.cause.empty() ? task.node->unique_id : task.cause;
            }
            if (--next.waits_for == 0) ready_.push(dependent);
        }
        --left_;
        --running_;
    }

    const ContextServices& services_;
    Compiler& compiler_;
    std::vector<Task>& tasks_;
    const GraphRunOptions& options_;
    GraphRunListener& listener_;

    Publications publications_;
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
    if (options.audits) graph.publish_after_tests();
    if (options.tests_block) graph.block_by_tests();
    return GraphRun(services, compiler, graph, options, listener).run();
}

}  // namespace shaduf::models
