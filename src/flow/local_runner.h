#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/registry.h"
#include "base/run_context.h"
#include "config/project.h"
#include "connectors/connector.h"
#include "flow/scheduler.h"
#include "flow/task_board.h"
#include "flow/task_log.h"
#include "flow/task_type.h"

namespace shaduf {

// What a try is told besides its TaskStart.
struct TryInputs {
    std::string inputs;   // of the run
    std::string outputs;  // of the tasks before it: {"<task>": {...}}
    Timestamp due;
    Interval about;
};

// Runs tries in this process, each in a thread of its own, by the types of their tasks.
class LocalRunner final : public TaskRunner {
public:
    struct Parts {
        const Registry<TaskTypeSpec>& types;
        const Registry<ConnectorSpec>& connectors;
        RunContext& world;  // each try runs in a copy with its own cancellation and events
        LogStore& logs;
        TaskBoard& board;
        std::string worker;  // as runs are told who has them
        // The project as it is when a try begins.
        std::function<Result<std::shared_ptr<const Project>>()> project;
        std::function<Result<TryInputs>(const TaskStart&)> inputs;
        // Called once for each try; from any thread.
        std::function<void(RunId, TaskIndex, int attempt, std::string worker)> began;
        std::function<void(TaskEnd)> ended;
        // `key`: the same for all tries of a part of a run.
        std::function<Result<RunState>(const std::string& key, const std::string& flow, const std::string& inputs,
                                       const Cancellation&)>
            run_flow;
    };
    explicit LocalRunner(Parts parts);
    ~LocalRunner() override;  // stops all tries, and waits for them

    void start(const TaskStart& start) override;
    void stop(const TaskStop& stop) override;
    // No try begins any more; waits for those that run until `within` has passed, then stops them. Tries that were
    // stopped so are told as How::stopped only when the process goes on.
    void drain(std::chrono::milliseconds within);
    size_t running() const;

private:
    struct State;
    const Parts parts_;
    std::unique_ptr<State> state_;
};

}  // namespace shaduf
