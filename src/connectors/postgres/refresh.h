#pragma once

#include "connectors/postgres/target.h"

namespace shaduf {

// Puts the table `working` in the place of `name`, in the connection's transaction. Where nothing hangs on the old one
// but what the configuration made, the new one takes its name; else its rows take the place of the old rows, and views,
// triggers, grants, indexes, foreign keys and all else stay. Whoever reads waits until the commit, and then sees all.
// What fails leaves the old table as it was.
Result<void> take_place(PostgresConnection& connection, const PostgresTableName& name, const PostgresTableName& working,
                        const PostgresTableOptions& options);

// Takes the rows out of a table, if it is there, by the same means; everything else of it stays.
Result<void> empty_table(PostgresConnection& connection, const PostgresTableName& name);

// Grants and indexes of the configuration, for a table that was just made.
Result<void> apply_grants(PostgresConnection& connection, const PostgresTableName& name,
                          const PostgresTableOptions& options);
Result<void> create_indexes(PostgresConnection& connection, const PostgresTableName& name,
                            const PostgresTableOptions& options);

}  // namespace shaduf
