#pragma once

#include <vector>

#include "models/command/console.h"
#include "models/command/invocation.h"

namespace shaduf::models {

// source freshness: how old the newest row of each source is, by its loaded_at_field or loaded_at_query, against its
// thresholds. Writes <target>/sources.json, or what --output names. Status 1: a source is older than error_after, or
// could not be asked.
Result<int> run_source_freshness(Invocation& invocation, const std::vector<const SourceTable*>& sources,
                                 Console& console);

}  // namespace shaduf::models
