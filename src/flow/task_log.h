#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/run_events.h"
#include "flow/run_rows.h"

namespace shaduf {

// One try of a task of a run.
struct TryId {
    RunId run;
    std::string task;  // its name
    int attempt = 1;
    bool operator==(const TryId&) const = default;
    auto operator<=>(const TryId&) const = default;
};

struct LogLine {
    int64_t number = 0;  // from 1
    Timestamp at{};
    Severity severity = Severity::info;
    std::string place;  // who says it: "pipeline.stream", a model, "stdout"; may be ""
    std::string text;   // one line, without secrets
};

struct LogPage {
    std::vector<LogLine> lines;
    int64_t lines_total = 0;
    int64_t bytes_total = 0;
    bool is_complete = false;  // no line comes any more
};

// Which lines to read: those of `first` and behind, at most `count`; negative: the last ones, so many. With `search`,
// only lines that have it (case ignored) or are as severe as `least`; they keep their numbers.
struct LogRequest {
    int64_t first = 1;
    int64_t count = 500;
    std::string search;
    Severity least = Severity::info;
};

// What tries have said, kept beside the project. Lines are numbered when they are written and stay as they are; what a
// kill cuts off is left out. Reading costs what is read, however long the log is. Thread-safe.
class LogStore {
public:
    // Takes lines of one try. Thread-safe; a line that was written outlasts the process.
    class Writer {
    public:
        virtual ~Writer() = default;
        // Lines of a text that has several are told apart; control characters but for colours (ESC [ ... m) go.
        virtual void write(Severity severity, std::string_view place, std::string_view text) = 0;
        virtual int64_t lines() const = 0;
    };
    virtual ~LogStore() = default;

    virtual Result<std::unique_ptr<Writer>> open(const TryId& id) = 0;
    // nullopt: there is no such log, or it was forgotten.
    virtual Result<std::optional<LogPage>> read(const TryId& id, const LogRequest& request) = 0;
    // The whole text, from byte `offset`, at most `bytes_max`; "" behind the end.
    virtual Result<std::string> read_text(const TryId& id, int64_t offset, int64_t bytes_max) = 0;
    virtual Result<void> forget(const RunId& run) = 0;
};

// In files: <folder>/<run>/<task>.<attempt>.log, and beside a long one .index, the offsets of lines. A text is what
// a person sees who opens the file: "2026-11-22T06:02:11.020Z INFO place: text".
std::unique_ptr<LogStore> make_file_log_store(std::string folder, const Clock& clock);
// The text of a try's log.
std::string log_path(const std::string& folder, const TryId& id);

}  // namespace shaduf
