#pragma once

#include <string>
#include <string_view>

namespace shaduf {

// A unified diff of two texts, as patch(1) and git take it; "" when they are the same. Lines that differ are the fewest
// there are, unless the texts differ in thousands of lines: then all between the first and the last of them is
// replaced.
std::string unified_diff(std::string_view before, std::string_view after, const std::string& name, size_t context = 3);

}  // namespace shaduf
