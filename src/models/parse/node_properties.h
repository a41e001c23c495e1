#pragma once

#include "models/parse/doc_blocks.h"
#include "models/parse/generic_tests.h"
#include "models/parse/patches.h"

namespace shaduf::models {

// Gives nodes what their patches say beside configs: description, columns, constraints, versions, time spine. Errors
// and warnings with the line of the patch.
void apply_patches(const NodePatches& patches, const Descriptions& descriptions, Manifest& manifest,
                   Findings& findings);
// Other models that the foreign keys of a node point at, to its refs and sources.
void add_foreign_keys(Node& node);
// The generic tests of a file's models, seeds and snapshots.
void collect_tests(const PropertyFile& file, GenericTests& tests, Findings& findings);

}  // namespace shaduf::models
