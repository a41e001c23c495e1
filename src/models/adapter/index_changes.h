#pragma once

#include "base/result.h"
#include "jinja/value.h"

namespace shaduf::models {

// How the indexes of a materialized view of PostgreSQL become those of the model's config. `described`: a dict whose
// `indexes` are a table of name, method, unique and column_names, with commas; `model`: a dict of the node.
// None for no change; else a dict of `requires_full_refresh` and `indexes`: what is dropped, then what is created, each
// with `action` and `context` (name, column_names, unique, method and as_node_config, which the config could hold).
// Indexes are one when columns, in any order and case, unique and method are. invalid_config: an index of the config is
// no dict, or has no columns.
Result<jinja::Value> index_changes(const jinja::Value& described, const jinja::Value& model);

}  // namespace shaduf::models
