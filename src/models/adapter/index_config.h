#pragma once

#include "base/result.h"
#include "jinja/value.h"

namespace shaduf::models {

// An entry of the model's config `indexes`: columns, unique, type, and `render(relation)`, which makes a name for the
// index that is another one at each call (the old table keeps its index until it is dropped).
// None for none; invalid_config: no dict with columns.
Result<jinja::Value> parse_index(const jinja::Value& raw);

}  // namespace shaduf::models
