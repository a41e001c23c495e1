#include "flow/models_task.h"

namespace shaduf {
namespace {

TaskOutcome run(const Options& options, TaskTry& task) { return run_models_task("snapshot", options, task); }

}  // namespace

extern const TaskTypeSpec task_snapshot;
const TaskTypeSpec task_snapshot{.name = "snapshot",
                                 .summary = "Adds what has changed to the history of tables.",
                                 .fields = models_task_fields(),
                                 .check = check_models_task,
                                 .run = run};

}  // namespace shaduf
