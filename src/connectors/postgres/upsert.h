#pragma once

#include <string>
#include <vector>

#include "connectors/postgres/stage.h"

// How rows with a key enter a table: the statements behind the write modes merge and history. Each call takes the rows
// of the stage, inside the connection's transaction.
namespace shaduf {

struct PostgresUpsert {
    PostgresTableName name;
    const PostgresTarget& table;
    std::vector<std::string> key;  // never null in the rows
    std::string order_by;          // may be empty
};

// Makes sure that merging finds rows by the key: creates the unique index where none is. invalid_config, with the SQL
// to run, when the role may not, or the table has rows of one key.
Result<void> ensure_key_index(PostgresConnection& connection, const PostgresUpsert& upsert);

// One row a key: of rows with one key the last in `order_by` (null is first), then the last to arrive wins, against the
// table as well.
Result<void> merge_stage(PostgresConnection& connection, const PostgresUpsert& upsert, const PostgresStage& stage);

// One row a version; see connectors/keyed/versions.h.
Result<void> add_stage_versions(PostgresConnection& connection, const PostgresUpsert& upsert,
                                const PostgresStage& stage);

}  // namespace shaduf
