#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/run_events.h"
#include "base/stream_lag.h"
#include "flow/redaction.h"
#include "flow/task_board.h"
#include "flow/task_log.h"

namespace shaduf {

// Writes to a log without secrets, and says on the board how many lines there are. Thread-safe.
class RedactingWriter final : public LogStore::Writer {
public:
    RedactingWriter(LogStore::Writer& log, const Redaction& redaction, TaskBoard& board, TryId id)
        : log_(log), redaction_(redaction), board_(board), id_(std::move(id)) {}
    void write(Severity severity, std::string_view place, std::string_view text) override;
    int64_t lines() const override { return log_.lines(); }

private:
    LogStore::Writer& log_;
    const Redaction& redaction_;
    TaskBoard& board_;
    const TryId id_;
};

// What streams tell of themselves, as steps of a try and lines of its log. Thread-safe.
class TryEvents final : public RunEvents, public LagEvents {
public:
    TryEvents(LogStore::Writer& log, TaskBoard& board, TryId id, const Clock& clock)
        : log_(log), board_(board), id_(std::move(id)), clock_(clock) {}

    void stream_started(const StreamProgress& progress) override;
    void stream_progressed(const StreamProgress& progress) override;
    void stream_finished(const StreamProgress& progress, const Error* error) override;
    void message(Severity severity, std::string_view place, std::string_view text) override;
    void stream_lag(const StreamLag& lag) override { board_.set_lag(id_, lag); }

private:
    TaskStep step_of(const StreamProgress& progress);

    LogStore::Writer& log_;
    TaskBoard& board_;
    const TryId id_;
    const Clock& clock_;
    std::mutex mutex_;
    std::map<std::string, Timestamp> began_;  // by step
};

// A board whose steps are put on another one, without secrets, their names behind `prefix`.
void relay_steps(TaskBoard& from, TaskBoard& to, const Redaction& redaction, const std::string& prefix);

}  // namespace shaduf
