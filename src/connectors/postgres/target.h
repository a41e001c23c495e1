#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connectors/postgres/copy_encoder.h"
#include "connectors/postgres/settings.h"
#include "connectors/postgres/table.h"

// Tables that rows are written to: what they are by now, how they come to be and how they grow. All run in the
// connection's transaction, if there is one.
namespace shaduf {

struct PostgresTargetColumn {
    PostgresField field;
    CopyTarget copy;            // how a COPY fills it; of a cast one, as text
    bool must_default = false;  // it has a default, or is an identity, and is never null
    bool is_generated = false;
};

struct PostgresTarget {
    uint32_t oid = 0;
    std::string quoted;
    std::vector<PostgresTargetColumn> columns;

    // The column that rows of this name go to.
    const PostgresTargetColumn* find(std::string_view name) const;
    // In our types, without the columns that the server computes.
    Schema schema() const;
};

// nullopt: there is none. invalid_config: it is a view or the like.
Result<std::optional<PostgresTarget>> find_target(PostgresConnection& connection, const PostgresTableName& name);
Result<void> create_target(PostgresConnection& connection, const PostgresTableName& name, const Schema& schema,
                           const PostgresTableOptions& options);
// Adds what `wanted` has more and widens what it has wider; existing values are converted as RecordBatch::conform_to
// would. Types that hold what comes stay as they are (an integer, a varchar(20)), as do those of `column_types`.
// invalid_config when the table is in the way (a view on it, another type). true: something was changed.
Result<bool> evolve_target(PostgresConnection& connection, const PostgresTableName& name, const PostgresTarget& table,
                           const Schema& wanted, const PostgresTableOptions& options);

// The SQL type that a column of ours is created with.
std::string postgres_type_name(const DataType& type);
// An SQL expression that converts `expression`. REQUIRES: fits(from, to)
std::string postgres_widen_sql(const std::string& expression, const DataType& from, const DataType& to);

// "a", "b": the names, quoted, each behind `prefix`.
Result<std::string> postgres_columns(const std::vector<std::string>& names, std::string_view prefix = "");

}  // namespace shaduf
