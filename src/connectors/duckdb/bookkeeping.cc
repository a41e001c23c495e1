#include "connectors/duckdb/bookkeeping.h"

#include "data/system_columns.h"

namespace shaduf {
namespace {

constexpr const char* kStateInMain = "\"main\".\"_shaduf_state\"";

std::string quarantine_ddl() {
    std::string columns;
    for (const auto& field : quarantine_schema()->fields()) {
        if (!columns.empty()) columns += ", ";
        columns += quote_identifier(field.name) + " " + duckdb_type_name(field.type);
    }
    return std::string("CREATE TABLE IF NOT EXISTS ") + kQuarantineInMain + " (" + columns + ")";
}

// The first batch of a result that is known to be small.
Result<RecordBatch> first_batch(DuckDbConnection& connection, const std::string& sql, const DuckDbValues& values) {
    auto batches = TRY(connection.query(sql, values));
    return std::move(batches.front());
}

// What an older version's table lacks.
Result<void> add_quarantine_columns(DuckDbConnection& connection) {
    const auto there = TRY(connection.describe(std::string("SELECT * FROM ") + kQuarantineInMain));
    for (const auto& field : quarantine_schema()->fields()) {
        if (there->index_of(field.name)) continue;
        TRY(connection.execute(std::string("ALTER TABLE ") + kQuarantineInMain + " ADD COLUMN " +
                               quote_identifier(field.name) + " " + duckdb_type_name(field.type)));
    }
    return {};
}

}  // namespace

Result<void> create_bookkeeping(DuckDbConnection& connection) {
    TRY(connection.execute(std::string("CREATE TABLE IF NOT EXISTS ") + kStateInMain +
                           " (pipeline VARCHAR NOT NULL, stream VARCHAR NOT NULL, table_name VARCHAR NOT NULL, "
                           "checkpoint VARCHAR, committed_at TIMESTAMP WITH TIME ZONE NOT NULL, loading BOOLEAN)"));
    TRY(connection.execute(quarantine_ddl()));
    return add_quarantine_columns(connection);
}

Result<bool> has_table(DuckDbConnection& connection, const std::string& schema, const std::string& table) {
    const RecordBatch found = TRY(first_batch(connection,
                                              "SELECT table_type FROM information_schema.tables WHERE table_catalog = "
                                              "current_database() AND lower(table_schema) = lower(?::VARCHAR) AND "
                                              "lower(table_name) = lower(?::VARCHAR)",
                                              {schema, table}));
    if (found.rows() == 0) return false;
    if (found.column(0).text_at(0) == "BASE TABLE") return true;
    return Error(ErrorKind::invalid_config, "the target is not a table but a view: " + quote_table(schema, table) +
                                                "; give another table name, or drop the view");
}

Result<std::optional<StreamState>> read_state(DuckDbConnection& connection, const std::string& pipeline,
                                              const std::string& stream) {
    const RecordBatch found =
        TRY(first_batch(connection,
                        std::string("SELECT checkpoint, coalesce(loading, false) AS loading FROM ") + kStateInMain +
                            " WHERE pipeline = ?::VARCHAR AND stream = ?::VARCHAR",
                        {pipeline, stream}));
    if (found.rows() == 0) return std::optional<StreamState>();
    StreamState state;
    if (!found.column(0).is_null(0)) state.checkpoint = Checkpoint(std::string(found.column(0).text_at(0)));
    state.loading = found.column(1).boolean_at(0);
    return std::optional<StreamState>(state);
}

Result<void> write_state(DuckDbConnection& connection, const std::string& pipeline, const std::string& stream,
                         const std::string& table, const StreamState& state) {
    DuckDbValue checkpoint;
    if (state.checkpoint) checkpoint = state.checkpoint->value();
    const int64_t updated = TRY(connection.execute(
        std::string("UPDATE ") + kStateInMain +
            " SET table_name = ?, checkpoint = ?, committed_at = now(), loading = ? WHERE pipeline = ? AND stream = ?",
        {table, checkpoint, state.loading, pipeline, stream}));
    if (updated > 0) return {};
    TRY(connection.execute(std::string("INSERT INTO ") + kStateInMain +
                               " (table_name, checkpoint, committed_at, loading, pipeline, stream) VALUES (?, ?, "
                               "now(), ?, ?, ?)",
                           {table, checkpoint, state.loading, pipeline, stream}));
    return {};
}

Result<void> forget_state(DuckDbConnection& connection, const std::string& pipeline, const std::string& stream) {
    TRY(connection.execute(std::string("DELETE FROM ") + kStateInMain + " WHERE pipeline = ? AND stream = ?",
                           {pipeline, stream}));
    return {};
}

Result<std::vector<CheckpointEntry>> list_states(DuckDbConnection& connection) {
    std::vector<CheckpointEntry> entries;
    const auto batches = TRY(connection.query(std::string("SELECT pipeline, stream, checkpoint, committed_at FROM ") +
                                              kStateInMain + " WHERE checkpoint IS NOT NULL ORDER BY ALL"));
    for (const auto& batch : batches) {
        for (size_t row = 0; row < batch.rows(); ++row) {
            entries.push_back({format_value(batch.column(0), row), format_value(batch.column(1), row),
                               Checkpoint(format_value(batch.column(2), row)), format_value(batch.column(3), row)});
        }
    }
    return entries;
}

std::string quarantine_condition(const QuarantineFilter& filter, DuckDbValues& values) {
    std::string condition;
    const auto require = [&](const std::string& text) {
        condition += (condition.empty() ? " WHERE " : " AND ") + text;
    };
    if (!filter.pipeline.empty()) {
        require("pipeline = ?::VARCHAR");
        values.emplace_back(filter.pipeline);
    }
    if (!filter.stream.empty()) {
        require("stream = ?::VARCHAR");
        values.emplace_back(filter.stream);
    }
    if (!filter.ids.empty()) {
        std::string ids;
        for (const auto& id : filter.ids) ids += (ids.empty() ? "" : ", ") + quote_literal(id);
        require("id IN (" + ids + ")");
    }
    return condition;
}

}  // namespace shaduf
