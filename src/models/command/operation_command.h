#pragma once

#include <vector>

#include "models/command/console.h"
#include "models/command/invocation.h"
#include "models/run/node_result.h"

namespace shaduf::models {

// run-operation: calls the macro of the command line with --args, or runs the statement of --sql. What it leaves open
// is rolled back. The status of the process.
Result<int> run_operation_command(Invocation& invocation, Console& console);

// show: rows of each of `nodes`, or of --inline, at most --limit (5 unless told, below 0 all).
Result<int> run_show(Invocation& invocation, const std::vector<const Node*>& nodes, Console& console);
// compile --inline: the SQL of it.
Result<int> run_compile_inline(Invocation& invocation, Console& console);
// compile --select: the SQL of the nodes whose names were asked for. Without --select, nothing.
Result<void> print_compiled(const Invocation& invocation, const std::vector<NodeResult>& results, Console& console);

}  // namespace shaduf::models
