#pragma once

#include <vector>

#include "models/command/console.h"
#include "models/command/invocation.h"
#include "models/select/members.h"

namespace shaduf::models {

// What a run of the selected models, seeds and snapshots would change, against the state of --state, or else of the
// target folder, and against the database. Nothing is written and nothing run. The status of the process: 0; with
// --exit-code 2 when something would change.
Result<int> run_plan(Invocation& invocation, const std::vector<const Member*>& selected, Console& console);

}  // namespace shaduf::models
