#include <algorithm>
#include <tuple>

#include "flow/engine.h"

namespace shaduf {
namespace {

// Tries of a task that may be lost before that counts as a failure of its own: it may be what ends its workers.
constexpr int kLostMax = 5;

}  // namespace

TaskRow& Engine::row_of(Run& run, TaskIndex task) {
    const auto [entry, is_new] = run.tasks.try_emplace(task);
    if (is_new) {
        entry->second.run = run.row.id;
        entry->second.task = task;
    }
    return entry->second;
}

// Puts down what follows from a change, and from that, without recursion.
void Engine::follow(Run& run, std::vector<Progress::Change> changes, const std::string& actor) {
    for (size_t at = 0; at < changes.size(); ++at) {
        const auto [task, to] = changes[at];
        if (run.progress[task] != to) continue;
        const bool begins = to == TaskState::queued || to == TaskState::paused;
        if (begins && run.ends_as) {
            const auto more = run.progress.move(task, *run.ends_as);
            changes.insert(changes.end(), more.begin(), more.end());
        }
        TaskRow& row = row_of(run, task);
        row.state = run.progress[task];
        row.why.clear();
        if (row.state == TaskState::waiting) {
            row = TaskRow{.run = row.run, .task = task, .attempt = row.attempt};
        } else if (is_end(row.state)) {
            row.ended = now_;
        }
        note(run, task, row.attempt, to_string(row.state), "", actor);
        if (row.state == TaskState::queued) enter_places(run, task);
    }
}

void Engine::move(Run& run, TaskIndex task, TaskState to, const std::string& why, const std::string& actor) {
    auto follows = run.progress.move(task, to);
    TaskRow& row = row_of(run, task);
    row.state = run.progress[task];
    row.why = why;
    if (is_end(row.state)) row.ended = now_;
    note(run, task, row.attempt, to_string(row.state), why, actor);
    follow(run, std::move(follows), actor);
}

void Engine::queue_task(Run& run, TaskIndex task, const std::string& why, const std::string& actor) {
    move(run, task, TaskState::queued, why, actor);
    enter_places(run, task);
}

void Engine::enter_places(Run& run, TaskIndex task) {
    TaskRow& row = row_of(run, task);
    row.since = row.since.value_or(now_);
    start_tries(places_.enter(request_of(run, task)));
}

PlaceRequest Engine::request_of(Run& run, TaskIndex task) {
    const TaskSpec& spec = run.flow->tasks[task];
    const PlaceTicket ticket = ++last_ticket_;
    run.tickets[task] = ticket;
    by_ticket_[ticket] = {&run, task};
    return {ticket, spec.mutex, spec.uses, run.flow->priority + spec.priority, row_of(run, task).since.value_or(now_)};
}

void Engine::leave_places(Run& run, TaskIndex task) {
    const auto ticket = run.tickets.find(task);
    if (ticket == run.tickets.end()) return;
    const PlaceTicket number = ticket->second;
    by_ticket_.erase(number);
    run.tickets.erase(ticket);
    start_tries(places_.leave(number));
}

void Engine::start_tries(const std::vector<PlaceTicket>& tickets) {
    for (const PlaceTicket ticket : tickets) {
        const auto [run, task] = by_ticket_.at(ticket);
        run->progress.move(task, TaskState::running);
        TaskRow& row = row_of(*run, task);
        row.state = TaskState::running;
        ++row.attempt;
        ++row.tries;
        row.began = now_;
        row.first_begun = row.first_begun.value_or(now_);
        row.since.reset();
        row.ended.reset();
        row.comes_again.reset();
        row.worker.clear();
        row.why.clear();
        note(*run, task, row.attempt, to_string(row.state), "", "");
        step_.starts.push_back({run->row.id, task, row.attempt, run->flow, round_of(row)});
        const auto timeout = run->flow->tasks[task].timeout;
        if (timeout.count() > 0) {
            timers_.emplace(now_ + timeout, Timer{TimerKind::timeout, run->row.id, task, row.attempt});
        }
    }
}

void Engine::stop_try(Run& run, TaskIndex task, TaskState as, const std::string& why) {
    const int attempt = row_of(run, task).attempt;
    run.stopping[task] = as;
    step_.stops.push_back({run.row.id, task, attempt, why});
    note(run, task, attempt, "stopping", why, "");
    timers_.emplace(now_ + settings_.stop_within, Timer{TimerKind::stop, run.row.id, task, attempt});
}

std::optional<Timestamp> Engine::comes_again(const Run& run, const TaskRow& row, const TaskEnd& end) const {
    const TaskRetry& retry = run.flow->tasks[row.task].retry;
    if (run.ends_as || row.tries > retry.tries_more) return std::nullopt;
    double delay = static_cast<double>(retry.first.count());
    const double longest = std::max(delay, static_cast<double>(retry.longest.count()));
    if (retry.delay == TaskRetry::Delay::random) {
        delay += settings_.random() * (longest - delay);
    } else if (retry.delay == TaskRetry::Delay::exponential) {
        for (int i = 1; i < row.tries && delay < longest; ++i) delay *= retry.factor;
        // A quarter up or down, so that those who failed together do not come again together.
        delay = std::min(delay, longest) * (0.75 + 0.5 * settings_.random());
    }
    const auto wanted = std::chrono::milliseconds(static_cast<int64_t>(delay));
    const Timestamp at = now_ + std::max(wanted, end.retry_after.value_or(wanted));
    const bool too_late = retry.within.count() > 0 && row.first_begun && at > *row.first_begun + retry.within;
    return too_late ? std::nullopt : std::optional(at);
}

void Engine::end_try(Run& run, TaskIndex task, const TaskEnd& end) {
    using How = TaskEnd::How;
    leave_places(run, task);
    TaskRow& row = row_of(run, task);
    row.outputs = end.outputs;
    row.ended = now_;
    TaskState stopped_as = TaskState::killed;
    const auto stopping = run.stopping.find(task);
    const bool was_stopped = stopping != run.stopping.end();
    if (was_stopped) {
        stopped_as = stopping->second;
        run.stopping.erase(stopping);
    }
    const bool has_failed = end.how == How::failed || end.how == How::lost;
    const bool ended_by_stop = end.how == How::stopped || (was_stopped && has_failed);
    if (end.how == How::lost && !was_stopped && !run.ends_as && run.flow->tasks[task].retry.lost_comes_again &&
        row.lost < kLostMax) {
        --row.tries;
        ++row.lost;
        return queue_task(run, task, end.why, "");
    }
    const bool may_come_again = has_failed || (ended_by_stop && stopped_as == TaskState::timed_out);
    if (may_come_again) {
        if (const auto at = comes_again(run, row, end)) {
            row.comes_again = at;
            timers_.emplace(*at, Timer{TimerKind::retry, run.row.id, task, row.attempt});
            return move(run, task, TaskState::retrying, end.why, "");
        }
    }
    TaskState to = TaskState::failed;
    if (ended_by_stop) to = stopped_as;
    if (end.how == How::succeeded) to = TaskState::succeeded;
    if (end.how == How::warned) to = TaskState::warned;
    if (end.how == How::skipped) to = TaskState::skipped;
    move(run, task, to, end.why, "");
}

Engine::Run* Engine::open_run(const RunId& id) {
    const auto found = runs_.find(id);
    return found == runs_.end() ? nullptr : found->second.get();
}

Engine::Run* Engine::running_try(const RunId& id, TaskIndex task, int attempt) {
    Run* run = open_run(id);
    if (run == nullptr || task >= run->flow->graph.size() || run->progress[task] != TaskState::running) return nullptr;
    return row_of(*run, task).attempt == attempt ? run : nullptr;
}

FlowStep Engine::began(const RunId& id, TaskIndex task, int attempt, const std::string& worker, Timestamp now) {
    now_ = now;
    if (Run* run = running_try(id, task, attempt)) {
        row_of(*run, task).worker = worker;
        changed_tasks_.emplace(id, task);
    }
    return finish_step();
}

FlowStep Engine::ended(const TaskEnd& end, Timestamp now) {
    now_ = now;
    if (Run* run = running_try(end.run, end.task, end.attempt)) {
        end_try(*run, end.task, end);
        end_run_when_done(*run);
    }
    return finish_step();
}

FlowStep Engine::worker_lost(const std::string& worker, Timestamp now) {
    now_ = now;
    std::vector<TaskEnd> lost;
    for (const auto& [id, run] : runs_) {
        for (const auto& [task, row] : run->tasks) {
            if (row.state != TaskState::running || row.worker != worker) continue;
            lost.push_back({id, task, row.attempt, TaskEnd::How::lost, {}, "its worker is gone: " + worker, {}});
        }
    }
    std::sort(lost.begin(), lost.end(),
              [](const TaskEnd& a, const TaskEnd& b) { return std::tie(a.run, a.task) < std::tie(b.run, b.task); });
    for (const TaskEnd& end : lost) {
        Run* run = running_try(end.run, end.task, end.attempt);
        if (run == nullptr) continue;
        end_try(*run, end.task, end);
        end_run_when_done(*run);
    }
    return finish_step();
}

}  // namespace shaduf
