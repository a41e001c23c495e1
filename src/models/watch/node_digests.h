#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "models/manifest.h"

namespace shaduf::models {

// What each node of a manifest is, as a number: its own text, config and properties, and the macros that it calls,
// directly or through others. Two manifests of one project show by it what a change of files touched. A plain value.
class NodeDigests {
public:
    NodeDigests() = default;
    explicit NodeDigests(const Manifest& manifest);
    bool empty() const { return digests_.empty(); }
    // Nodes that are new or another than they were in `before`, in the order of the manifest.
    std::vector<const Node*> changed_since(const NodeDigests& before, const Manifest& manifest) const;

private:
    std::unordered_map<std::string, uint64_t> digests_;
};

}  // namespace shaduf::models
