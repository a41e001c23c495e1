#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "flow/task_log.h"
#include "flow/task_state.h"

namespace shaduf {

struct StreamLag;  // base/stream_lag.h

// A part of a try that people want to see apart: a stream of a pipeline, a model, a test, a statement.
struct TaskStep {
    std::string name;  // one of a try: "shop.orders", "model.acme.stg_orders"
    std::string kind;  // stream, model, test, seed, snapshot, statement, request
    TaskState state = TaskState::waiting;
    std::optional<Timestamp> began;
    std::optional<Timestamp> ended;
    std::string table;  // that it writes: "schema.table"; "": none
    int64_t rows_read = 0;
    int64_t rows_written = 0;
    int64_t rows_quarantined = 0;
    int64_t bytes = 0;
    int64_t retries = 0;
    std::string message;  // why it failed, or what it warns of
    bool operator==(const TaskStep&) const = default;
};

// What a try has done, live and at its end; of its TaskRow::outputs it is the JSON object
//   {"values": {...}, "tables": ["schema.table", ...], "rows": N, "bytes": N, "quarantined": N, "error_kind": "",
//    "steps": [...]}
struct TryReport {
    std::vector<TaskStep> steps;      // in the order they began; past kStepsMax only those that did not succeed
    std::vector<std::string> tables;  // that it has written to
    std::string error_kind;           // of one that has failed, as of its error: "auth"; who must act follows from it
    std::string values = "{}";        // JSON: what later tasks see as outputs.<task>.<name>; at most kValuesMax bytes
    static constexpr size_t kStepsMax = 2'000;
    static constexpr size_t kValuesMax = 256 << 10;

    std::string to_json() const;
    static std::optional<TryReport> from_json(std::string_view text);  // nullopt: no such object
};

// The tries that run in this process, as they stand. Thread-safe.
class TaskBoard {
public:
    // What has changed of a try: a step that is new or has moved, how far an endless stream is behind, or how many
    // lines its log has by now.
    struct Change {
        TryId id;
        const TaskStep* step = nullptr;  // else:
        int64_t log_lines = 0;
        const StreamLag* lag = nullptr;  // when set, nothing else is
    };
    // Called by the thread that has the news, so it must be quick; at most some times a second for a step that only
    // counts rows, at once for one that begins or ends.
    using Watcher = std::function<void(const Change&)>;
    void watch(Watcher watcher);  // REQUIRES: before the first try

    // A try that has begun, without a step so far.
    void begin(const TryId& id);
    void set_step(const TryId& id, TaskStep step);
    void set_log_lines(const TryId& id, int64_t lines);
    void set_lag(const TryId& id, const StreamLag& lag);  // told, not kept
    // The try is over: what it has done, to be kept with it.
    TryReport take(const TryId& id);

    // What a try that runs in another process has done so far; `forget`: it is over, or nobody knows.
    void show(const TryId& id, TryReport report);
    void forget(const TryId& id);

    std::optional<TryReport> report(const TryId& id) const;      // nullopt: it does not run, as far as is known here
    std::optional<TryReport> own_report(const TryId& id) const;  // nullopt: it does not run in this process

private:
    Watcher watcher_;
    struct Entry {
        TryReport report;
        std::map<std::string, size_t> by_name;  // of the steps
        std::map<std::string, std::chrono::steady_clock::time_point> told;
    };
    mutable std::mutex mutex_;
    std::map<TryId, Entry> tries_;
    std::map<TryId, TryReport> elsewhere_;
};

}  // namespace shaduf
