#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "jinja/object.h"
#include "jinja/value.h"

namespace shaduf::jinja {

// A filter, a test or a global function of the language. Filters and tests get the value as the first argument.
struct Builtin {
    std::string_view name;
    Result<Value> (*run)(Vm& vm, const Arguments& arguments);
};

// Sorted by name; docs/jinja.md has a row for each.
std::span<const Builtin> builtin_filters();
std::span<const Builtin> builtin_tests();
std::span<const Builtin> builtin_globals();
// nullptr: none of that name
const Builtin* find_builtin(std::span<const Builtin> among, std::string_view name);

// Methods of values that are no objects: "x".upper(). nullopt: there is none of that name.
Result<std::optional<Value>> call_builtin_method(Vm& vm, const Value& self, std::string_view name,
                                                 const Arguments& arguments);
bool has_builtin_method(const Value& self, std::string_view name);

// dict.update(x): of a dict, of what a host has in that shape, or of pairs.
Result<void> update_dict(Vm& vm, Dict& dict, const Value& from);

}  // namespace shaduf::jinja
