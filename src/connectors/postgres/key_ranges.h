#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "connectors/postgres/table.h"

namespace shaduf {

// The rows of a table behind the key `after`, up to and with the key `to`: values as text, one for each column of the
// key, in our form or the server's. Empty: no bound on that side.
struct KeyRange {
    std::vector<std::string> after;
    std::vector<std::string> to;
};

// Ranges that are still to be read, ascending, as a checkpoint, at least one of them. What a table that is read in one
// piece leaves is {"key": [...]}, everything behind that key; else {"ranges": [{"after": [...], "to": [...]}, ...]},
// with neighbours joined.
Checkpoint key_checkpoint(const std::vector<KeyRange>& ranges);
// invalid_config when the checkpoint is none of a key with `columns` columns.
Result<std::vector<KeyRange>> parse_key_checkpoint(const Checkpoint& checkpoint, size_t columns);

// The COPY of a range, in the order of the key.
Result<std::string> copy_sql(const PostgresTable& table, const KeyRange& range);
// Cuts the ranges of a large table into smaller ones of about equal size, such that `sessions` can share them. The
// bounds are taken from a sample of the rows, so that neither gaps in the key nor the age of the statistics matter.
// Needs a key. Any error that leaves the connection alive means that the server cannot do it.
Result<std::vector<KeyRange>> split_key_ranges(PostgresConnection& connection, const PostgresTable& table,
                                               const std::vector<KeyRange>& ranges, size_t sessions);
// The COPYs of a table by where its rows lie on the disk, which the server reads fastest; one COPY when the stream is
// small or no plain table. Errors as above.
Result<std::vector<std::string>> copy_sql_by_blocks(PostgresConnection& connection, const PostgresTable& table,
                                                    size_t sessions);

}  // namespace shaduf
