#pragma once

#include <optional>
#include <string>

#include "data/type.h"
#include "io/duckdb.h"

namespace shaduf {

struct TableName {
    std::string schema;
    std::string table;
    std::string quoted() const { return quote_table(schema, table); }
};

// The columns as they stand, in our types; nullopt when there is no such table.
Result<std::optional<Schema>> read_table_schema(DuckDbConnection& connection, const TableName& name);
Result<void> create_table(DuckDbConnection& connection, const TableName& name, const Schema& schema);
// Adds what `wanted` has more and widens what it has wider; existing values are converted as RecordBatch::conform_to
// would. Numbers that the table holds in a narrower form of the same type (INTEGER, FLOAT) get its full width.
// invalid_config when the table is in the way (an index, another type).
Result<void> evolve_table(DuckDbConnection& connection, const TableName& name, const Schema& wanted);
// An SQL expression that converts `expression`. REQUIRES: fits(from, to)
std::string widen_sql(const std::string& expression, const DataType& from, const DataType& to);

}  // namespace shaduf
