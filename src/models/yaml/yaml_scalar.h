#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "models/yaml/yaml_node.h"

namespace shaduf::models {

// What a plain (unquoted) scalar of YAML 1.1 means, as PyYAML's safe loader reads it.
enum class YamlTag : uint8_t { null, boolean, integer, real, timestamp, text, merge, value };
YamlTag implicit_tag(std::string_view plain);

struct ScalarValue {
    YamlKind kind = YamlKind::text;
    bool boolean = false;
    int64_t integer = 0;
    double real = 0;
    std::string text;  // of a big_integer, date or datetime
};

// The value of a scalar of that tag. bad_data: no such number or day; the message says so without a place.
// REQUIRES: not text, merge or value
Result<ScalarValue> read_scalar(YamlTag tag, std::string_view text);

}  // namespace shaduf::models
