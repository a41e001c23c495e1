#include "flow/local_runner.h"

#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include "base/rate_ledger.h"
#include "base/shared_values.h"
#include "base/thread_name.h"
#include "flow/task_body.h"
#include "flow/try_events.h"

namespace shaduf {
namespace {

using How = TaskOutcome::How;

TaskOutcome failed(Error error) {
    TaskOutcome outcome;
    outcome.how = error.kind() == ErrorKind::canceled ? How::stopped : How::failed;
    outcome.error = std::move(error);
    return outcome;
}

// Trying again can help, unless somebody must change something first.
bool is_for_good(const Error& error) {
    return error.kind() == ErrorKind::invalid_config || error.kind() == ErrorKind::auth;
}

TaskEnd::How how_of(const TaskOutcome& outcome) {
    switch (outcome.how) {
        case How::succeeded: return TaskEnd::How::succeeded;
        case How::warned: return TaskEnd::How::warned;
        case How::skipped: return TaskEnd::How::skipped;
        case How::stopped: return TaskEnd::How::stopped;
        case How::failed: break;
    }
    return outcome.error && is_for_good(*outcome.error) ? TaskEnd::How::failed_for_good : TaskEnd::How::failed;
}

void tell_end(const TaskOutcome& outcome, LogStore::Writer& log) {
    switch (outcome.how) {
        case How::succeeded: return log.write(Severity::info, "", "succeeded");
        case How::warned: return log.write(Severity::warning, "", "succeeded with a warning: " + outcome.why);
        case How::skipped: return log.write(Severity::info, "", "skipped: " + outcome.why);
        case How::stopped: return log.write(Severity::warning, "", "stopped");
        case How::failed: break;
    }
    log.write(Severity::error, "", outcome.error ? outcome.error->to_string() : "failed");
}

}  // namespace

struct LocalRunner::State {
    struct Try {
        TaskStart start;
        Cancellation cancellation;
        std::string why_stopped;
        bool is_left = false;  // stopped since the process ends: nobody is told
        std::thread thread;
    };
    using Tries = std::list<Try>;

    mutable std::mutex mutex;
    std::condition_variable changed;
    Tries running;
    Tries ended;  // their threads are about to end
    bool is_draining = false;
};

LocalRunner::LocalRunner(Parts parts) : parts_(std::move(parts)), state_(std::make_unique<State>()) {}

LocalRunner::~LocalRunner() { drain(std::chrono::milliseconds(0)); }

namespace {

struct TryWorld {
    const LocalRunner::Parts& parts;
    const TaskStart& start;
    const Cancellation& cancellation;
};

// All of a try but telling its end; what a library throws ends here.
TaskOutcome run_try(const TryWorld& world, LogStore::Writer& plain_log, const TryId& id, Redaction& redaction) {
    const LocalRunner::Parts& parts = world.parts;
    RedactingWriter log(plain_log, redaction, parts.board, id);
    SharedValues shared;
    TryEvents events(log, parts.board, id, parts.world.clock);
    RunContext run{parts.world.clock, world.cancellation, parts.world.http, parts.world.databases, events, shared,
                   parts.world.rates};
    TaskOutcome outcome;
    try {
        const auto project = parts.project();
        const auto inputs = parts.inputs(world.start);
        if (!project.ok()) {
            outcome = failed(project.error());
        } else if (!inputs.ok()) {
            outcome = failed(inputs.error());
        } else {
            redaction.add_connections(*project.value(), parts.connectors);
            const TaskBodyParts body{parts.types,
                                     parts.connectors,
                                     *project.value(),
                                     run,
                                     log,
                                     parts.board,
                                     redaction,
                                     [&](const std::string& part, const std::string& flow, const std::string& given) {
                                         return parts.run_flow(id.run + "/" + part, flow, given, world.cancellation);
                                     }};
            outcome = run_task_body(world.start, id, inputs.value(), body);
        }
    } catch (const std::exception& thrown) {
        outcome = failed(Error(ErrorKind::internal, std::string("a library has thrown: ") + thrown.what()));
    }
    if (world.cancellation.canceled() && outcome.how == How::failed) outcome.how = How::stopped;
    tell_end(outcome, log);
    return outcome;
}

TaskEnd end_of(const TaskStart& start, const TaskOutcome& outcome, TryReport report, const Redaction& redaction) {
    TaskEnd end{start.run, start.task, start.attempt, how_of(outcome), {}, outcome.why, {}};
    if (outcome.error) {
        end.retry_after = outcome.error->retry_delay();
        report.error_kind = to_string(outcome.error->kind());
        if (end.why.empty()) end.why = outcome.error->to_string();
    }
    end.why = redaction.apply(end.why);
    report.values = redaction.apply(outcome.values);
    report.tables = outcome.tables;
    end.outputs = report.to_json();
    return end;
}

}  // namespace

void LocalRunner::start(const TaskStart& start) {
    State::Tries gone;
    {
        const std::lock_guard lock(state_->mutex);
        gone.splice(gone.begin(), state_->ended);
        if (!state_->is_draining) {
            state_->running.emplace_back();
            const auto at = std::prev(state_->running.end());
            at->start = start;
            at->thread = std::thread([this, at] {
                name_thread("task");
                const TaskStart& own = at->start;
                const TryId id{own.run, own.flow->graph[own.task].name, own.attempt};
                parts_.began(own.run, own.task, own.attempt, parts_.worker);
                parts_.board.begin(id);
                Redaction redaction;
                TaskOutcome outcome;
                if (auto log = parts_.logs.open(id); log.ok()) {
                    outcome = run_try({parts_, own, at->cancellation}, *log.value(), id, redaction);
                } else {
                    outcome = failed(log.error());
                }
                TaskEnd end = end_of(own, outcome, parts_.board.take(id), redaction);
                bool is_told = true;
                {
                    const std::lock_guard again(state_->mutex);
                    is_told = !at->is_left || outcome.how == How::succeeded || outcome.how == How::warned;
                    if (!at->why_stopped.empty() && outcome.how == How::stopped) end.why = at->why_stopped;
                }
                if (is_told) parts_.ended(std::move(end));
                const std::lock_guard again(state_->mutex);
                state_->ended.splice(state_->ended.end(), state_->running, at);
                state_->changed.notify_all();
            });
        }
    }
    for (auto& one : gone) one.thread.join();
}

void LocalRunner::stop(const TaskStop& stop) {
    const std::lock_guard lock(state_->mutex);
    for (auto& one : state_->running) {
        if (one.start.run != stop.run || one.start.task != stop.task || one.start.attempt != stop.attempt) continue;
        one.why_stopped = stop.why;
        one.cancellation.cancel();
    }
}

void LocalRunner::drain(std::chrono::milliseconds within) {
    State::Tries gone;
    {
        std::unique_lock lock(state_->mutex);
        state_->is_draining = true;
        const auto is_done = [&] { return state_->running.empty(); };
        if (!state_->changed.wait_for(lock, within, is_done)) {
            for (auto& one : state_->running) {
                one.is_left = true;
                one.cancellation.cancel();
            }
            state_->changed.wait(lock, is_done);
        }
        gone.splice(gone.begin(), state_->ended);
    }
    for (auto& one : gone) one.thread.join();
}

size_t LocalRunner::running() const {
    const std::lock_guard lock(state_->mutex);
    return state_->running.size();
}

}  // namespace shaduf
