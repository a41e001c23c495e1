#include "connectors/duckdb/source.h"

#include "base/text.h"

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
        if (held_back_) return batch(std::exchange(held_back_, std::nullopt).value(), std::nullopt);
        auto rows = cursor_->next();
        // The engine cannot go on with a result that failed.
        if (!rows.ok()) return rows.error().permanent().at(Place::in_stream(stream_.connection, stream_.name));
        if (!rows.value()) return last();
        if (!is_incremental()) return batch(std::move(*rows.value()), std::nullopt);
        return cut_between_values(std::move(*rows.value()));
    }

private:
    bool is_incremental() const { return stream_.mode == ReadMode::incremental; }

    Result<void> start(RunContext& run, const std::optional<Checkpoint>& resume_from) {
        held_back_.reset();
        unconfirmed_.reset();
        cursor_.reset();
        database_ = TRY(run.databases.open(settings_.path, settings_.options));
        connection_ = TRY(database_->connect(run.cancellation));
        std::string sql = stream_.query;
        if (sql.empty()) sql = "SELECT * FROM " + quote_stream(stream_.name);
        if (is_incremental()) sql = TRY(incremental_sql(sql, resume_from));
        cursor_ = TRY(connection_->open_cursor(sql));
        return {};
    }

    Result<std::string> incremental_sql(std::string sql, const std::optional<Checkpoint>& resume_from) {
        const auto schema = TRY(connection_->describe(sql));
        const auto at = schema->index_of(stream_.cursor_field);
        if (!at) {
            const auto names = schema->names();
            return Error(ErrorKind::invalid_config, "cursor field is not in the stream: " + stream_.cursor_field +
                                                        did_you_mean(stream_.cursor_field, names));
        }
        cursor_column_ = *at;
        const std::string column = quote_identifier(stream_.cursor_field);
        const auto end = sql.find_last_not_of("; \n\t");
        sql = "SELECT * FROM (" + sql.substr(0, end + 1) + "\n) WHERE " + column + " IS NOT NULL";
        if (resume_from) {
            sql += " AND " + column + " > CAST(" + quote_literal(resume_from->value()) + " AS " +
                   duckdb_type_name((*schema)[*at].type) + ")";
        }
        return sql + " ORDER BY " + column;
    }

    std::optional<ReadBatch> batch(RecordBatch rows, std::optional<Checkpoint> next) const {
        return ReadBatch{std::move(rows), std::move(next), stream_.name};
    }

    // Rows of the last value wait for the next batch, which may have more of them.
    std::optional<ReadBatch> cut_between_values(RecordBatch rows) {
        const Column& cursor = rows.column(cursor_column_);
        const std::string last = format_value(cursor, rows.rows() - 1);
        size_t cut = rows.rows();
        while (cut > 0 && format_value(cursor, cut - 1) == last) --cut;
        schema_ = rows.schema();
        const auto before = std::exchange(unconfirmed_, Checkpoint(last));
        if (cut == 0) {
            // All of one value: what came before it is whole when that was another one.
            if (!before || before->value() == last) return batch(std::move(rows), std::nullopt);
            held_back_ = std::move(rows);
            return batch(held_back_->take({}), before);
        }
        std::vector<uint32_t> head;
        std::vector<uint32_t> tail;
        for (size_t row = 0; row < rows.rows(); ++row) (row < cut ? head : tail).push_back(static_cast<uint32_t>(row));
        held_back_ = rows.take(tail);
        return batch(rows.take(head), Checkpoint(format_value(cursor, cut - 1)));
    }

    // At the end, the last value is whole as well.
    std::optional<ReadBatch> last() {
        if (!unconfirmed_) return std::nullopt;
        return batch(RecordBatch(schema_, empty_columns(), 0), std::exchange(unconfirmed_, std::nullopt));
    }
    std::vector<Column> empty_columns() const {
        std::vector<Column> columns;
        for (const auto& field : schema_->fields()) columns.push_back(make_null_column(field.type, 0));
        return columns;
    }

    DuckDbSettings settings_;
    DuckDbStream stream_;
    std::shared_ptr<DuckDbDatabase> database_;
    std::unique_ptr<DuckDbConnection> connection_;
    std::unique_ptr<DuckDbCursor> cursor_;
    size_t cursor_column_ = 0;
    SchemaPtr schema_;
    std::optional<RecordBatch> held_back_;
    std::optional<Checkpoint> unconfirmed_;  // of the last rows read, whose value may go on
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
