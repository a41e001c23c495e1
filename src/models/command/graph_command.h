#pragma once

#include <vector>

#include "models/command/console.h"
#include "models/command/invocation.h"
#include "models/run/graph_run.h"

namespace shaduf::models {

// Runs nodes as build, run, test, seed, snapshot and compile do: schemas made, hooks of the project before and behind,
// results written to target/run_results.json. The status of the process.
Result<int> run_graph_command(Invocation& invocation, const std::vector<const Node*>& nodes, RunKind kind,
                              Console& console);

}  // namespace shaduf::models
