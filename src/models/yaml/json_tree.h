#pragma once

#include <string_view>

#include "base/result.h"
#include "models/yaml/yaml_builder.h"

namespace shaduf::models {

// A JSON document as a tree; nodes have no place. bad_data when it is not JSON.
Result<YamlTree> parse_json(std::string_view text);

}  // namespace shaduf::models
