#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "flow/flow_files.h"
#include "flow/run_rows.h"
#include "flow/task_board.h"
#include "observe/metrics/metrics.h"

namespace shaduf::observe {

// What runs, tasks and streams of pipelines come to, as metrics. It follows what is told of them, and reads nothing but
// definitions of flows, so it costs the scheduler little. Thread-safe; what it is made of outlives it.
//
// Of several processes that share a store all are told of each run, but only the one that decides counts it, so that
// the sum over them is true. Rows and lag are counted where the stream runs. What is open, all of them know.
class FlowMetrics {
public:
    struct Parts {
        Metrics& metrics;
        const Clock& clock;
        // nullptr, nullopt: it is not there any more.
        std::function<FlowPtr(const std::string& flow, const std::string& revision)> spec;
        std::function<std::optional<RunRow>(const RunId& run)> run;
        std::function<bool()> counts;  // whether this process counts runs and tasks
    };
    explicit FlowMetrics(Parts parts) : parts_(std::move(parts)) {}

    // What is open when it begins, as `read` gives it; what is told meanwhile waits, so that none of it is missed.
    Result<void> take_up(const std::function<Result<FlowRemains>()>& read);
    void hear(const FlowChanges& changes);
    void hear(const TaskBoard::Change& change);

    // Runs and tasks that are open, pools, and lag.
    void collect(MetricPage& page, const FlowSet& flows) const;

private:
    struct Task {
        TaskState state = TaskState::waiting;
        int attempt = 0;
        std::optional<Timestamp> queued;
        bool has_begun = false;  // of this attempt: its worker is known
    };
    struct Run {
        RunRow row;
        FlowPtr spec;
        std::unordered_map<TaskIndex, Task> tasks;
    };
    struct Moved {
        int64_t read = 0, written = 0, quarantined = 0, bytes = 0, retries = 0;
    };

    Run* open_run(const RunId& id);
    void note_task(const TaskRow& row, bool counts);
    void note_try_end(const TaskRow& row, const std::string& type);
    bool is_running(const TryId& id) const;
    void settle_rows(const TaskRow& row, const std::string& task, bool counts);
    void count_step(const RunId& run, const std::string& of_try, const TaskStep& step, bool counts);
    void note_run_end(const RunRow& row, bool counts);
    void remember(const RunId& id);

    const Parts parts_;
    mutable std::mutex mutex_;
    std::unordered_map<RunId, Run> open_;
    std::deque<std::string> ended_order_;  // ends that were counted: run, and when
    std::unordered_set<std::string> ended_;
    std::map<std::pair<RunId, std::string>, Moved> moved_;  // by run and step: what was counted of those that run
    struct Lag {
        int64_t messages = 0;
        double seconds = 0;
    };
    std::map<std::pair<RunId, std::pair<std::string, std::string>>, Lag> lags_;  // by run, pipeline and stream
};

}  // namespace shaduf::observe
