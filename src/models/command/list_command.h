#pragma once

#include <vector>

#include "models/command/console.h"
#include "models/command/invocation.h"
#include "models/select/members.h"

namespace shaduf::models {

// Prints what was selected, one a line: --output selector, name, path or json, and --output-keys. invalid_config: no
// such output.
Result<void> print_list(const Invocation& invocation, const std::vector<const Member*>& members, Console& console);

}  // namespace shaduf::models
