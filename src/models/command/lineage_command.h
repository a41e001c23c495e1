#pragma once

#include "models/command/console.h"
#include "models/command/invocation.h"

namespace shaduf::models {

// `lineage [N+]MODEL[.COLUMN][+N]`: where the columns of a model come from and who reads them, as a tree or as JSON.
// The status of the process. invalid_config: there is no such model or column.
Result<int> run_lineage(Invocation& invocation, Console& console);

// Behind docs generate: target/column_lineage.json.
Result<void> write_lineage_artifact(Invocation& invocation, Console& console);

}  // namespace shaduf::models
