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

// Names and types of the columns that history has besides the stream's own.
const Schema& history_columns();
// One row a version: valid_from (order_by when it is a date or a time, else when the row was loaded), valid_to (null
// for the newest), is_current. A row like the version before it makes none. With `order_by`, a late row takes its place
// between the versions, and of two with the same value the last to arrive counts, so rows may come again.
//
// When `order_by` is a date or a time, a version keeps that of the last row that was like it: a late row between its
// first and its last row parts it, and is valid until that last one. Rows alike between those two are not known any
// more (they might have ended the late row sooner), nor is the last one when the order is no time: then the late row
// ends the version for good. Both come right only by loading all rows anew.
Result<void> add_versions(DuckDbConnection& connection, const UpsertPlan& plan, std::span<const RecordBatch> rows);

}  // namespace shaduf
