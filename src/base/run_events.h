#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace shaduf {

// What one stream of a run has done so far.
struct StreamProgress {
    std::string pipeline;
    std::string stream;
    std::string table;
    int64_t rows_read = 0;
    int64_t rows_written = 0;
    int64_t rows_quarantined = 0;
    int64_t bytes_read = 0;
    int64_t warnings = 0;
    int64_t retries = 0;
    double seconds = 0;
};

enum class Severity { info, warning, error };

// Lower layers tell what happens; whoever watches (terminal, metrics, run history) implements this. Every call may come
// from any thread, so implementations lock; none may block for long.
class RunEvents {
public:
    virtual ~RunEvents() = default;
    virtual void stream_started(const StreamProgress&) {}
    // At most a few times a second for a stream.
    virtual void stream_progressed(const StreamProgress&) {}
    virtual void stream_finished(const StreamProgress&, const Error* error) { (void)error; }
    // `place` says where ("pipeline.stream" or a file); one line, no secrets.
    virtual void message(Severity, std::string_view place, std::string_view text) {
        (void)place;
        (void)text;
    }
};

}  // namespace shaduf
