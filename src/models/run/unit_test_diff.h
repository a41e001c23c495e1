#pragma once

#include <optional>
#include <string>

#include "models/adapter/table.h"

namespace shaduf::models {

// How rows of two tables with the same columns differ, whatever their order; nullopt: they do not. In the layout of
// daff, which users of dbt know: a line of names (@@), rows that are missing (---), too many (+++) or changed (→, with
// expected→actual in the cell), each with a row that is the same before and behind it; "..." for others.
std::optional<std::string> table_difference(const Table& expected, const Table& actual);

}  // namespace shaduf::models
