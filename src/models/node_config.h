#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "jinja/value.h"

namespace shaduf::models {

enum class ResourceType : uint8_t {
    model,
    seed,
    snapshot,
    test,
    analysis,
    operation,
    sql_operation,
    source,
    exposure,
    metric,
    semantic_model,
    saved_query,
    unit_test,
    function,
    macro,
    doc,
    group,
};
std::string_view to_string(ResourceType type);  // "model"; of sql_operation "sql operation"

// The configuration of a node: what was set anywhere (project, properties, the file itself), merged; what was not set
// has the default of its resource type. Nodes with the same settings share one.
class NodeConfig {
public:
    NodeConfig() = default;
    NodeConfig(ResourceType type, jinja::Ref<jinja::Dict> settings) : type_(type), settings_(std::move(settings)) {}

    // The setting or its default; undefined: neither. "pre-hook" and "pre_hook" are one.
    jinja::Value get(std::string_view name) const;
    bool is_set(std::string_view name) const;
    std::string text(std::string_view name) const;  // "" where it is none or undefined
    bool flag(std::string_view name) const;         // truth of the setting
    // All settings and defaults in dbt's order, as a dict of its own.
    jinja::Value all() const;
    ResourceType type() const { return type_; }
    const jinja::Ref<jinja::Dict>& settings() const { return settings_; }

private:
    ResourceType type_ = ResourceType::model;
    jinja::Ref<jinja::Dict> settings_;
};

}  // namespace shaduf::models
