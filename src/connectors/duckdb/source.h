#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "connectors/duckdb/sink.h"

namespace shaduf {

// What is read as one stream: a table or view ("name" or "schema.name"), or a query.
struct DuckDbStream {
    std::string connection;
    std::string name;
    std::string query;         // "" reads the table called `name`
    std::string cursor_field;  // incremental: a column that never goes down in rows that come later
    ReadMode mode = ReadMode::full_refresh;
};

// full_refresh scans, without checkpoints. incremental reads in the order of the cursor, from the last value on, of
// which it leaves out the rows that it had (see CursorTies); those whose cursor is null are left out. A checkpoint
// stands only behind all rows of a value, so rows that share one are never torn apart.
std::unique_ptr<Source> make_duckdb_source(DuckDbSettings settings, DuckDbStream stream);
Result<std::vector<StreamInfo>> discover_duckdb(RunContext& run, const DuckDbSettings& settings);

}  // namespace shaduf
