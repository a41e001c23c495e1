#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "models/yaml/yaml_node.h"

namespace shaduf::models {

// What a config is of. `other`: analyses, hooks, operations.
enum class ConfigResource : uint8_t {
    model,
    seed,
    snapshot,
    source,
    data_test,
    unit_test,
    metric,
    semantic_model,
    saved_query,
    exposure,
    function,
    group,
    other,
};
std::string_view to_string(ConfigResource resource);

// How a value meets the one that a wider scope gave.
enum class ConfigMergeRule : uint8_t {
    clobber,  // takes its place
    append,   // lists are joined; a single value is a list of one
    update,   // keys of maps are added, or take the place of the same ones
    grants,   // as clobber for each key, as append for keys with a +
};

// What a field takes.
enum class ConfigShape : uint8_t {
    any,
    boolean,
    boolean_or_null,
    integer_or_null,
    text,
    text_or_null,
    texts,          // a list; a single text becomes one
    text_or_texts,  // `tags`
    key,            // a text, a list of texts, or null
    map,
    hooks,    // a list of {sql, transaction, index}; a text is the sql, or such a map as JSON
    object,   // a map whose keys are those of the default: others are dropped, missing ones filled in
    switch_,  // a text; YAML reads a plain `on` or `off` as a boolean
    choice,   // one of `choices`
};

struct ConfigField {
    std::string_view name;
    ConfigShape shape = ConfigShape::any;
    std::string_view default_yaml = "~";
    ConfigMergeRule rule = ConfigMergeRule::clobber;
    std::string_view choices = {};  // "a, b, c"
};

// The fields that dbt knows, in its order; whatever else stands in a config is kept behind them.
std::span<const ConfigField> config_fields(ConfigResource resource);
const ConfigField* find_config_field(ConfigResource resource, std::string_view name);

// Whether a finished value is what the field takes; and what that is, for messages: "true or false".
bool config_fits(const ConfigField& field, const YamlNode& value);
std::string config_takes(const ConfigField& field);

}  // namespace shaduf::models
