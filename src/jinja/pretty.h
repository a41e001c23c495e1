#pragma once

#include <string>

#include "jinja/value.h"

namespace shaduf::jinja {

// As Python's pprint.pformat: on one line when that is short, else an item a line; keys of dicts sorted.
std::string pretty_print(const Value& value);

}  // namespace shaduf::jinja
