#include "connectors/duckdb/source.h"

#include <utility>

#include "base/text.h"
#include "connectors/duckdb/cursor_ties.h"

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
        for (;;) {
            auto rows = cursor_->next();
            // The engine cannot go on with a result that failed.
            if (!rows.ok()) return rows.error().permanent().at(Place::in_stream(stream_.connection, stream_.name));
            if (!rows.value()) return last();
            if (!is_incremental()) return batch(std::move(*rows.value()), std::nullopt);
            RecordBatch unread = without_rows_read_before(std::move(*rows.value()));
            if (unread.rows() > 0) return cut_between_values(std::move(unread));
        }
    }

private:
    bool is_incremental() const { return stream_.mode == ReadMode::incremental; }

    Result<void> start(RunContext& run, const std::optional<Checkpoint>& resume_from) {
        held_back_.reset();
        current_.reset();
        read_before_.reset();
        has_unconfirmed_ = false;
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
            CursorTies last = CursorTies::parse(*resume_from);
            const bool is_known = last.is_known_for(*schema);
            sql += " AND " + column + (is_known ? " >= " : " > ") + "CAST(" + quote_literal(last.value()) + " AS " +
                   duckdb_type_name((*schema)[*at].type) + ")";
            if (is_known) current_ = read_before_ = std::move(last);
        }
        return sql + " ORDER BY " + column;
    }

    std::optional<ReadBatch> batch(RecordBatch rows, std::optional<Checkpoint> next) const {
        return ReadBatch{std::move(rows), std::move(next), stream_.name};
    }

    // They come first, since the order is that of the cursor.
    RecordBatch without_rows_read_before(RecordBatch rows) {
        if (!read_before_) return rows;
        std::vector<uint32_t> unread;
        for (size_t row = 0; row < rows.rows(); ++row) {
            const bool is_tie = read_before_ && format_value(rows.column(cursor_column_), row) == read_before_->value();
            if (!is_tie) read_before_.reset();
            if (!is_tie || !read_before_->take_one(rows, row)) unread.push_back(static_cast<uint32_t>(row));
        }
        return unread.size() == rows.rows() ? std::move(rows) : rows.take(unread);
    }

    // Rows of the last value wait for the next batch, which may have more of them.
    std::optional<ReadBatch> cut_between_values(RecordBatch rows) {
        const Column& cursor = rows.column(cursor_column_);
        const auto begin_of = [&](size_t end) {
            const std::string value = format_value(cursor, end - 1);
            while (end > 0 && format_value(cursor, end - 1) == value) --end;
            return end;
        };
        const size_t cut = begin_of(rows.rows());
        schema_ = rows.schema();
        const bool had_rows = std::exchange(has_unconfirmed_, true);
        if (cut == 0) {
            const auto before = take_up(rows, 0, rows.rows());
            // All of one value: what came before it is whole when that was another one.
            if (!before || !had_rows) return batch(std::move(rows), std::nullopt);
            held_back_ = std::move(rows);
            return batch(held_back_->take({}), before->to_checkpoint());
        }
        take_up(rows, begin_of(cut), cut);
        const CursorTies whole = *take_up(rows, cut, rows.rows());
        std::vector<uint32_t> head;
        std::vector<uint32_t> tail;
        for (size_t row = 0; row < rows.rows(); ++row) (row < cut ? head : tail).push_back(static_cast<uint32_t>(row));
        held_back_ = rows.take(tail);
        return batch(rows.take(head), whole.to_checkpoint());
    }

    // Adds rows of one value to `current_`. When they begin another value, returns the one that is whole by this.
    std::optional<CursorTies> take_up(const RecordBatch& rows, size_t begin, size_t end) {
        std::optional<CursorTies> before;
        const std::string value = format_value(rows.column(cursor_column_), begin);
        if (!current_ || current_->value() != value) before = std::exchange(current_, CursorTies(value));
        current_->add(rows, begin, end);
        return before;
    }

    // At the end, the last value is whole as well.
    std::optional<ReadBatch> last() {
        if (!std::exchange(has_unconfirmed_, false)) return std::nullopt;
        return batch(RecordBatch(schema_, empty_columns(), 0), current_->to_checkpoint());
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
    std::optional<CursorTies> read_before_;  // what is left to skip of the checkpoint's value
    std::optional<CursorTies> current_;      // the value read last, which may go on
    bool has_unconfirmed_ = false;           // rows of it were read that no checkpoint stands behind
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
