#include <algorithm>

#include "base/text.h"
#include "models/configs/config_merge.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/yaml_builder.h"

namespace shaduf::models {
namespace {

bool is_texts(const YamlNode& value) {
    return value.is_list() &&
           std::all_of(value.items().begin(), value.items().end(), [](const YamlNode& item) { return item.is_text(); });
}

bool is_hook(const YamlNode& hook) {
    return hook["sql"].is_text() && hook["transaction"].is_boolean() &&
           (hook["index"].is_null() || hook["index"].is_integer());
}

bool has_text_keys(const YamlNode& map) {
    return map.is_map() && std::all_of(map.entries().begin(), map.entries().end(),
                                       [](const auto& entry) { return entry.key.is_text(); });
}

bool is_choice(const YamlNode& value, std::string_view choices) {
    const auto parts = split(choices, ',');
    return value.is_text() &&
           std::any_of(parts.begin(), parts.end(), [&](std::string_view part) { return trim(part) == value.text(); });
}

// What fits by itself, but not together.
std::vector<std::string> check_together(ConfigResource resource, const YamlNode& config) {
    std::vector<std::string> wrong;
    const std::string_view materialized = config["materialized"].text();
    const YamlNode& enforced = config["contract"]["enforced"];
    const std::string_view on_change = config["on_schema_change"].text();
    if (enforced.is_boolean() && enforced.boolean() && materialized == "incremental" &&
        on_change != "append_new_columns" && on_change != "fail") {
        wrong.push_back("an incremental model with a contract takes on_schema_change append_new_columns or fail, not " +
                        shown_value(config["on_schema_change"]));
    }
    if (resource == ConfigResource::seed && !materialized.empty() && materialized != "seed") {
        wrong.push_back("a seed takes materialized seed, not " + std::string(materialized));
    }
    if (resource == ConfigResource::data_test) {
        const std::string_view severity = config["severity"].text();
        if (!equals_ignoring_case(severity, "warn") && !equals_ignoring_case(severity, "error")) {
            wrong.push_back("severity takes warn or error, not " + shown_value(config["severity"]));
        }
    }
    return wrong;
}

}  // namespace

bool config_fits(const ConfigField& field, const YamlNode& value) {
    switch (field.shape) {
        case ConfigShape::any: return true;
        case ConfigShape::boolean: return value.is_boolean();
        case ConfigShape::boolean_or_null: return value.is_boolean() || value.is_null();
        case ConfigShape::integer_or_null: return value.is_integer() || value.is_null();
        case ConfigShape::text: return value.is_text();
        case ConfigShape::text_or_null:
        case ConfigShape::switch_: return value.is_text() || value.is_null();
        case ConfigShape::texts: return is_texts(value);
        case ConfigShape::text_or_texts: return value.is_text() || is_texts(value);
        case ConfigShape::key: return value.is_text() || value.is_null() || is_texts(value);
        case ConfigShape::map: return has_text_keys(value);
        case ConfigShape::hooks:
            return value.is_list() && std::all_of(value.items().begin(), value.items().end(), is_hook);
        case ConfigShape::object: return value.is_map() || (value.is_null() && field.name == "freshness");
        case ConfigShape::choice: return is_choice(value, field.choices);
    }
    return false;
}

std::string config_takes(const ConfigField& field) {
    switch (field.shape) {
        case ConfigShape::any: return "anything";
        case ConfigShape::boolean:
        case ConfigShape::boolean_or_null: return "true or false";
        case ConfigShape::integer_or_null: return "a whole number";
        case ConfigShape::text:
        case ConfigShape::text_or_null: return "a text";
        case ConfigShape::texts: return "a list of texts";
        case ConfigShape::text_or_texts:
        case ConfigShape::key: return "a text or a list of texts";
        case ConfigShape::map:
        case ConfigShape::object: return "a map";
        case ConfigShape::hooks: return "SQL texts, or maps with sql and transaction";
        case ConfigShape::switch_: return "on or off";
        case ConfigShape::choice: return "one of " + std::string(field.choices);
    }
    return "";
}

std::vector<Error> check_config(ConfigResource resource, const YamlNode& config, const Place& place) {
    std::vector<Error> errors;
    const auto refuse = [&](const std::string& message) {
        errors.push_back(Error(ErrorKind::invalid_config, message).at(place));
    };
    for (const ConfigField& field : config_fields(resource)) {
        const YamlNode& value = config[field.name];
        if (config_fits(field, value)) continue;
        refuse("config " + std::string(field.name) + " of a " + std::string(to_string(resource)) + " takes " +
               config_takes(field) + ", not " + std::string(to_string(value.kind())) + ": " + shown_value(value));
    }
    if (!errors.empty()) return errors;
    for (const auto& message : check_together(resource, config)) refuse(message);
    return errors;
}

YamlTree finish_config(ConfigResource resource, const YamlTree& config) {
    const YamlNode& root = config.root();
    if (resource != ConfigResource::data_test) return config;
    const YamlNode& as = root["store_failures_as"];
    const YamlNode& store = root["store_failures"];
    if (as.is_null() && store.is_null()) return config;
    YamlBuilder builder;
    builder.keep(config);
    builder.begin_map();
    for (const YamlEntry& entry : root.entries()) {
        builder.add(entry.key);
        if (entry.key.text() == "store_failures_as" && as.is_null()) {
            builder.add_text(store.is_boolean() && store.boolean() ? "table" : "ephemeral");
        } else if (entry.key.text() == "store_failures" && !as.is_null()) {
            builder.add_boolean(as.text() != "ephemeral");
        } else {
            builder.add(entry.value);
        }
    }
    builder.end_map();
    return builder.finish();
}

}  // namespace shaduf::models
