#pragma once

#include "jinja/value.h"
#include "models/manifest.h"

// Resources as dicts with dbt's keys, in dbt's order: what templates see as `model` and `graph`, and what manifest.json
// is written from.
namespace shaduf::models {

enum class NoneValues : uint8_t { kept, left_out };

jinja::Value node_value(const Node& node, NoneValues nones);
jinja::Value source_value(const SourceTable& source, NoneValues nones);
jinja::Value declaration_value(const Declaration& declaration, NoneValues nones);
// {nodes, sources, exposures, metrics, groups, ...} by unique id. Dicts of resources are made when they are asked for.
jinja::Value graph_value(const Manifest& manifest);

}  // namespace shaduf::models
