#pragma once

#include <string>

#include "io/duckdb.h"

namespace shaduf {

// Whether a statement only reads tables of its database. It is judged by the tree that the engine's own parser makes of
// it, in which every part must be one that is known to be harmless: one SELECT; tables and views that are there (a name
// that is none could be a file); of functions that give rows those that make them up; no function with effects, and
// none that tells settings. invalid_config: it is not, and why.
Result<void> check_read_only(DuckDbConnection& connection, const std::string& sql);

}  // namespace shaduf
