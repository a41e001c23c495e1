#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "jinja/object.h"

namespace shaduf::jinja {

// Python's str.format
Result<std::string> format_braces(Vm& vm, std::string_view format, const Arguments& arguments);
// Python's format(value, spec)
Result<std::string> format_value(const Value& value, std::string_view spec);

// A number as printf writes it, in the C locale.
std::string print_float(double number, char type, int precision, bool is_alternate);

}  // namespace shaduf::jinja
