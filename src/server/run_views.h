#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "flow/flow_files.h"
#include "flow/run_store.h"
#include "flow/task_board.h"

namespace shaduf {
class JsonWriter;
}

namespace shaduf::server {

struct TaskTitle;  // server/serve_log.h

// How far a run has come, and what it has moved.
struct RunTotals {
    int64_t tasks = 0;
    int64_t succeeded = 0;
    int64_t warned = 0;
    int64_t failed = 0;  // or stopped, or never begun since one before it failed
    int64_t running = 0;
    int64_t waiting = 0;
    int64_t skipped = 0;
    int64_t rows = 0;
    int64_t bytes = 0;
    int64_t quarantined = 0;
    bool operator==(const RunTotals&) const = default;
};

// Runs as people see them, without reading all of their tasks each time: totals are kept in memory and follow each
// change, so that a page of a hundred runs costs a hundred look-ups. Bounded; what falls out is read again from the
// store. Thread-safe; the store outlives it.
class RunViews {
public:
    using Flows = std::function<std::shared_ptr<const FlowSet>()>;
    RunViews(RunStore& store, Flows flows) : store_(store), flows_(std::move(flows)) {}

    // What the scheduler has kept; to be told of each step, in order.
    void note(const FlowChanges& changes);

    Result<RunTotals> totals(const RunRow& run);
    // As the store has it, or of those that are open as it was told of last; nullopt: it is not there.
    std::optional<RunRow> run(const RunId& id);
    // The definition that a run keeps to; nullptr: it cannot be read any more.
    FlowPtr spec(const std::string& flow, const std::string& revision);
    TaskTitle title_of(const TaskRow& task);

    // The last runs of a flow, newest first, at most kRecentMax, and when it last succeeded.
    struct Recent {
        std::deque<RunRow> runs;
        std::optional<Timestamp> last_success;
    };
    static constexpr size_t kRecentMax = 20;
    Result<Recent> recent(const std::string& flow);

private:
    struct Part {
        TaskState state = TaskState::waiting;
        int64_t rows = 0;
        int64_t bytes = 0;
        int64_t quarantined = 0;
    };
    struct Entry {
        RunTotals totals;
        std::vector<Part> parts;  // by task; of a run that has ended none
        RunRow row;
        bool has_ended = false;
    };
    static Part part_of(const TaskRow& task);
    static void count(RunTotals& totals, const Part& part, int64_t by);
    Result<Entry> load(const RunRow& run);
    void note_task(const TaskRow& task);
    void note_run(const RunRow& run);
    void keep(const RunId& run, Entry entry);

    RunStore& store_;
    const Flows flows_;
    std::mutex mutex_;
    std::unordered_map<RunId, Entry> entries_;
    std::deque<RunId> order_;  // of the entries, the oldest first
    std::map<std::pair<std::string, std::string>, FlowPtr> specs_;
    std::unordered_map<std::string, Recent> recent_;
};

// {"id", "flow", ..., "tasks": {...}, "rows", "bytes", "quarantined"}: RunSummary of the API.
void write_run(JsonWriter& json, const RunRow& run, const RunTotals& totals);
// The fields alone, without the counts of tasks, into an object that is open.
void write_run_fields(JsonWriter& json, const RunRow& run, const RunTotals& totals);
// TaskInfo; `row` may be null: it just waits. `report`: of a try that runs here.
void write_task_fields(JsonWriter& json, const FlowSpec& flow, TaskIndex task, const TaskRow* row,
                       const std::optional<TryReport>& report);
void write_step(JsonWriter& json, const TaskStep& step);

// What a text that says what happened, then what to do, says is to be done: what is behind its last semicolon.
std::string advice_of(const std::string& why);

}  // namespace shaduf::server
