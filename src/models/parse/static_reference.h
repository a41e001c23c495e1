#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/manifest.h"

namespace shaduf::models {

// What a text refers to that is one call of ref(), source() or metric() with nothing but literals. nullopt: it is none.
struct StaticReference {
    std::optional<ModelRef> ref;
    std::optional<SourceRef> source;
    std::vector<std::string> metric;  // the arguments of metric()
};
std::optional<StaticReference> read_reference(std::string_view text);

}  // namespace shaduf::models
