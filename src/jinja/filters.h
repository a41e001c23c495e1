#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "jinja/builtins.h"
#include "jinja/object.h"

// The filters of the language, in three files by what they work on.
namespace shaduf::jinja {

std::span<const Builtin> text_filters();
std::span<const Builtin> sequence_filters();
std::span<const Builtin> value_filters();

// Arguments of a filter, in the order of its parameters; the first one is the value.
Result<std::vector<Value>> take_filter(std::string_view name, const Arguments& arguments,
                                       std::initializer_list<Parameter> parameters);
// A value as an integer, as Python takes it for an index.
Result<int64_t> filter_integer(const Value& value);

}  // namespace shaduf::jinja
