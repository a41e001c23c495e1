#pragma once

#include "models/parse/node_parser.h"
#include "models/parse/patches.h"

namespace shaduf::models {

// Snapshots that are written in YAML alone, by `relation:`.
void add_snapshot_names(const PropertyFile& file, NodeFileNames& names);
// Makes nodes of them. Errors: a relation that is neither ref() nor source().
void add_yaml_snapshots(const PropertyFile& file, const NodeParser& parser, Manifest& manifest, Findings& findings);

}  // namespace shaduf::models
