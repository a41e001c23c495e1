#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/run_context.h"
#include "base/run_events.h"
#include "data/held_rows.h"
#include "data/ndjson.h"
#include "io/child_process.h"

namespace shaduf {

// What a child has to say, handed to who watches the run: without secrets, one line at a time, and not more of them
// than anyone reads (`kBurst` at once, then one a second); the rest is counted. One thread at a time.
class ChildLog {
public:
    static constexpr int kBurst = 20;
    ChildLog(RunContext& run, std::string place, std::vector<std::string> secrets);
    void say(Severity severity, std::string_view text);
    // A line that no protocol frames: said when it warns, else passed over.
    void say_unframed(std::string_view line);
    // Says how many lines were left out.
    void finish();
    std::string without_secrets(std::string_view text) const;

private:
    RunContext& run_;
    const std::string place_;
    const std::vector<std::string> secrets_;
    int allowed_ = kBurst;
    std::chrono::steady_clock::time_point refilled_at_;
    int64_t left_out_ = 0;
};

// What a protocol makes of the lines that a child writes.
class LineProtocol {
public:
    virtual ~LineProtocol() = default;
    // Whole lines, in the order they came. An error ends the child.
    virtual Result<RowsToPosition> read_lines(RawRows lines, ChildLog& log) = 0;
    // The child has ended: an error, when it has not done all that it should. `tail` is the end of its stderr.
    virtual Result<void> judge_end(const ChildExit& exit, const std::string& tail, ChildLog& log) = 0;
};

struct RowChildSettings {
    ChildCommand command;
    std::string place;                     // of its rows and messages: "users"
    std::vector<std::string> secrets;      // never shown
    std::chrono::milliseconds patience{};  // a child that says nothing for so long is taken to hang
    size_t held_bytes_max = 4 << 20;       // of rows whose position is not known yet
};

// A child that writes rows and, now and then, the position behind them, one message a line. One thread at a time.
class RowChild {
public:
    // `protocol` outlives it.
    static Result<std::unique_ptr<RowChild>> start(RunContext& run, RowChildSettings settings, LineProtocol& protocol);
    // Waits for rows or a position; nullopt: the child has ended, well.
    Result<std::optional<HeldRows::Piece>> next(RunContext& run);
    // Whether all rows given so far stand before a position; those that were held back are dropped.
    bool drop_held() { return held_.drop(); }

private:
    RowChild(RunContext& run, RowChildSettings settings, LineProtocol& protocol);
    Result<bool> collect(RunContext& run);
    Result<void> take_lines(RawRows lines);
    Result<void> end(RunContext& run);

    const RowChildSettings settings_;
    LineProtocol& protocol_;
    ChildLog log_;
    NdjsonSplitter lines_;
    HeldRows held_;
    bool ended_ = false;
    std::unique_ptr<ChildProcess> child_;  // goes first: its lines of stderr go to the log
};

// Runs a command that answers briefly (a check, a discovery): all lines it wrote, and how it ended. exhausted when
// there are more than `bytes_max` of them.
struct ChildAnswer {
    RawRows lines;
    ChildExit exit;
    std::string tail;
};
Result<ChildAnswer> ask_child(RunContext& run, const RowChildSettings& settings, size_t bytes_max = 64 << 20);

// What a child's end says: its exit, and the last of what it wrote to stderr.
std::string end_of_child(const ChildExit& exit, const std::string& tail);

// Whether what bears this name is likely a secret ("password", "api_key", ...); and all values of such names in a
// configuration.
bool is_secret_name(std::string_view name);
std::vector<std::string> secrets_of_json(const std::string& json);

}  // namespace shaduf
