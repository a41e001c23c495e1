#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/configs/config_merge.h"
#include "models/manifest.h"
#include "models/parse/property_files.h"

namespace shaduf::models {

// What properties in YAML say of one node, as it is written there.
struct NodePatch {
    const PropertyFile* file = nullptr;
    YamlNode entry;    // the map under models:, seeds:, ...
    YamlNode version;  // that under versions:, or null
    std::string latest_version;
    // Its `config:`, rendered, with what stands beside it by habit (meta, docs, group, contract, access); nullopt:
    // none.
    std::optional<ConfigSource> config;
    mutable bool is_used = false;
};

// A file that is one version of a model.
struct ModelVersion {
    std::string model;
    std::string version;
};

// The names of files that make nodes, so that properties find theirs before these are parsed.
class NodeFileNames {
public:
    void add(const PackageFiles& package);
    void add(ResourceType type, const std::string& package, const std::string& name);
    // The package whose node of that name is meant in a file of `package`: its own, else another's. nullptr: none.
    const std::string* package_of(ResourceType type, const std::string& package, const std::string& name) const;
    // What a name is in any package, if it is no `type`.
    std::optional<ResourceType> other_type_of(ResourceType type, const std::string& name) const;

private:
    std::map<std::pair<ResourceType, std::string>, std::vector<std::string>> packages_;
};

// The patches of all packages, by the node that they are of. Immutable once filled, but for the marks of use: each is
// set by the one thread that parses the node.
class NodePatches {
public:
    // Those of models, seeds, snapshots, analyses and singular tests. The files stay where they are. Errors: two for
    // one node, versions that contradict each other.
    void add(std::span<const PropertyFile> files, const NodeFileNames& names, Findings& findings);
    // `name` of a version: "orders.v2"
    const NodePatch* find(ResourceType type, std::string_view package, std::string_view name) const;
    const NodePatch* find(const Node& node) const;
    // nullptr: the file is no version of a model
    const ModelVersion* version_of(const std::string& package, const std::string& file_name) const;
    void warn_of_unused(Findings& findings) const;

private:
    void add_entry(ResourceType type, const PropertyFile& file, const YamlNode& entry, const NodeFileNames& names,
                   Findings& findings);
    void add_versions(const PropertyFile& file, const YamlNode& entry, const NodeFileNames& names, Findings& findings);
    void put(ResourceType type, const std::string& package, const std::string& name, NodePatch patch,
             Findings& findings);

    std::map<std::string, NodePatch, std::less<>> patches_;  // "model.package.name"
    std::map<std::string, ModelVersion> versions_;           // "package.file_name"
};

// A version as it is written: 2, "2.5", a.
std::string version_text(const YamlNode& version);
// `name` with the version behind it.
std::string versioned_name(const std::string& name, const std::string& version);

}  // namespace shaduf::models
