#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/registry.h"
#include "base/run_context.h"
#include "config/options.h"
#include "config/project.h"
#include "connectors/connector.h"
#include "flow/schedule.h"
#include "flow/task_board.h"
#include "flow/task_log.h"

namespace shaduf {

// What a task gets of the try that it is. One try at a time uses it; threads that the task starts may, too.
struct TaskTry {
    TryId id;
    std::string flow;
    Timestamp due;
    Interval about;       // the data that the run is about
    std::string inputs;   // of the run, JSON
    std::string outputs;  // JSON: {"<task>": {...values}, ...} of the tasks before it that have ended
    // Its events go to the log and the board; it is canceled when the try is to stop.
    RunContext& run;
    const Project& project;
    const Registry<ConnectorSpec>& connectors;
    LogStore::Writer& log;
    TaskBoard& board;
    // Which part of the run this is, the same for all tries until somebody has it run again: the task, of a for_each
    // with the item.
    std::string part;
    // Asks for a run of another flow and waits for its end, for tasks of type `flow`; how it ended. One that an earlier
    // try has asked for, and that has not failed, is waited for instead.
    std::function<Result<RunState>(const std::string& flow, const std::string& inputs)> run_flow;
};

// How a try has ended. An error says by its kind whether trying again may help; those that cannot (invalid_config,
// denied, ...) end the task for good.
struct TaskOutcome {
    enum class How : uint8_t { succeeded, warned, skipped, failed, stopped };
    How how = How::succeeded;
    std::optional<Error> error;       // of failed and stopped
    std::string why;                  // of warned and skipped, one line
    std::string values = "{}";        // JSON, for the tasks behind it
    std::vector<std::string> tables;  // that it has written to: "schema.table"
};

// A type of task, standing at the end of src/flow/tasks/<type>.cc as `extern const TaskTypeSpec task_<type>`.
struct TaskTypeSpec {
    std::string_view name;     // the key of flows/*.yml that names it: `sql: ...`
    std::string_view summary;  // one sentence
    // The keys of its map. A task that gives a text instead means the first of them: `sql: "SELECT 1"`.
    std::span<const FieldSpec> fields = {};
    // What can be said against it before it runs; nullptr: nothing more than `fields` says.
    std::vector<Error> (*check)(const Options& options, const Project& project) = nullptr;
    // Does it. `options`: of `fields`, with ${env:}, ${secret:} and {{ }} replaced. Blocks; ends within a second of
    // cancellation, but for what must be finished first (a commit).
    TaskOutcome (*run)(const Options& options, TaskTry& task) = nullptr;
};

// One spec a file of src/flow/tasks, listed by the build.
Registry<TaskTypeSpec> builtin_tasks();

}  // namespace shaduf
