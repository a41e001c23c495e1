#include "flow/engine.h"

namespace shaduf {
namespace {

Error not_possible(const std::string& what, const std::string& then) {
    return {ErrorKind::conflict, what + "; " + then};
}

Error no_open_run(const RunId& id) {
    return not_possible("run has ended or is not there: " + id, "see the list of runs");
}

}  // namespace

Result<FlowStep> Engine::cancel(const RunId& id, const std::string& actor, Timestamp now) {
    now_ = now;
    Run* run = open_run(id);
    if (run == nullptr) return no_open_run(id);
    if (!run->ends_as) stop_run(*run, TaskState::killed, "canceled by " + actor, actor);
    return finish_step();
}

Result<FlowStep> Engine::approve(const RunId& id, TaskIndex task, bool yes, const std::string& actor, Timestamp now) {
    now_ = now;
    Run* run = open_run(id);
    if (run == nullptr) return no_open_run(id);
    if (task >= run->flow->graph.size() || run->progress[task] != TaskState::paused) {
        return not_possible("task does not wait for approval", "look at the run again");
    }
    if (yes) {
        queue_task(*run, task, "approved by " + actor, actor);
    } else {
        move(*run, task, TaskState::failed, "refused by " + actor, actor);
        end_run_when_done(*run);
    }
    return finish_step();
}

Result<FlowStep> Engine::mark(const RunId& id, TaskIndex task, TaskState state, const std::string& actor,
                              Timestamp now) {
    now_ = now;
    Run* run = open_run(id);
    if (run == nullptr) return no_open_run(id);
    const bool is_mark = state == TaskState::succeeded || state == TaskState::failed || state == TaskState::skipped;
    if (!is_mark || task >= run->flow->graph.size()) {
        return not_possible("a task is marked as succeeded, failed or skipped", "choose one of them");
    }
    if (run->progress[task] == TaskState::running) {
        run->stopping.erase(task);
        step_.stops.push_back({id, task, row_of(*run, task).attempt, "marked by " + actor});
    }
    leave_places(*run, task);
    move(*run, task, state, "marked by " + actor, actor);
    end_run_when_done(*run);
    return finish_step();
}

Result<FlowStep> Engine::run_again(RunRow row, std::vector<TaskRow> kept, FlowPtr flow,
                                   std::span<const TaskIndex> tasks, const std::string& actor, Timestamp now) {
    now_ = now;
    if (open_run(row.id) != nullptr || !is_end(row.state)) {
        return not_possible("run has not ended: " + row.id, "wait for it, or cancel it");
    }
    std::vector<TaskState> states(flow->graph.size(), TaskState::waiting);
    for (const TaskRow& task : kept) states[task.task] = task.state;
    row.state = RunState::running;
    row.began = row.began.value_or(now);
    row.ended.reset();
    row.why = "run again by " + actor;
    const RunId id = row.id;
    auto made =
        std::make_unique<Run>(Run{std::move(row), flow, Progress(flow->graph, std::move(states)), {}, {}, {}, {}});
    Run& run = *runs_.emplace(id, std::move(made)).first->second;
    for (TaskRow& task : kept) run.tasks[task.task] = std::move(task);
    if (const auto found = flows_.find(run.row.flow); found != flows_.end()) {
        const bool is_backfill = run.row.type == RunType::backfill;
        ++(is_backfill ? found->second.backfills_running : found->second.live_running);
        (is_backfill ? found->second.backfills : found->second.live).insert(id);
    }
    note(run, std::nullopt, 0, to_string(RunState::running), run.row.why, actor);
    auto changes = run.progress.run_again(tasks);
    for (const auto& [task, to] : changes) {  // with all of its tries before it
        TaskRow& again = row_of(run, task);
        again = TaskRow{.run = again.run, .task = task, .attempt = again.attempt};
    }
    follow(run, std::move(changes), actor);
    end_run_when_done(run);
    return finish_step();
}

const RunRow* Engine::run(const RunId& id) const {
    const auto found = runs_.find(id);
    return found == runs_.end() ? nullptr : &found->second->row;
}

TaskState Engine::state_of(const RunId& id, TaskIndex task) const { return runs_.at(id)->progress[task]; }

FlowStep Engine::set_pool(const std::string& pool, uint32_t places, Timestamp now) {
    now_ = now;
    start_tries(places_.set_pool(pool, places));
    return finish_step();
}

}  // namespace shaduf
