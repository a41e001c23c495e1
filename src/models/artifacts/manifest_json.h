#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "models/run/node_result.h"

namespace shaduf::models {

struct ContextServices;

// Writes <target>/manifest.json (schema v12): all that parsing found, and what was compiled of it. `selectors`: those
// of selectors.yml by name, as JSON; "" for none.
Result<void> write_manifest(const ContextServices& services, const std::vector<NodeResult>& results,
                            const std::string& selectors);

// <target>/run_results.json (schema v6).
Result<void> write_run_results(const ContextServices& services, const std::vector<NodeResult>& results,
                               double elapsed_seconds);

// <target>/semantic_manifest.json.
Result<void> write_semantic_manifest(const ContextServices& services);

}  // namespace shaduf::models
