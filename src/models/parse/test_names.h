#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "jinja/value.h"

namespace shaduf::models {

// The name of a generic test, made of what it is, what it is of and its arguments, as dbt makes it.
struct TestName {
    std::string full;   // of its unique id
    std::string brief;  // of its relation and its file: below 64 characters, by a hash where need be
};
// `kind`: the macro's name, with "source_" before it for a test of a source and the namespace before that. `arguments`:
// a dict; "model" does not count.
TestName generic_test_name(const std::string& kind, const std::string& target, const jinja::Value& arguments);

// What stands behind the name in a test's unique id: ten digits of a hash of name, namespace and arguments.
std::string generic_test_hash(const std::string& full_name, const std::string& macro,
                              const std::optional<std::string>& macro_namespace, const jinja::Value& arguments);

}  // namespace shaduf::models
