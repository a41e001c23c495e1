#include "flow/models_task.h"

namespace shaduf {
namespace {

TaskOutcome run(const Options& options, TaskTry& task) { return run_models_task("test", options, task); }

}  // namespace

extern const TaskTypeSpec task_test;
const TaskTypeSpec task_test{.name = "test",
                             .summary = "Runs tests of models, seeds, snapshots and sources.",
                             .fields = models_task_fields(),
                             .check = check_models_task,
                             .run = run};

}  // namespace shaduf
