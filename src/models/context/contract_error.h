#pragma once

#include <string>

#include "jinja/value.h"

namespace shaduf::models {

// What an enforced contract and its query do not have alike, as a table of a row for each such column. Both are lists
// of dicts with `name` and `data_type`; no declared column at all is said as such.
std::string contract_error_text(const jinja::Value& declared, const jinja::Value& given);

}  // namespace shaduf::models
