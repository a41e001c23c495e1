#include <algorithm>
#include <tuple>

#include "flow/engine.h"

namespace shaduf {

FlowStep Engine::resume(FlowRemains remains, Timestamp now) {
    now_ = now;
    for (auto& [name, flow] : flows_) {
        const auto seen = remains.seen.find(name);
        if (seen == remains.seen.end()) continue;
        flow.seen = seen->second;
        step_.changes.seen.erase(name);
        set_schedule_timer(flow);
    }
    std::unordered_map<RunId, std::vector<TaskRow>> tasks;
    for (TaskRow& task : remains.tasks) tasks[task.run].push_back(std::move(task));
    std::sort(remains.runs.begin(), remains.runs.end(),
              [](const RunRow& a, const RunRow& b) { return std::tie(a.created, a.id) < std::tie(b.created, b.id); });
    std::vector<Left> left;
    for (RunRow& row : remains.runs) {
        auto own = std::move(tasks[row.id]);
        load_run(std::move(row), remains, std::move(own), left);
    }
    // Those who are inside keep their places; then those who wait, in the order in which they came.
    std::stable_sort(left.begin(), left.end(), [](const Left& a, const Left& b) { return a.since < b.since; });
    for (const Left& one : left) {
        if (one.kind == Left::Kind::waits) enter_places(*one.run, one.task);
    }
    for (const Left& one : left) {
        if (one.kind != Left::Kind::lost) continue;
        const TaskRow& row = row_of(*one.run, one.task);
        const TaskEnd end{
            one.run->row.id,
            one.task,
            row.attempt,
            TaskEnd::How::lost,
            {},
            row.worker.empty() ? "the scheduler has ended before it began" : "its worker is gone: " + row.worker,
            {}};
        end_try(*one.run, one.task, end);
    }
    std::vector<Run*> open;
    for (const auto& [id, run] : runs_) open.push_back(run.get());
    for (Run* run : open) {
        if (run->row.state != RunState::running) continue;
        follow(*run, run->progress.settle(), "");
        end_run_when_done(*run);
    }
    return finish_step();
}

void Engine::load_run(RunRow row, const FlowRemains& remains, std::vector<TaskRow> tasks, std::vector<Left>& left) {
    const auto spec = remains.specs.find({row.flow, row.revision});
    if (spec == remains.specs.end()) {
        row.state = RunState::failed;
        row.why = "its definition is gone: flow " + row.flow + ", revision " + row.revision;
        row.ended = now_;
        step_.changes.history.push_back({row.id, {}, 0, std::string(to_string(row.state)), row.why, "", now_});
        step_.changes.runs.push_back(std::move(row));
        return;
    }
    const FlowPtr& flow = spec->second;
    std::vector<TaskState> states(flow->graph.size(), TaskState::waiting);
    for (const TaskRow& task : tasks) states[task.task] = task.state;
    const RunId id = row.id;
    auto made =
        std::make_unique<Run>(Run{std::move(row), flow, Progress(flow->graph, std::move(states)), {}, {}, {}, {}});
    Run& run = *runs_.emplace(id, std::move(made)).first->second;
    if (const auto own = flows_.find(run.row.flow); own != flows_.end()) {
        Flow& of = own->second;
        const bool is_backfill = run.row.type == RunType::backfill;
        (is_backfill ? of.backfills : of.live).insert(id);
        if (run.row.state == RunState::queued) {
            of.queue.push_back(id);
        } else {
            ++(is_backfill ? of.backfills_running : of.live_running);
        }
        to_admit_.insert(run.row.flow);
    }
    if (flow->deadline.count() > 0) timers_.emplace(run.row.due + flow->deadline, Timer{TimerKind::deadline, id, 0, 0});
    for (TaskRow& task : tasks) load_task(run, std::move(task), remains.workers, left);
}

void Engine::load_task(Run& run, TaskRow row, const std::set<std::string>& workers, std::vector<Left>& left) {
    const TaskIndex task = row.task;
    const TaskRow& kept = run.tasks[task] = std::move(row);
    if (kept.state == TaskState::queued) {
        left.push_back({Left::Kind::waits, &run, task, kept.since.value_or(now_)});
    } else if (kept.state == TaskState::retrying) {
        timers_.emplace(kept.comes_again.value_or(now_), Timer{TimerKind::retry, run.row.id, task, kept.attempt});
    } else if (kept.state == TaskState::running && !workers.contains(kept.worker)) {
        left.push_back({Left::Kind::lost, &run, task, kept.began.value_or(now_)});
    } else if (kept.state == TaskState::running) {
        places_.put_inside(request_of(run, task));
        const auto timeout = run.flow->tasks[task].timeout;
        if (timeout.count() > 0) {
            timers_.emplace(kept.began.value_or(now_) + timeout,
                            Timer{TimerKind::timeout, run.row.id, task, kept.attempt});
        }
    }
}

}  // namespace shaduf
