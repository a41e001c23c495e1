#pragma once

#include "jinja/value.h"

namespace shaduf::models {

// The module `re` of Python: match, search, fullmatch, sub, findall, split, compile, escape, and its flags. Patterns
// are RE2's: linear in time, without look-around and back-references, which are refused by name.
jinja::Value regex_module();

}  // namespace shaduf::models
