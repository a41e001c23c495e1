#pragma once

#include <string_view>
#include <vector>

#include "data/row_decoder.h"

namespace shaduf {

// The columns that a JSON Schema of an object tells of, as Airbyte (`airbyte_type`, its well-known types) and Singer
// write it: scalars at any depth, by their path, and lists as json. What it leaves open (objects without properties,
// alternatives that have nothing in common) is left out: then the data tells. Names as infer_shape would give them.
std::vector<ShapeColumn> columns_of_json_schema(std::string_view schema);

}  // namespace shaduf
