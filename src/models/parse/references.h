#pragma once

#include "models/manifest.h"
#include "models/project/findings.h"

namespace shaduf::models {

// Makes unique ids of refs and sources: depends_on_nodes of all that has them. Errors: names of nothing, with the
// nearest right one; names of what is disabled; a node that depends on itself, with the path of the cycle.
// REQUIRES: the manifest was indexed
void resolve_references(Manifest& manifest, Findings& findings);
// The same for one node, which may stand in the manifest or not; without a search for cycles.
void resolve_references(Manifest& manifest, Node& node, Findings& findings);
// Whether a node depends on itself.
bool is_in_cycle(const Manifest& manifest, const Node& node);

}  // namespace shaduf::models
