#pragma once

#include <functional>
#include <optional>
#include <string>

#include "jinja/vm.h"
#include "models/yaml/render_tree.h"

namespace shaduf::models {

// The names that dbt_project.yml, profiles.yml and packages.yml see: var (of the command line), env_var, target.
class YamlScope final : public jinja::Scope {
public:
    enum class Secrets : uint8_t { allowed, refused };  // DBT_ENV_SECRET_*: in profiles.yml and packages.yml only
    using Environment = std::function<std::optional<std::string>(const std::string&)>;
    YamlScope(jinja::Ref<jinja::Dict> cli_vars, Environment environment, Secrets secrets)
        : cli_vars_(std::move(cli_vars)), environment_(std::move(environment)), secrets_(secrets) {}
    void set_target(jinja::Ref<jinja::Dict> target) { target_ = std::move(target); }

    Result<std::optional<jinja::Value>> find(jinja::Vm& vm, std::string_view name) const override;
    // Renders the texts of a tree within this scope, which it must not outlive. `file` stands in errors.
    RenderText renderer(std::string file) const;

private:
    Result<jinja::Value> variable(const jinja::Arguments& arguments) const;
    Result<jinja::Value> environment_variable(const jinja::Arguments& arguments) const;

    const jinja::Ref<jinja::Dict> cli_vars_;
    const Environment environment_;
    const Secrets secrets_;
    jinja::Ref<jinja::Dict> target_;
};

}  // namespace shaduf::models
