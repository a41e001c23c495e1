#pragma once

#include <cstdint>

namespace shaduf::models {

// Maps of at least so many keys have, behind their entries, the numbers of these in order: keys that are not text
// first, then texts by their bytes. Below, looking through all is quicker.
inline constexpr uint32_t kIndexedFrom = 12;

}  // namespace shaduf::models
