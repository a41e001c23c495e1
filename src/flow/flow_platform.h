#pragma once

#include <functional>
#include <memory>
#include <string>

#include "flow/desk_local.h"
#include "flow/flow_files.h"
#include "flow/local_runner.h"
#include "flow/run_store.h"
#include "flow/scheduler.h"
#include "flow/task_board.h"
#include "flow/task_log.h"

namespace shaduf {

class FlowTriggers;
class RunEnds;

// All that runs flows in this process: the store, the scheduler, the runner with its logs and board, the desk and the
// triggers. Thread-safe once it is started.
class FlowPlatform {
public:
    struct Parts {
        RunContext& world;
        const Registry<ConnectorSpec>& connectors;
        const Registry<TaskTypeSpec>& types;
        std::string folder;  // runs.db, and logs/
        std::string worker;  // as runs are told who has their tasks
        // The project as it is when a try begins.
        std::function<Result<std::shared_ptr<const Project>>()> project;
        // Called by other threads, so they must be quick; they may be empty.
        FlowWatcher watcher;
        TaskBoard::Watcher board_watcher;
        // False: nothing runs but what is asked for, and what was left open.
        bool begins_runs = true;
    };
    // Goes on with the runs that were left open. conflict: another process serves the project.
    static Result<std::unique_ptr<FlowPlatform>> start(Parts parts, std::shared_ptr<const FlowSet> flows);
    ~FlowPlatform();  // as drain(0)
    FlowPlatform(const FlowPlatform&) = delete;
    FlowPlatform& operator=(const FlowPlatform&) = delete;

    // Flows and pools as they are now; runs that were created keep their definitions.
    Result<void> reload(std::shared_ptr<const FlowSet> flows);
    // No task begins any more; waits for those that run until `within` has passed, then stops them: what they have left
    // is tried again by the process that comes next, as far as their retries allow. After it nothing can be asked for.
    void drain(std::chrono::milliseconds within);

    RunStore& store() { return *store_; }
    LogStore& logs() { return *logs_; }
    TaskBoard& board() { return board_; }
    LocalDesk& desk() { return *desk_; }
    std::shared_ptr<const FlowSet> flows() const;
    // Runs that were open when it started, the oldest first; they may have ended since.
    const std::vector<RunRow>& left_open() const { return left_open_; }
    size_t tries_running() const { return runner_->running(); }
    // Waits for a run's end. canceled; internal: the scheduler has ended by itself, see `failure`.
    Result<RunState> wait_for(const RunId& run, const Cancellation& cancellation);
    // Why no decision is made any more: another process leads.
    std::optional<Error> failure() const { return scheduler_->failure(); }

private:
    explicit FlowPlatform(Parts parts);
    Result<void> begin(std::shared_ptr<const FlowSet> flows);
    void make_runner();
    void make_desk();
    Result<void> start_scheduler(const FlowSet& flows);
    Result<void> keep_definitions(const FlowSet& flows);
    FlowPtr for_engine(const FlowPtr& flow, bool is_paused) const;
    FlowPtr spec(const std::string& flow) const;
    Result<TryInputs> inputs_of(const TaskStart& start);
    Result<RunState> run_flow(const std::string& flow, const std::string& inputs, const Cancellation& cancellation);
    void hear(const FlowChanges& changes);

    const Parts parts_;
    mutable std::mutex mutex_;
    std::shared_ptr<const FlowSet> flows_;
    std::set<std::pair<std::string, std::string>> kept_;  // definitions, by flow and revision
    std::unique_ptr<RunStore> store_;
    std::unique_ptr<LogStore> logs_;
    TaskBoard board_;
    std::unique_ptr<RunEnds> ends_;
    std::unique_ptr<LocalRunner> runner_;
    std::unique_ptr<Scheduler> scheduler_;
    std::unique_ptr<LocalDesk> desk_;
    std::unique_ptr<FlowTriggers> triggers_;
    std::vector<RunRow> left_open_;
    bool is_started_ = false;
    bool is_drained_ = false;
};

}  // namespace shaduf
