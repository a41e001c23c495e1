#pragma once

#include <memory>
#include <span>

#include "models/parse/node_parser.h"

namespace shaduf::models {

// Properties in YAML (schema.yml and the like), in two steps: `read` takes the files of all packages in, so that nodes
// know their `config:` when they are parsed; `apply` then gives nodes their descriptions and columns, and makes what is
// declared there alone: generic tests, sources, snapshots without a block, exposures, groups, metrics, unit tests.
class PropertiesReader {
public:
    PropertiesReader(Invocation& invocation, NodePatches& patches);
    ~PropertiesReader();

    // REQUIRES: the packages outlive the reader
    void read(std::span<const PackageFiles> packages, Findings& findings);
    // REQUIRES: the nodes of all packages are in the manifest, which was indexed
    void apply(const NodeParser& parser, Findings& findings);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace shaduf::models
