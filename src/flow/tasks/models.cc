#include "flow/models_task.h"

namespace shaduf {
namespace {

TaskOutcome run(const Options& options, TaskTry& task) { return run_models_task("build", options, task); }

}  // namespace

extern const TaskTypeSpec task_models;
const TaskTypeSpec task_models{.name = "models",
                               .summary = "Builds models, seeds and snapshots, and tests each.",
                               .fields = models_task_fields(),
                               .check = check_models_task,
                               .run = run};

}  // namespace shaduf
