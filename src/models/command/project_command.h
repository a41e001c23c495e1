#pragma once

#include "models/command/console.h"
#include "models/command/invocation.h"

namespace shaduf::models {

// Commands on the files of a project alone, for which nothing is parsed: `deps` puts its packages in place, `clean`
// deletes its clean-targets. The status of the process.
Result<int> run_deps(const InvocationWorld& world, const DbtArguments& arguments, Console& console);
Result<int> run_clean(const InvocationWorld& world, const DbtArguments& arguments, Console& console);
// Says what the project, the profile and the connection are, and whether each is well.
int run_debug(const InvocationWorld& world, const DbtArguments& arguments, Console& console);

}  // namespace shaduf::models
