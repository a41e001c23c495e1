#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "jinja/value.h"
#include "models/yaml/yaml_builder.h"
#include "models/yaml/yaml_node.h"

namespace shaduf::models {

// A YAML value as templates see it: dicts, lists, texts, numbers; dates are texts.
jinja::Value value_of_yaml(const YamlNode& node);
Result<jinja::Value> value_of_yaml(std::string_view text);
// Adds it to a tree; objects as their text.
void add_value(const jinja::Value& value, YamlBuilder& builder);
// Block style, as PyYAML's dump writes it. invalid_config: a value that YAML has no place for.
Result<std::string> yaml_of_value(const jinja::Value& value);

}  // namespace shaduf::models
