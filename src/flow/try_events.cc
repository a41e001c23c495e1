#include "flow/try_events.h"

#include "base/text.h"

namespace shaduf {

void RedactingWriter::write(Severity severity, std::string_view place, std::string_view text) {
    log_.write(severity, place, redaction_.apply(text));
    board_.set_log_lines(id_, log_.lines());
}

TaskStep TryEvents::step_of(const StreamProgress& progress) {
    TaskStep step;
    step.name = progress.pipeline + "." + progress.stream;
    step.kind = "stream";
    step.state = TaskState::running;
    {
        const std::lock_guard lock(mutex_);
        step.began = began_.try_emplace(step.name, clock_.now()).first->second;
    }
    step.table = progress.table;
    step.rows_read = progress.rows_read;
    step.rows_written = progress.rows_written;
    step.rows_quarantined = progress.rows_quarantined;
    step.bytes = progress.bytes_read;
    step.retries = progress.retries;
    return step;
}

void TryEvents::stream_started(const StreamProgress& progress) {
    TaskStep step = step_of(progress);
    log_.write(Severity::info, step.name, "begun, into " + step.table);
    board_.set_step(id_, std::move(step));
}

void TryEvents::stream_progressed(const StreamProgress& progress) { board_.set_step(id_, step_of(progress)); }

void TryEvents::stream_finished(const StreamProgress& progress, const Error* error) {
    TaskStep step = step_of(progress);
    step.ended = clock_.now();
    step.state = TaskState::succeeded;
    if (error != nullptr) {
        step.state = error->kind() == ErrorKind::canceled ? TaskState::killed : TaskState::failed;
        step.message = error->to_string();
        log_.write(Severity::error, step.name, step.message);
    } else {
        if (progress.warnings > 0) step.state = TaskState::warned;
        log_.write(Severity::info, step.name,
                   "done: " + format_count(progress.rows_read) + " rows read, " + format_count(progress.rows_written) +
                       " written, " + format_count(progress.rows_quarantined) + " quarantined");
    }
    board_.set_step(id_, std::move(step));
}

void TryEvents::message(Severity severity, std::string_view place, std::string_view text) {
    log_.write(severity, place, text);
}

void relay_steps(TaskBoard& from, TaskBoard& to, const Redaction& redaction, const std::string& prefix) {
    from.watch([&to, &redaction, prefix](const TaskBoard::Change& change) {
        if (change.lag != nullptr) return to.set_lag(change.id, *change.lag);
        if (change.step == nullptr) return to.set_log_lines(change.id, change.log_lines);
        TaskStep step = *change.step;
        step.name = prefix + step.name;
        step.message = redaction.apply(step.message);
        to.set_step(change.id, std::move(step));
    });
}

}  // namespace shaduf
