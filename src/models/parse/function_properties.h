#pragma once

#include "models/parse/property_files.h"

namespace shaduf::models {

struct Node;

// `arguments` and `returns` of a function, with all of dbt's keys. Errors: no type to return, keys that are none,
// arguments without a default behind one that has it.
void apply_function_properties(const PropertyFile& file, const YamlNode& entry, Node& node, Findings& findings);

}  // namespace shaduf::models
