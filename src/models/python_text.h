#pragma once

#include <string_view>

namespace shaduf::models {

// Python's str.strip(): all of Unicode's white space at both ends, of UTF-8.
std::string_view python_strip(std::string_view text);

}  // namespace shaduf::models
