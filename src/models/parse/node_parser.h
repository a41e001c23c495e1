#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "models/command/invocation.h"
#include "models/configs/config_keys.h"
#include "models/configs/config_merge.h"
#include "models/context/node_scope.h"
#include "models/parse/package_files.h"
#include "models/parse/patches.h"
#include "models/parse/unrendered_configs.h"

namespace shaduf::models {

// A config that was merged, as templates and the manifest see it. Shared by nodes that have the same.
NodeConfig node_config(ResourceType type, const YamlTree& merged);

// Names of a node in the database: generate_database_name, generate_schema_name and generate_alias_name, which projects
// replace. The built-in ones need no template.
class NodeNames {
public:
    explicit NodeNames(const ContextServices& services);
    // Sets database, schema and alias by the node's config. `unique_id`, name, version and package are set already.
    Result<void> assign(Node& node, const jinja::Value& custom_database, const jinja::Value& custom_schema,
                        const jinja::Value& custom_alias) const;

private:
    const Macro* override_of(std::string_view component, const std::string& package) const;
    Result<std::string> generate(std::string_view component, const Macro& macro, const jinja::Value& custom,
                                 const Node& node) const;

    const ContextServices& services_;
    std::string default_database_, default_schema_;
};

// Makes nodes of texts: renders each once to know its config and what it refers to. Immutable; threads share it.
class NodeParser {
public:
    NodeParser(Invocation& invocation, const NodePatches& patches);
    ~NodeParser();

    struct Subject {
        ResourceType type = ResourceType::model;
        const Project* project = nullptr;
        std::string name;
        std::vector<std::string> fqn;
        FilePlace place;
        std::string raw_code;
        uint32_t lines_before = 0;  // lines of the file before raw_code
        Checksum checksum;
        std::string language = "sql";
        // What stands for config() calls where there is no text: the test's own in YAML.
        std::optional<ConfigSource> config_calls = std::nullopt;
        std::optional<TestMetadata> test = std::nullopt;
        // Properties: nullptr takes those of NodePatches by name.
        const ConfigSource* properties = nullptr;
        std::optional<std::string> version = std::nullopt;
        std::string unique_id = {};          // "": type.package.name
        std::vector<std::string> tags = {};  // before those of the config
        // What the text refers to, where that is known without rendering it.
        std::optional<Captured> known = std::nullopt;
    };
    // invalid_config with file and line: no template, or a setting that does not fit.
    Result<std::unique_ptr<Node>> parse(Subject subject) const;

    const ConfigMerge& configs(ResourceType type, const Project& project) const;
    const UnrenderedConfigs& unrendered(ResourceType type, const Project& project) const;
    Invocation& invocation() const { return invocation_; }
    const NodePatches& patches() const { return patches_; }
    // What was noted so far; of packages, nothing is.
    ConfigKeys& config_keys() const { return config_keys_; }
    void note_config_keys(ResourceType type, const Project& project, const ConfigSource& source, std::string_view code,
                          size_t line) const;

private:
    Result<void> render(Node& node, const Subject& subject, Captured& captured) const;
    Result<void> configure(Node& node, const Subject& subject, const Captured& captured) const;
    Result<void> render_hooks(Node& node, Captured& captured) const;

    // The settings that a merged config comes to, checked. `is_common`: nothing of the node's own is in it.
    enum class ConfigOrigin : uint8_t { own, common };
    Result<NodeConfig> settings(const Node& node, const YamlTree& merged, ConfigOrigin origin) const;

    Invocation& invocation_;
    const NodePatches& patches_;
    const NodeNames names_;
    mutable ConfigKeys config_keys_;
    mutable std::mutex mutex_;
    struct CommonConfig {
        YamlTree tree;  // so that no other one comes to stand where it is
        NodeConfig config;
    };
    mutable std::map<std::pair<ResourceType, const YamlEntry*>, CommonConfig> common_;
    mutable std::unordered_map<std::string, NodeConfig> written_;  // by type and merged config
    using Key = std::pair<ResourceType, const Project*>;
    mutable std::map<Key, std::unique_ptr<ConfigMerge>> configs_;
    mutable std::map<Key, std::unique_ptr<UnrenderedConfigs>> unrendered_;
};

ConfigResource config_resource(ResourceType type);

}  // namespace shaduf::models
