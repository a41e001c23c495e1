#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "models/configs/config_fields.h"
#include "models/project/project.h"
#include "models/yaml/yaml_node.h"

namespace shaduf::models {

// A map of configs and the file that errors about it name.
struct ConfigSource {
    YamlTree tree;
    std::string file;
};

// The section of dbt_project.yml that holds configs of a resource.
ConfigSection config_section(ConfigResource resource);
// That section of a project, rendered.
ConfigSource project_configs(const Project& project, ConfigResource resource);

// Other names of some configs: those of the adapter's credentials (dbname for database). Static data.
using ConfigAliases = std::span<const std::pair<std::string_view, std::string_view>>;

// Makes the config of each node of one package and resource, as dbt does: defaults; the package's dbt_project.yml, from
// its root to the folder and then the name of the node; the node's YAML properties; config() in its file; and, for a
// package, the root project's dbt_project.yml over all. In dbt_project.yml a key with "+" is a config, and so is one
// without it whose value is no map; a map without it is a folder. Folders' configs are made once and shared by nodes
// that add nothing.
// Immutable once made: any number of threads may call merge.
class ConfigMerge {
public:
    // `root`: the root project's own section; nullopt when the package is the root project.
    ConfigMerge(ConfigResource resource, ConfigSource own, std::optional<ConfigSource> root,
                ConfigAliases aliases = {});
    ~ConfigMerge();
    ConfigMerge(ConfigMerge&&) noexcept;
    ConfigMerge& operator=(ConfigMerge&&) noexcept;

    // The config of the node of that name: package, folders, name. `properties` is the `config:` of its YAML, `calls`
    // what merge_config_calls gave; null when there is none. A map: the fields of config_fields in their order, nulls
    // too, then unknown keys. invalid_config where values cannot be merged.
    Result<YamlTree> merge(std::span<const std::string_view> fqn, const ConfigSource* properties,
                           const ConfigSource* calls) const;

    // Those folders of the section that no node was found in, as "package.folder": dbt warns of them. `used`: the names
    // of all nodes.
    std::vector<std::vector<std::string>> unused_paths(std::span<const std::vector<std::string_view>> used) const;

private:
    struct Level;
    class Merger;
    ConfigResource resource_;
    ConfigSource own_;
    std::optional<ConfigSource> root_;
    ConfigAliases aliases_;
    YamlTree defaults_;
    std::unique_ptr<Level> own_levels_;
    std::unique_ptr<Level> root_levels_;
};

// What several config() calls of one file give together. Each is a map; a single one stays as it is.
// invalid_config when a value is no map that has to be merged as one.
Result<YamlTree> merge_config_calls(std::span<const YamlTree> calls, const std::string& file);

// What is wrong with the types of a merged config, each with what it takes; and what belongs together in one.
std::vector<Error> check_config(ConfigResource resource, const YamlNode& config, const Place& place);
// The last step: `store_failures` and `store_failures_as` of a data test follow each other.
YamlTree finish_config(ConfigResource resource, const YamlTree& config);

}  // namespace shaduf::models
