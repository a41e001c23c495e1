#pragma once

#include <functional>
#include <string>

#include "flow/local_runner.h"
#include "flow/redaction.h"
#include "flow/task_type.h"

namespace shaduf {

struct TaskBodyParts {
    const Registry<TaskTypeSpec>& types;
    const Registry<ConnectorSpec>& connectors;
    const Project& project;
    RunContext& run;
    LogStore::Writer& log;
    TaskBoard& board;
    Redaction& redaction;  // learns of the secrets in the task's options
    // `part`: as TaskTry has it.
    std::function<Result<RunState>(const std::string& part, const std::string& flow, const std::string& inputs)>
        run_flow;
};

// Does what a task's config says: asks its condition, renders its templates, and runs it, of a for_each once for each
// item. Steps are put on the board; its values and tables are in the outcome.
TaskOutcome run_task_body(const TaskStart& start, const TryId& id, const TryInputs& inputs, const TaskBodyParts& parts);

}  // namespace shaduf
