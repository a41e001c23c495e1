#pragma once

#include <string>
#include <vector>

#include "models/manifest.h"
#include "models/yaml/yaml_node.h"

namespace shaduf::models {

// What dbt keeps of metrics, semantic models and saved queries: short forms written out, keys that are missing filled
// in.
jinja::Ref<jinja::Dict> metric_properties(const YamlNode& entry);
jinja::Ref<jinja::Dict> semantic_model_properties(const YamlNode& entry);
jinja::Ref<jinja::Dict> saved_query_properties(const YamlNode& entry);

// The measures and metrics that a metric or a saved query is made of, by name.
std::vector<std::string> input_measures(const Declaration& declaration);
std::vector<std::string> input_metrics(const Declaration& declaration);

}  // namespace shaduf::models
