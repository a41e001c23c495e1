#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "base/run_events.h"
#include "base/stream_lag.h"

namespace shaduf {

enum class ProgressStyle {
    live,   // a terminal: one line a stream, drawn again in place
    plain,  // a file or a pipe: a line when a stream begins, when it ends, and now and then
    quiet,  // only messages
};

// Shows a run while it goes on. Thread-safe.
class LoadProgress final : public RunEvents, public LagEvents {
public:
    LoadProgress(std::ostream& out, ProgressStyle style) : out_(out), style_(style) {}
    ~LoadProgress() override = default;

    void stream_started(const StreamProgress& progress) override;
    void stream_progressed(const StreamProgress& progress) override;
    void stream_finished(const StreamProgress& progress, const Error* error) override;
    void message(Severity severity, std::string_view place, std::string_view text) override;
    void stream_lag(const StreamLag& lag) override;

private:
    enum class State { running, done, failed, stopped };
    struct Line {
        StreamProgress progress;
        State state = State::running;
        std::chrono::steady_clock::time_point said_at;
        std::optional<StreamLag> lag = std::nullopt;
    };
    Line& line_of(const StreamProgress& progress);
    std::string format(const Line& line) const;
    void draw();
    void erase();

    std::ostream& out_;
    const ProgressStyle style_;
    std::mutex mutex_;
    std::vector<Line> lines_;
    size_t drawn_ = 0;
    std::chrono::steady_clock::time_point drawn_at_;
};

}  // namespace shaduf
