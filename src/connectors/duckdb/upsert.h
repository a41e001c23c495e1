#pragma once

#include <span>
#include <string>
#include <vector>

#include "connectors/duckdb/table.h"

// How rows with a key enter a table: the statements behind the write modes merge and history. Each call takes one run
// of rows in the order of their arrival, inside the connection's transaction; calling it for parts one after the other
// gives what one call for all would give, so memory stays bounded by the part.
namespace shaduf {

struct UpsertPlan {
    TableName table;
    SchemaPtr schema;              // of the rows
    std::vector<std::string> key;  // never null in the rows
    std::string order_by;          // may be empty
};

// One row a key: of rows with one key the last in `order_by` (null is first), then the last to arrive wins, against the
// table as well.
Result<void> merge_rows(DuckDbConnection& connection, const UpsertPlan& plan, std::span<const RecordBatch> rows);

// One row a version; see connectors/keyed/versions.h.
Result<void> add_versions(DuckDbConnection& connection, const UpsertPlan& plan, std::span<const RecordBatch> rows);

}  // namespace shaduf
