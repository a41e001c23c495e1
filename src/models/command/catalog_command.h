#pragma once

#include "models/command/console.h"
#include "models/command/invocation.h"

namespace shaduf::models {

// docs generate, behind its compilation: asks the database, by the macro get_catalog, what the relations of the project
// hold, and writes <target>/catalog.json. With --empty-catalog, nothing is asked.
Result<void> write_catalog(Invocation& invocation, Console& console);

}  // namespace shaduf::models
