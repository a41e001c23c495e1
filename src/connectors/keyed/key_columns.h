#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "connectors/connector.h"

// What every sink asks of the columns by which merge and history tell rows apart.
namespace shaduf {

inline bool has_key(const TableTarget& target) {
    return target.mode == WriteMode::merge || target.mode == WriteMode::history;
}

// invalid_config: merge and history without a key.
Result<void> check_key(const TableTarget& target);
// invalid_config: a column of the key or the order is not in the stream, or one has a name that history needs.
Result<void> check_key_columns(const TableTarget& target, const Schema& schema);
// The rows whose key is not null; nullopt when that is all of them. The others go to `rejected`, ascending.
// REQUIRES: check_key_columns of the schema.
std::optional<std::vector<uint32_t>> rows_with_key(const TableTarget& target, const RecordBatch& rows,
                                                   std::vector<RejectedRow>& rejected);
// A history's columns without those that history adds.
Schema without_history_columns(const Schema& schema);

}  // namespace shaduf
