#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "models/command/console.h"
#include "models/command/invocation.h"

namespace shaduf::models {

// Which of the nodes that were selected a command runs, once the project is parsed. Empty: all.
using NodeFilter = std::function<std::vector<const Node*>(Invocation&, const std::vector<const Node*>&)>;

// Runs a command line of dbt's, word for word. The status of the process, as dbt has it: 0 all is well, 1 a node
// failed, 2 the call or the project is wrong.
int run_dbt_command(const InvocationWorld& world, std::span<const std::string> words, Console& console,
                    const NodeFilter& filter = {});

}  // namespace shaduf::models
