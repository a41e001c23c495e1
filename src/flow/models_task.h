#pragma once

#include <span>
#include <string>

#include "flow/task_type.h"

namespace shaduf {

// The keys that tasks of models, tests, seeds and snapshots share.
std::span<const FieldSpec> models_task_fields();
// dbt's command `verb` in this process: its lines go to the log, its nodes are steps. Each task has a folder of its own
// for what is compiled, so that any number of them runs side by side.
TaskOutcome run_models_task(const std::string& verb, const Options& options, TaskTry& task);
std::vector<Error> check_models_task(const Options& options, const Project& project);

}  // namespace shaduf
