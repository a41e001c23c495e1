#include "flow/engine.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace shaduf {
namespace {

template <typename T>
void append(std::vector<T>& to, std::vector<T>& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

void append(FlowStep& to, FlowStep&& from) {
    append(to.changes.runs, from.changes.runs);
    append(to.changes.tasks, from.changes.tasks);
    append(to.changes.history, from.changes.history);
    for (const auto& [flow, time] : from.changes.seen) to.changes.seen[flow] = time;
    for (auto& [key, value] : from.changes.values) to.changes.values[key] = std::move(value);
    to.changes.answers.merge(from.changes.answers);
    append(to.starts, from.starts);
    append(to.stops, from.stops);
}

FlowStep Engine::finish_step() {
    while (!to_admit_.empty()) {
        const std::string name = *to_admit_.begin();
        to_admit_.erase(to_admit_.begin());
        if (const auto flow = flows_.find(name); flow != flows_.end()) admit(flow->second);
    }
    const auto find = [&](const RunId& id) -> const Run& {
        const auto open = runs_.find(id);
        if (open != runs_.end()) return *open->second;
        return **std::find_if(ended_runs_.begin(), ended_runs_.end(),
                              [&](const auto& run) { return run->row.id == id; });
    };
    for (const RunId& id : changed_runs_) step_.changes.runs.push_back(find(id).row);
    for (const auto& [id, task] : changed_tasks_) step_.changes.tasks.push_back(find(id).tasks.at(task));
    changed_runs_.clear();
    changed_tasks_.clear();
    ended_runs_.clear();
    return std::exchange(step_, {});
}

void Engine::note(const Run& run, std::optional<TaskIndex> task, int attempt, std::string_view to,
                  const std::string& why, const std::string& actor) {
    step_.changes.history.push_back({run.row.id, task, attempt, std::string(to), why, actor, now_});
    if (task) {
        changed_tasks_.emplace(run.row.id, *task);
    } else {
        changed_runs_.insert(run.row.id);
    }
}

FlowStep Engine::tick(Timestamp now) {
    now_ = now;
    while (!timers_.empty() && timers_.begin()->first <= now) {
        const Timer timer = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
        fire(timer);
    }
    return finish_step();
}

std::optional<Timestamp> Engine::wakes_at() const {
    return timers_.empty() ? std::nullopt : std::optional(timers_.begin()->first);
}

void Engine::fire(const Timer& timer) {
    if (timer.kind == TimerKind::schedule) {
        const auto flow = flows_.find(timer.name);
        if (flow != flows_.end() && flow->second.next_due && *flow->second.next_due <= now_)
            fire_schedule(flow->second);
        return;
    }
    Run* run = open_run(timer.name);
    if (run == nullptr) return;
    if (timer.kind == TimerKind::deadline) {
        if (!run->ends_as) stop_run(*run, TaskState::timed_out, "the run's deadline has passed", "");
    } else if (timer.kind == TimerKind::retry) {
        if (run->progress[timer.task] != TaskState::retrying || row_of(*run, timer.task).attempt != timer.attempt)
            return;
        queue_task(*run, timer.task, "its time to be tried again has come", "");
    } else if (running_try(timer.name, timer.task, timer.attempt) == nullptr) {
        return;
    } else if (timer.kind == TimerKind::timeout) {
        if (!run->stopping.contains(timer.task))
            stop_try(*run, timer.task, TaskState::timed_out, "its timeout has passed");
    } else {
        TaskEnd end{timer.name, timer.task, timer.attempt, TaskEnd::How::stopped, {}, {}, {}};
        end.why = "it was told to stop and did not";
        end_try(*run, timer.task, end);
    }
    end_run_when_done(*run);
}

// --------------------------------------------------------------------------------------------------------- schedules

FlowStep Engine::set_flow(FlowPtr spec, Timestamp now) {
    now_ = now;
    take_up(std::move(spec), std::nullopt);
    return finish_step();
}

void Engine::take_up(FlowPtr spec, std::optional<Timestamp> seen) {
    const auto [entry, is_new] = flows_.try_emplace(spec->name);
    Flow& flow = entry->second;
    flow.spec = std::move(spec);
    if (seen) {
        flow.seen = *seen;
    } else if (is_new) {
        const bool from_start = flow.spec->catches_up && flow.spec->starts && *flow.spec->starts < now_;
        flow.seen = from_start ? *flow.spec->starts - std::chrono::microseconds(1) : now_;
        step_.changes.seen[flow.spec->name] = flow.seen;
    }
    set_schedule_timer(flow);
    to_admit_.insert(flow.spec->name);
}

void Engine::set_schedule_timer(Flow& flow) {
    const FlowSpec& spec = *flow.spec;
    const Timestamp behind = spec.starts ? std::max(flow.seen, *spec.starts - std::chrono::microseconds(1)) : flow.seen;
    flow.next_due.reset();
    if (spec.is_paused) return;
    for (const Schedule& schedule : spec.schedules) {
        const auto next = schedule.next(behind);
        if (!next || (spec.ends && *next >= *spec.ends)) continue;
        if (!flow.next_due || *next < *flow.next_due) flow.next_due = next;
    }
    if (flow.next_due) timers_.emplace(*flow.next_due, Timer{TimerKind::schedule, spec.name, 0, 0});
}

void Engine::fire_schedule(Flow& flow) {
    const FlowPtr spec = flow.spec;
    const Timestamp behind =
        spec->starts ? std::max(flow.seen, *spec->starts - std::chrono::microseconds(1)) : flow.seen;
    std::map<Timestamp, Interval> due;
    for (const Schedule& schedule : spec->schedules) {
        const MissedRuns policy = spec->catches_up ? MissedRuns::all : spec->missed;
        for (const Timestamp moment :
             moments_to_run(schedule, behind, now_, policy, spec->lateness, spec->missed_max)) {
            if (!spec->ends || moment < *spec->ends) due.emplace(moment, schedule.interval_of(moment));
        }
    }
    for (const auto& [moment, about] : due) {
        RunRow row;
        row.type = RunType::scheduled;
        row.due = moment;
        row.about = about;
        create_run(flow, std::move(row));
    }
    flow.seen = now_;
    step_.changes.seen[spec->name] = now_;
    set_schedule_timer(flow);
}

// -------------------------------------------------------------------------------------------------------------- runs

Result<Engine::Requested> Engine::request(const RunRequest& request, Timestamp now) {
    now_ = now;
    const auto found = flows_.find(request.flow);
    if (found == flows_.end()) {
        std::vector<std::string> known;
        for (const auto& [name, flow] : flows_) known.push_back(name);
        return Error(ErrorKind::invalid_config, "flow not found: " + request.flow + did_you_mean(request.flow, known));
    }
    Flow& flow = found->second;
    RunRow row;
    row.type = request.type;
    row.due = request.due.value_or(now);
    row.inputs = request.inputs;
    row.actor = request.actor;
    for (const RunId& id : flow.backfills) {
        if (request.type == RunType::backfill && runs_.at(id)->row.due == row.due) {
            return Error(ErrorKind::conflict,
                         "that time is being filled already, by run " + id + "; wait for it, or cancel it");
        }
    }
    row.about = {row.due, row.due};
    if (request.about) {
        row.about = *request.about;
    } else if (!flow.spec->schedules.empty()) {
        const Schedule& schedule = flow.spec->schedules.front();
        // Of a manual run the last interval that is whole by then.
        const auto last = schedule.previous(row.due + std::chrono::microseconds(1));
        row.about = schedule.interval_of(request.type == RunType::backfill ? row.due : last.value_or(row.due));
    }
    RunId id = create_run(flow, std::move(row));
    return Requested{std::move(id), finish_step()};
}

RunId Engine::create_run(Flow& flow, RunRow row) {
    row.id = settings_.make_id(now_);
    row.flow = flow.spec->name;
    row.revision = flow.spec->revision;
    row.created = now_;
    row.state = RunState::queued;
    const RunId id = row.id;
    auto made = std::make_unique<Run>(Run{std::move(row), flow.spec, Progress(flow.spec->graph), {}, {}, {}, {}});
    Run& run = *runs_.emplace(id, std::move(made)).first->second;
    const std::string actor = run.row.actor;
    note(run, std::nullopt, 0, to_string(RunState::queued), std::string(to_string(run.row.type)), actor);
    if (run.row.type == RunType::backfill) {
        flow.backfills.insert(id);
    } else if (!make_room(flow, run)) {
        return id;
    } else {
        flow.live.insert(id);
    }
    if (flow.spec->deadline.count() > 0) {
        timers_.emplace(run.row.due + flow.spec->deadline, Timer{TimerKind::deadline, id, 0, 0});
    }
    flow.queue.push_back(id);
    to_admit_.insert(flow.spec->name);
    return id;
}

// By what the flow says of runs that meet; false: the new one has ended already.
bool Engine::make_room(Flow& flow, Run& run) {
    if (flow.live.size() < flow.spec->runs_max) return true;
    switch (flow.spec->overlap) {
        case Overlap::queue: return true;
        case Overlap::skip:
        case Overlap::fail: {
            run.row.state = flow.spec->overlap == Overlap::skip ? RunState::skipped : RunState::failed;
            run.row.why = "as many runs of the flow are open as may be: " + std::to_string(flow.live.size());
            close_run(run);
            return false;
        }
        case Overlap::cancel_running: {
            const auto others = flow.live;
            for (const RunId& other : others) {
                if (Run* open = open_run(other); open != nullptr && !open->ends_as) {
                    stop_run(*open, TaskState::killed, "run " + run.row.id + " has come", "");
                }
            }
            return true;
        }
    }
    return true;
}

void Engine::admit(Flow& flow) {
    std::vector<RunId> still;
    for (const RunId& id : std::exchange(flow.queue, {})) {
        Run* run = open_run(id);
        if (run == nullptr || run->row.state != RunState::queued) continue;
        const bool is_backfill = run->row.type == RunType::backfill;
        size_t& running = is_backfill ? flow.backfills_running : flow.live_running;
        if (running >= (is_backfill ? flow.spec->backfills_max : flow.spec->runs_max)) {
            still.push_back(id);
            continue;
        }
        ++running;
        begin_run(*run);
    }
    flow.queue.insert(flow.queue.begin(), still.begin(), still.end());
}

void Engine::begin_run(Run& run) {
    run.row.state = RunState::running;
    run.row.began = now_;
    note(run, std::nullopt, 0, to_string(RunState::running), "", "");
    follow(run, run.progress.settle(), "");
    end_run_when_done(run);
}

// Which task failed first, and why.
std::string Engine::cause_of(const Run& run) {
    const TaskRow* first = nullptr;
    for (const auto& [task, row] : run.tasks) {
        const bool has_failed = row.state == TaskState::failed || row.state == TaskState::timed_out;
        if (has_failed && (first == nullptr || row.ended < first->ended)) first = &row;
    }
    if (first == nullptr) return {};
    const std::string& name = run.flow->graph[first->task].name;
    return first->why.empty() ? name + " " + std::string(to_string(first->state)) : name + ": " + first->why;
}

void Engine::end_run_when_done(Run& run) {
    if (!run.progress.has_ended() || is_end(run.row.state)) return;
    run.row.state = run.progress.outcome();
    if (run.row.state == RunState::failed && !run.ends_as) run.row.why = cause_of(run);
    close_run(run);
}

// It is in its last state: it is told, and room for others.
void Engine::close_run(Run& run) {
    run.row.ended = now_;
    note(run, std::nullopt, 0, to_string(run.row.state), run.row.why, "");
    const RunId id = run.row.id;
    if (const auto found = flows_.find(run.row.flow); found != flows_.end()) {
        Flow& flow = found->second;
        const bool is_backfill = run.row.type == RunType::backfill;
        if (run.row.began) --(is_backfill ? flow.backfills_running : flow.live_running);
        flow.live.erase(id);
        flow.backfills.erase(id);
        to_admit_.insert(run.row.flow);
    }
    const auto open = runs_.find(id);
    ended_runs_.push_back(std::move(open->second));
    runs_.erase(open);
}

void Engine::stop_run(Run& run, TaskState as, const std::string& why, const std::string& actor) {
    run.ends_as = as;
    run.row.why = why;
    note(run, std::nullopt, 0, "stopping", why, actor);
    for (const TaskIndex task : run.flow->graph.in_order()) {
        const TaskState state = run.progress[task];
        if (is_end(state)) continue;
        if (state == TaskState::running) {
            stop_try(run, task, as, why);
        } else {
            leave_places(run, task);
            move(run, task, as, why, actor);
        }
    }
    end_run_when_done(run);
}

}  // namespace shaduf
