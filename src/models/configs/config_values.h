#pragma once

#include "base/result.h"
#include "models/configs/config_fields.h"
#include "models/yaml/yaml_builder.h"

namespace shaduf::models {

// The steps of merging one value. Each gives a node that lives in `builder` or in what its arguments live in.

// Joins lists; a value that is no list is one of one.
YamlNode append_values(const YamlNode& before, const YamlNode& more, YamlBuilder& builder);
// Adds the keys of `more`. REQUIRES: both maps
YamlNode update_map(const YamlNode& before, const YamlNode& more, YamlBuilder& builder);
// Every value a list; keys with + add to what is there. REQUIRES: both maps
YamlNode merge_grants(const YamlNode& before, const YamlNode& more, YamlBuilder& builder);
// A list of hooks as maps with sql, transaction and index.
YamlNode normal_hooks(const YamlNode& hooks, YamlBuilder& builder);
// The keys of `pattern` with the values of `value`, or its own where there is none. What is no map stays as it is.
YamlNode fill_object(const YamlNode& value, const YamlNode& pattern, YamlBuilder& builder);

}  // namespace shaduf::models
