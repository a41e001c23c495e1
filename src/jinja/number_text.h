#pragma once

#include <string>
#include <string_view>

namespace shaduf::jinja {

// Python's repr of a float: the fewest digits that read back as the same number.
void append_float(std::string& out, double number);
// Python's repr of a str.
void append_string_repr(std::string& out, std::string_view text);

}  // namespace shaduf::jinja
