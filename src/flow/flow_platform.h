#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "flow/desk.h"
#include "flow/flow_files.h"
#include "flow/local_runner.h"
#include "flow/run_ends.h"
#include "flow/run_store.h"
#include "flow/scheduler.h"
#include "flow/task_board.h"
#include "flow/task_log.h"

namespace shaduf {

// All that runs flows in this process: the store, the runner of tries with its logs and board, the desk, and, where
// this process is the one that decides, the scheduler and the triggers. Either alone, over a file, or as one of several
// processes over PostgreSQL (flow/shared/). Thread-safe once it is started.
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
        // A DSN of PostgreSQL: the store is there, and shared with other processes. Only then the rest counts.
        std::string state = {};
        bool decides = true;      // takes its turn at leading
        bool takes_tasks = true;  // runs tries,
        size_t places = 16;       // so many at the same time
        std::string version = {};
    };
    // Goes on with the runs that were left open. conflict: another process serves the project, without a shared store.
    static Result<std::unique_ptr<FlowPlatform>> start(Parts parts, std::shared_ptr<const FlowSet> flows);
    virtual ~FlowPlatform() = default;  // as drain(0)
    FlowPlatform(const FlowPlatform&) = delete;
    FlowPlatform& operator=(const FlowPlatform&) = delete;

    // Flows and pools as they are now; runs that were created keep their definitions.
    virtual Result<void> reload(std::shared_ptr<const FlowSet> flows) = 0;
    // No task begins here any more; waits for those that run until `within` has passed, then stops them: what they have
    // left is tried again by the process that comes next, or is there. After it nothing can be asked for.
    virtual void drain(std::chrono::milliseconds within) = 0;

    virtual RunStore& store() = 0;
    virtual LogStore& logs() = 0;
    virtual FlowDesk& desk() = 0;
    virtual size_t tries_running() const = 0;
    // Why no decision is made any more: another process leads, without a shared store.
    virtual std::optional<Error> failure() const = 0;
    // Whether this process decides at the moment.
    virtual bool leads() const = 0;

    TaskBoard& board() { return board_; }
    std::shared_ptr<const FlowSet> flows() const;
    // Runs that were open when it started, the oldest first; they may have ended since.
    const std::vector<RunRow>& left_open() const { return left_open_; }
    // Waits for a run's end. canceled, also when the process ends before.
    Result<RunState> wait_for(const RunId& run, const Cancellation& cancellation);
    // A flow as it was when a run of that revision began. invalid_config: nobody has it any more.
    Result<FlowPtr> definition(const std::string& flow, const std::string& revision);

protected:
    FlowPlatform(Parts parts, std::shared_ptr<const FlowSet> flows);
    void set_flows(std::shared_ptr<const FlowSet> flows);
    FlowPtr spec(const std::string& flow) const;  // nullptr: there is none
    Result<TryInputs> inputs_of(const TaskStart& start);
    Result<FlowDesk::Requested> request_once(const std::string& key, const RunRequest& request);
    Result<RunState> run_flow(const std::string& key, const std::string& flow, const std::string& inputs,
                              const Cancellation& cancellation);

    const Parts parts_;
    TaskBoard board_;
    RunEnds ends_;
    std::vector<RunRow> left_open_;
    std::atomic<bool> leaves_tries_{false};  // those that are stopped from now on go on elsewhere

private:
    mutable std::mutex flows_mutex_;
    std::shared_ptr<const FlowSet> flows_;
};

}  // namespace shaduf
