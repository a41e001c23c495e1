#include "flow/models_task.h"

namespace shaduf {
namespace {

TaskOutcome run(const Options& options, TaskTry& task) { return run_models_task("seed", options, task); }

}  // namespace

extern const TaskTypeSpec task_seed;
const TaskTypeSpec task_seed{.name = "seed",
                             .summary = "Loads the CSV files of the project into tables.",
                             .fields = models_task_fields(),
                             .check = check_models_task,
                             .run = run};

}  // namespace shaduf
