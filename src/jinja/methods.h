#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "jinja/object.h"

namespace shaduf::jinja {

// A method of a type of Python.
struct Method {
    std::string_view name;
    Result<Value> (*run)(Vm& vm, const Value& self, const Arguments& arguments);
};
std::span<const Method> string_methods();

}  // namespace shaduf::jinja
