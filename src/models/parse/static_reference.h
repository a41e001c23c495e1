#pragma once

#include <optional>
#include <string_view>

#include "models/manifest.h"

namespace shaduf::models {

// What a text refers to that is one call of ref() or source() with nothing but literals. nullopt: it is none.
struct StaticReference {
    std::optional<ModelRef> ref;
    std::optional<SourceRef> source;
};
std::optional<StaticReference> read_reference(std::string_view text);

}  // namespace shaduf::models
