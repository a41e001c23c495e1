#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace shaduf::jinja {

// What the text between the quotes of a Python string means: \n, \x41, \u00e9, ... An unknown escape stays as it is.
Result<std::string> unescape_string(std::string_view text);

}  // namespace shaduf::jinja
