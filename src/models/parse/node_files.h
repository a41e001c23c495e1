#pragma once

#include "models/parse/node_parser.h"

namespace shaduf::models {

// Models, seeds, snapshots, singular tests, analyses and hooks of a package into the manifest, rendered by so many
// threads. Two of one name in a package, or of one place in the database, are errors.
void add_nodes(const PackageFiles& package, const NodeParser& parser, size_t threads, Manifest& manifest,
               Findings& findings);
// The same, and nothing more than parsed.
std::vector<std::unique_ptr<Node>> parse_nodes(const PackageFiles& package, const NodeParser& parser, size_t threads,
                                               Findings& findings);
// Puts a node among those that count, or among the disabled ones.
void add_node(std::unique_ptr<Node> node, Manifest& manifest);
void check_names(const Manifest& manifest, Findings& findings);

}  // namespace shaduf::models
