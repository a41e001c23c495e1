#include "models/context/yaml_scope.h"

#include <array>

#include "models/context/native.h"
#include "models/yaml/value.h"

namespace shaduf::models {

using jinja::Arguments;
using jinja::Parameter;
using jinja::Value;
using jinja::Vm;

Result<Value> YamlScope::variable(const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"var_name"}, {"default", Value()}}};
    const auto values = TRY(jinja::bind_arguments("var", parameters, arguments));
    if (const Value* value = cli_vars_->find(values[0].text())) return *value;
    if (!values[1].is_undefined()) return values[1];
    return Error(ErrorKind::invalid_config,
                 "Required var '" + values[0].text() + "' not found: here only --vars and a default are known");
}

Result<Value> YamlScope::environment_variable(const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"var"}, {"default", Value::none()}}};
    const auto values = TRY(jinja::bind_arguments("env_var", parameters, arguments));
    const std::string name = values[0].text();
    if (secrets_ == Secrets::refused && name.starts_with("DBT_ENV_SECRET")) {
        return Error(ErrorKind::invalid_config,
                     "Secret env vars are allowed only in profiles.yml or packages.yml. Found '" + name +
                         "' referenced elsewhere.");
    }
    if (auto value = environment_(name)) return Value(std::move(*value));
    if (!values[1].is_none()) return values[1];
    return Error(ErrorKind::invalid_config, "Env var required but not provided: '" + name + "'");
}

Result<std::optional<Value>> YamlScope::find(Vm&, std::string_view name) const {
    if (name == "var") {
        return std::optional(
            jinja::make_function("var", [this](Vm&, const Arguments& arguments) { return variable(arguments); }));
    }
    if (name == "env_var") {
        return std::optional(jinja::make_function(
            "env_var", [this](Vm&, const Arguments& arguments) { return environment_variable(arguments); }));
    }
    if (name == "target" && target_) return std::optional(Value(target_));
    return std::optional<Value>();
}

RenderText YamlScope::renderer(std::string file) const {
    return [this, file = std::move(file)](const YamlNode& text, std::span<const YamlNode>,
                                          YamlBuilder& out) -> Result<void> {
        auto rendered = render_native(text.text(), file, *this);
        if (!rendered.ok()) return rendered.error().at(Place::in_file(file, static_cast<int>(text.line())));
        add_value(rendered.value(), out);
        return {};
    };
}

}  // namespace shaduf::models
