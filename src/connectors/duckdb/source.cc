#include "connectors/duckdb/source.h"

#include <utility>

#include "base/text.h"
#include "connectors/cursor/cutter.h"
#include "data/builder.h"

namespace shaduf {
namespace {

std::string quote_stream(const std::string& name) {
    const auto dot = name.find('.');
    if (dot == std::string::npos) return quote_identifier(name);
    return quote_table(name.substr(0, dot), name.substr(dot + 1));
}

class DuckDbSource final : public Source {
public:
    DuckDbSource(DuckDbSettings settings, DuckDbStream stream)
        : settings_(std::move(settings)), stream_(std::move(stream)) {}

    Result<void> open(RunContext& run, const std::optional<Checkpoint>& resume_from) override {
        auto opened = start(run, resume_from);
        if (opened.ok()) return {};
        return opened.error().at(Place::in_stream(stream_.connection, stream_.name));
    }

    Result<std::optional<ReadBatch>> read(RunContext&) override {
        if (cutter_) {
            if (auto waiting = cutter_->take_held_back()) return waiting;
        }
        for (;;) {
            auto rows = cursor_->next();
            // The engine cannot go on with a result that failed.
            if (!rows.ok()) return rows.error().permanent().at(Place::in_stream(stream_.connection, stream_.name));
            if (!rows.value()) return end();
            gave_rows_ = true;
            if (!cutter_) return std::optional(ReadBatch{std::move(*rows.value()), std::nullopt, stream_.name});
            if (auto cut = cutter_->cut({std::move(*rows.value())})) return cut;
        }
    }

private:
    // Of a stream without rows, the columns.
    Result<std::optional<ReadBatch>> end() {
        if (cutter_) {
            if (auto last = cutter_->finish()) return last;
        }
        if (std::exchange(gave_rows_, true)) return std::nullopt;
        return std::optional(ReadBatch{RecordBatchBuilder(schema_).finish(), std::nullopt, stream_.name});
    }

    bool is_incremental() const { return stream_.mode == ReadMode::incremental; }

    Result<void> start(RunContext& run, const std::optional<Checkpoint>& resume_from) {
        cutter_.reset();
        cursor_.reset();
        database_ = TRY(run.databases.open(settings_.path, settings_.options));
        connection_ = TRY(database_->connect(run.cancellation));
        std::string sql = stream_.query;
        if (sql.empty()) sql = "SELECT * FROM " + quote_stream(stream_.name);
        schema_ = TRY(connection_->describe(sql));
        gave_rows_ = false;
        if (is_incremental()) sql = TRY(incremental_sql(sql, resume_from));
        cursor_ = TRY(connection_->open_cursor(sql));
        return {};
    }

    Result<std::string> incremental_sql(std::string sql, const std::optional<Checkpoint>& resume_from) {
        const auto at = schema_->index_of(stream_.cursor_field);
        if (!at) {
            const auto names = schema_->names();
            return Error(ErrorKind::invalid_config, "cursor field is not in the stream: " + stream_.cursor_field +
                                                        did_you_mean(stream_.cursor_field, names));
        }
        cutter_.emplace(*at, schema_, stream_.name, nullptr);
        cutter_->begin(resume_from);
        const std::string column = quote_identifier(stream_.cursor_field);
        const auto end = sql.find_last_not_of("; \n\t");
        sql = "SELECT * FROM (" + sql.substr(0, end + 1) + "\n) WHERE " + column + " IS NOT NULL";
        if (cutter_->value()) {
            sql += " AND " + column + (cutter_->includes_value() ? " >= " : " > ") + "CAST(" +
                   quote_literal(*cutter_->value()) + " AS " + duckdb_type_name((*schema_)[*at].type) + ")";
        }
        return sql + " ORDER BY " + column;
    }

    DuckDbSettings settings_;
    DuckDbStream stream_;
    std::shared_ptr<DuckDbDatabase> database_;
    std::unique_ptr<DuckDbConnection> connection_;
    std::unique_ptr<DuckDbCursor> cursor_;
    SchemaPtr schema_;
    bool gave_rows_ = false;
    std::optional<CursorCutter> cutter_;  // incremental
};

Result<std::vector<std::string>> read_primary_key(DuckDbConnection& connection, const std::string& schema,
                                                  const std::string& table) {
    std::vector<std::string> key;
    const auto found = TRY(connection.query(
        "SELECT unnest(constraint_column_names) FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY' AND "
        "database_name = current_database() AND schema_name = ?::VARCHAR AND table_name = ?::VARCHAR",
        {schema, table}));
    for (const auto& batch : found) {
        for (size_t row = 0; row < batch.rows(); ++row) key.push_back(format_value(batch.column(0), row));
    }
    return key;
}

}  // namespace

std::unique_ptr<Source> make_duckdb_source(DuckDbSettings settings, DuckDbStream stream) {
    return std::make_unique<DuckDbSource>(std::move(settings), std::move(stream));
}

Result<std::vector<StreamInfo>> discover_duckdb(RunContext& run, const DuckDbSettings& settings) {
    const auto database = TRY(run.databases.open(settings.path, settings.options));
    const auto connection = TRY(database->connect(run.cancellation));
    const auto tables = TRY(connection->query(
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = current_database() AND "
        "NOT starts_with(table_name, '_shaduf_') ORDER BY ALL"));
    std::vector<StreamInfo> streams;
    for (const auto& batch : tables) {
        for (size_t row = 0; row < batch.rows(); ++row) {
            const std::string schema = format_value(batch.column(0), row);
            const std::string table = format_value(batch.column(1), row);
            StreamInfo info;
            info.name = schema == "main" ? table : schema + "." + table;
            info.schema = *TRY(connection->describe("SELECT * FROM " + quote_table(schema, table)));
            info.key = TRY(read_primary_key(*connection, schema, table));
            info.modes = {ReadMode::full_refresh, ReadMode::incremental};
            streams.push_back(std::move(info));
        }
    }
    return streams;
}

}  // namespace shaduf
