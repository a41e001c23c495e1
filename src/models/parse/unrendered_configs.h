#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/value.h"
#include "models/configs/config_merge.h"
#include "models/project/project.h"

namespace shaduf::models {

// The configs of nodes as they are written, which is what two states of a project are compared by: dbt_project.yml with
// its Jinja, then properties and config() calls, each key of the last one that has it. Of one package and resource;
// immutable.
class UnrenderedConfigs {
public:
    // `root`: nullptr when the project is the root itself.
    UnrenderedConfigs(const Project& project, const Project* root, ConfigResource resource);
    ~UnrenderedConfigs();

    using Settings = std::vector<std::pair<std::string, jinja::Value>>;
    Settings of(std::span<const std::string_view> fqn, const ConfigSource* properties, const ConfigSource* calls) const;

private:
    struct Level;
    std::unique_ptr<const Level> own_, root_;
};

}  // namespace shaduf::models
