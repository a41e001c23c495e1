#include "models/watch/node_digests.h"

#include <bit>

#include "models/parse/state/archive.h"
#include "models/parse/state/manifest_fields.h"

namespace shaduf::models {
namespace {

uint64_t joined(uint64_t digest, uint64_t more) { return std::rotl(digest, 7) ^ (more * 0x9E3779B97F4A7C15ULL); }

// The texts of macros with those that they call. Macros may call themselves.
class MacroDigests {
public:
    explicit MacroDigests(const Manifest& manifest) {
        for (const auto& macro : manifest.macros) macros_.emplace(macro->unique_id, macro.get());
    }

    uint64_t of(const std::string& id) {
        const auto known = known_.find(id);
        if (known != known_.end()) return known->second;
        uint64_t digest = 0;
        known_.emplace(id, digest);
        const auto macro = macros_.find(id);
        if (macro == macros_.end()) return digest;
        digest = archive_checksum(macro->second->text());
        for (const std::string& called : macro->second->depends_on_macros) digest = joined(digest, of(called));
        known_[id] = digest;
        return digest;
    }

private:
    std::unordered_map<std::string_view, const Macro*> macros_;
    std::unordered_map<std::string, uint64_t> known_;
};

uint64_t digest_of(const Node& node, MacroDigests& macros) {
    ArchiveWriter::Pool pool;
    ArchiveWriter bytes(pool);
    // Neither when it was parsed nor where in a file it stands.
    bytes(node.type, node.alias, node.database, node.schema, node.fqn, node.checksum, node.language, node.tags,
          node.meta, node.description, node.columns, node.group, node.access, node.constraints, node.version,
          node.raw_code, node.refs, node.sources, node.depends_on_nodes, node.depends_on_macros, node.test);
    if (node.config.settings()) bytes.put_dict(*node.config.settings());
    uint64_t digest = archive_checksum(bytes.bytes());
    for (const std::string& macro : node.depends_on_macros) digest = joined(digest, macros.of(macro));
    return digest;
}

}  // namespace

NodeDigests::NodeDigests(const Manifest& manifest) {
    MacroDigests macros(manifest);
    digests_.reserve(manifest.nodes.size());
    for (const auto& node : manifest.nodes) digests_.emplace(node->unique_id, digest_of(*node, macros));
}

std::vector<const Node*> NodeDigests::changed_since(const NodeDigests& before, const Manifest& manifest) const {
    std::vector<const Node*> changed;
    for (const auto& node : manifest.nodes) {
        const auto was = before.digests_.find(node->unique_id);
        if (was == before.digests_.end() || was->second != digests_.at(node->unique_id)) changed.push_back(node.get());
    }
    return changed;
}

}  // namespace shaduf::models
