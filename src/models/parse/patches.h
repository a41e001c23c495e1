#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "models/configs/config_merge.h"
#include "models/manifest.h"

namespace shaduf::models {

// What properties in YAML say of one node, as it is written there.
struct NodePatch {
    std::string package;  // of the file
    std::string file;     // below the package
    YamlNode entry;       // the map under models:, seeds:, ...
    YamlTree tree;        // that it lives in
    // Its `config:`, rendered; nullopt: none.
    std::optional<ConfigSource> config;
    mutable bool is_used = false;
};

// The patches of all packages. A node's is that of a file of its own package, else of the root project. Immutable once
// filled, but for the marks of use: each is set by the one thread that parses the node.
class NodePatches {
public:
    // False: there is one already, which is `find`'s.
    bool add(ResourceType type, const std::string& node_package, const std::string& name, NodePatch patch);
    const NodePatch* find(ResourceType type, const std::string& package, const std::string& name) const;
    const std::map<std::string, NodePatch, std::less<>>& all() const { return patches_; }

private:
    std::map<std::string, NodePatch, std::less<>> patches_;  // "model.package.name"
};

}  // namespace shaduf::models
