#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "io/duckdb.h"

// The tables that shaduf keeps beside the data, both in the schema `main` of the database, so that whoever looks for
// them needs no configuration: `_shaduf_state` (a row a stream) and `_shaduf_quarantine`.
namespace shaduf {

inline constexpr const char* kQuarantineInMain = "\"main\".\"_shaduf_quarantine\"";

struct StreamState {
    std::optional<Checkpoint> checkpoint;
    bool loading = false;  // a replace load was begun and is not finished
};

// Creates both when they are not there. To be called outside a transaction, under DuckDbDatabase::shared_tables.
Result<void> create_bookkeeping(DuckDbConnection& connection);
Result<bool> has_table(DuckDbConnection& connection, const std::string& schema, const std::string& table);

// nullopt: the stream has never committed.
Result<std::optional<StreamState>> read_state(DuckDbConnection& connection, const std::string& pipeline,
                                              const std::string& stream);
// In the connection's transaction. `table` is for people.
Result<void> write_state(DuckDbConnection& connection, const std::string& pipeline, const std::string& stream,
                         const std::string& table, const StreamState& state);
Result<void> forget_state(DuckDbConnection& connection, const std::string& pipeline, const std::string& stream);
Result<std::vector<CheckpointEntry>> list_states(DuckDbConnection& connection);

// " WHERE ..." or "" over the quarantine table, and its values.
std::string quarantine_condition(const QuarantineFilter& filter, DuckDbValues& values);

}  // namespace shaduf
