#include "flow/progress.h"

#include <algorithm>

#include "base/assert.h"

namespace shaduf {
namespace {

// What a rule makes of those before a task: it begins, it never will, or that is not known yet.
TaskState judge(TriggerRule rule, uint32_t before, uint32_t succeeded, uint32_t failed, uint32_t skipped) {
    constexpr auto kBegins = TaskState::queued;
    constexpr auto kWaits = TaskState::waiting;
    constexpr auto kSkipped = TaskState::skipped;
    constexpr auto kUpstreamFailed = TaskState::upstream_failed;
    const bool all_ended = succeeded + failed + skipped == before;
    switch (rule) {
        case TriggerRule::always: return kBegins;
        case TriggerRule::all_success:
            if (failed > 0) return kUpstreamFailed;
            if (!all_ended) return kWaits;
            return skipped > 0 ? kSkipped : kBegins;
        case TriggerRule::all_done: return all_ended ? kBegins : kWaits;
        case TriggerRule::all_failed:
            if (succeeded > 0 || skipped > 0) return kSkipped;
            return all_ended ? kBegins : kWaits;
        case TriggerRule::one_success:
            if (succeeded > 0 || before == 0) return kBegins;
            if (!all_ended) return kWaits;
            return failed > 0 ? kUpstreamFailed : kSkipped;
        case TriggerRule::one_failed:
            if (failed > 0) return kBegins;
            return all_ended ? kSkipped : kWaits;
        case TriggerRule::one_done:
            if (succeeded + failed > 0 || before == 0) return kBegins;
            return all_ended ? kSkipped : kWaits;
        case TriggerRule::none_failed:
            if (failed > 0) return kUpstreamFailed;
            return all_ended ? kBegins : kWaits;
        case TriggerRule::none_failed_min_one_success:
            if (failed > 0) return kUpstreamFailed;
            if (!all_ended) return kWaits;
            return succeeded > 0 || before == 0 ? kBegins : kSkipped;
        case TriggerRule::none_skipped:
            if (skipped > 0) return kSkipped;
            return all_ended ? kBegins : kWaits;
    }
    return kWaits;
}

}  // namespace

Progress::Progress(const TaskGraph& graph)
    : Progress(graph, std::vector<TaskState>(graph.size(), TaskState::waiting)) {}

Progress::Progress(const TaskGraph& graph, std::vector<TaskState> states)
    : graph_(graph), states_(std::move(states)), counts_(graph.size()) {
    SHADUF_ASSERT(states_.size() == graph_.size());
    for (TaskIndex task = 0; task < states_.size(); ++task) {
        if (!is_end(states_[task])) ++open_;
        count(task, states_[task], 1);
    }
}

void Progress::count(TaskIndex task, TaskState state, int by) {
    if (!is_end(state)) return;
    for (const TaskIndex other : graph_.behind(task)) {
        Counts& counts = counts_[other];
        uint32_t& counter = is_success(state) ? counts.succeeded : is_failure(state) ? counts.failed : counts.skipped;
        counter += static_cast<uint32_t>(by);
    }
}

void Progress::set(TaskIndex task, TaskState to) {
    const TaskState from = states_[task];
    count(task, from, -1);
    count(task, to, 1);
    if (is_end(from)) ++open_;
    if (is_end(to)) --open_;
    states_[task] = to;
}

TaskState Progress::due_state(TaskIndex task) const {
    const Counts& counts = counts_[task];
    const auto before = static_cast<uint32_t>(graph_.before(task).size());
    const TaskState due = judge(graph_[task].rule, before, counts.succeeded, counts.failed, counts.skipped);
    return due == TaskState::queued && graph_[task].needs_approval ? TaskState::paused : due;
}

void Progress::follow(std::vector<TaskIndex> looked_at, std::vector<Change>& changes) {
    while (!looked_at.empty()) {
        const TaskIndex task = looked_at.back();
        looked_at.pop_back();
        if (states_[task] != TaskState::waiting) continue;
        const TaskState due = due_state(task);
        if (due == TaskState::waiting) continue;
        set(task, due);
        changes.push_back({task, due});
        const auto behind = graph_.behind(task);
        if (is_end(due)) looked_at.insert(looked_at.end(), behind.begin(), behind.end());
    }
}

std::vector<Progress::Change> Progress::settle() {
    std::vector<Change> changes;
    const auto order = graph_.in_order();
    follow({order.rbegin(), order.rend()}, changes);
    return changes;
}

std::vector<Progress::Change> Progress::move(TaskIndex task, TaskState to) {
    SHADUF_ASSERT(to != TaskState::waiting);
    const bool is_own_failure = to == TaskState::failed || to == TaskState::timed_out;
    set(task, is_own_failure && graph_[task].allows_failure ? TaskState::warned : to);
    std::vector<Change> changes;
    const auto behind = graph_.behind(task);
    if (is_end(to)) follow({behind.rbegin(), behind.rend()}, changes);
    return changes;
}

std::vector<Progress::Change> Progress::run_again(std::span<const TaskIndex> tasks) {
    std::vector<Change> changes;
    for (const TaskIndex task : graph_.with_all_behind(tasks)) {
        if (!is_end(states_[task])) continue;
        set(task, TaskState::waiting);
        changes.push_back({task, TaskState::waiting});
    }
    auto follows = settle();
    changes.insert(changes.end(), follows.begin(), follows.end());
    return changes;
}

RunState Progress::outcome() const {
    if (open_ > 0) return RunState::running;
    const auto any = [&](auto... wanted) {
        return std::any_of(states_.begin(), states_.end(), [&](TaskState state) { return ((state == wanted) || ...); });
    };
    if (any(TaskState::failed, TaskState::timed_out)) return RunState::failed;
    if (any(TaskState::killed)) return RunState::killed;
    return any(TaskState::warned) ? RunState::warned : RunState::succeeded;
}

}  // namespace shaduf
