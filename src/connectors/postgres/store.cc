#include <algorithm>

#include "base/text.h"
#include "connectors/postgres/copy_decoder.h"
#include "connectors/postgres/sink.h"
#include "data/builder.h"
#include "data/read_only_reader.h"
#include "data/system_columns.h"

namespace shaduf {
namespace {

constexpr size_t kBatchBytes = 2 << 20;

// " WHERE ..." or "" over the quarantine table.
std::string condition_of(const QuarantineFilter& filter) {
    std::string condition;
    const auto require = [&](const std::string& text) {
        condition += (condition.empty() ? " WHERE " : " AND ") + text;
    };
    if (!filter.pipeline.empty()) require("pipeline = " + postgres_literal(filter.pipeline));
    if (!filter.stream.empty()) require("stream = " + postgres_literal(filter.stream));
    if (!filter.ids.empty()) {
        std::string ids;
        for (const auto& id : filter.ids) ids += (ids.empty() ? "" : ", ") + postgres_literal(id);
        require("id IN (" + ids + ")");
    }
    return condition;
}

std::string first_rows(const QuarantineFilter& filter) {
    const std::string limit = filter.limit > 0 ? " LIMIT " + std::to_string(filter.limit) : "";
    return condition_of(filter) + " ORDER BY quarantined_at, id COLLATE \"C\"" + limit;
}

// What COPY takes; all else gives few rows, as text.
bool is_select(std::string_view sql) {
    const auto begin = sql.find_first_not_of(" \t\r\n(");
    if (begin == std::string_view::npos) return false;
    const std::string word = to_lower(sql.substr(begin, sql.find_first_of(" \t\r\n(*;'\"", begin) - begin));
    return word == "select" || word == "with" || word == "values" || word == "table";
}

std::string without_semicolon(const std::string& sql) {
    const auto end = sql.find_last_not_of("; \t\r\n");
    return sql.substr(0, end == std::string::npos ? 0 : end + 1);
}

// What reaches beyond the transaction although it only reads; READ ONLY and the role stop all else. "": nothing does.
std::string name_with_effects(std::string_view sql) {
    static constexpr std::string_view kNames[] = {"set_config",       "dblink",          "pg_read",
                                                  "pg_ls_",           "pg_stat_file",    "pg_terminate",
                                                  "pg_cancel",        "pg_reload",       "pg_rotate",
                                                  "pg_logical",       "pg_create_",      "pg_drop_",
                                                  "pg_switch",        "pg_backup",       "pg_start",
                                                  "pg_stop",          "pg_notify",       "pg_promote",
                                                  "pg_advisory",      "pg_try_advisory", "pg_sleep",
                                                  "pg_import",        "pg_log_",         "lo_",
                                                  "loread",           "lowrite",         "query_to_xml",
                                                  "cursor_to_xml",    "nextval",         "setval",
                                                  "pg_authid",        "pg_shadow",       "pg_user_mapping",
                                                  "pg_file_settings", "pg_hba",          "current_setting",
                                                  "pg_settings",      "pg_show_all",     "u&",
                                                  "pg_export",        "txid_current",    "pg_current_xact",
                                                  "database_to_xml",  "schema_to_xml"};
    std::string word;
    for (size_t i = 0; i <= sql.size(); ++i) {
        const char c = i < sql.size() ? sql[i] : ' ';
        if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c == '&' && to_lower(word) == "u")) {
            word += c;
            continue;
        }
        const std::string lower = to_lower(word);
        for (const std::string_view name : kNames) {
            if (lower.starts_with(name)) return lower;
        }
        word.clear();
    }
    return "";
}

class PostgresStore final : public Store,
                            public CheckpointStore,
                            public QuarantineStore,
                            public TableReader,
                            public StatementRunner,
                            public ReadOnlyReader {
public:
    explicit PostgresStore(PostgresSettings settings) : settings_(std::move(settings)) {}

    CheckpointStore* checkpoints() override { return this; }
    QuarantineStore* quarantine() override { return this; }
    TableReader* reader() override { return this; }
    StatementRunner* statements() override { return this; }

    Result<Given> run_statement(RunContext& run, const std::string& sql) override {
        TRY(connect(run));
        Given given;
        // WITH may stand before a statement that changes something, which COPY does not take.
        if (is_select(sql) && !to_lower(sql).starts_with("with")) {
            TRY(copy_out(without_semicolon(sql), kBatchBytes, [&](const RecordBatch& rows) -> Result<void> {
                if (!given.rows) given.rows = rows;
                return {};
            }));
            return given;
        }
        const PostgresRows found = TRY(connection_->run(sql));
        given.changed = found.affected;
        if (!found.columns.empty()) given.rows = as_text(found);
        return given;
    }

    Result<std::vector<CheckpointEntry>> list_checkpoints(RunContext& run) override {
        if (!TRY(has_bookkeeping(run))) return std::vector<CheckpointEntry>();
        return bookkeeping_->list();
    }

    Result<void> set_checkpoint(RunContext& run, const std::string& pipeline, const std::string& stream,
                                const std::optional<Checkpoint>& checkpoint) override {
        // The claim ends with its session.
        const auto session = TRY(connect_to_write(settings_, run.cancellation));
        if (!TRY(claim_for_session(*session, stream_claim(settings_, pipeline, stream)))) {
            return Error(ErrorKind::conflict,
                         "a run is writing the stream: " + pipeline + "." + stream + "; wait for it");
        }
        PostgresBookkeeping bookkeeping(*session, settings_.schema);
        TRY(bookkeeping.create());
        if (!checkpoint) return bookkeeping.forget(pipeline, stream);
        return bookkeeping.write(pipeline, stream, "", {checkpoint, false});
    }

    Result<RecordBatch> read_quarantine(RunContext& run, const QuarantineFilter& filter) override {
        RecordBatchBuilder none(quarantine_schema());
        if (!TRY(has_bookkeeping(run))) return none.finish();
        std::optional<RecordBatch> found;
        TRY(copy_out("SELECT * FROM " + TRY(bookkeeping_->quarantine_table()) + first_rows(filter), SIZE_MAX,
                     [&](const RecordBatch& rows) -> Result<void> {
                         found = TRY(rows.conform_to(quarantine_schema()));
                         return {};
                     }));
        return found ? std::move(*found) : none.finish();
    }

    Result<int64_t> purge_quarantine(RunContext& run, const QuarantineFilter& filter) override {
        if (!TRY(has_bookkeeping(run))) return int64_t{0};
        const std::string table = TRY(bookkeeping_->quarantine_table());
        if (filter.limit <= 0) return connection_->execute("DELETE FROM " + table + condition_of(filter));
        return connection_->execute("DELETE FROM " + table + " WHERE ctid = ANY (ARRAY(SELECT ctid FROM " + table +
                                    first_rows(filter) + "))");
    }

    Result<std::vector<RecordBatch>> query(RunContext& run, const std::string& sql) override {
        TRY(connect(run));
        if (!is_select(sql)) return query_as_text(sql);
        std::vector<RecordBatch> batches;
        TRY(copy_out(without_semicolon(sql), kBatchBytes, [&](const RecordBatch& rows) -> Result<void> {
            batches.push_back(rows);
            return {};
        }));
        return batches;
    }

    Result<void> read_only(RunContext& run, const std::string& sql, std::chrono::milliseconds timeout,
                           const Each& each) override {
        if (!is_select(sql)) return refused("statement is no SELECT");
        if (const auto name = name_with_effects(sql); !name.empty()) return refused("function is not allowed: " + name);
        TRY(connect(run));
        TRY(connection_->execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"));
        const auto result = read_in_transaction(sql, timeout, each);
        if (!connection_->is_lost()) TRY(connection_->execute("ROLLBACK"));
        return result;
    }

    Result<void> scan_columns(RunContext& run, const std::string& schema, const std::string& table,
                              const std::vector<std::string>& columns,
                              const std::function<Result<void>(const RecordBatch&)>& each) override {
        TRY(connect(run));
        const PostgresTableName name{schema.empty() ? settings_.schema : schema, table};
        const auto found = TRY(find_target(*connection_, name));
        std::vector<std::string> own;
        for (const auto& column : columns) {
            const PostgresTargetColumn* present = found ? found->find(column) : nullptr;
            own.push_back(present == nullptr ? column : present->field.name);
        }
        return copy_out("SELECT DISTINCT " + TRY(postgres_columns(own)) + " FROM " + TRY(name.quoted()), kBatchBytes,
                        each);
    }

private:
    static Error refused(const std::string& what) {
        return Error(ErrorKind::invalid_config, what + "; only SELECT over the warehouse's tables runs here");
    }

    // A reader of everything that is no superuser cannot reach the server's files or other sessions.
    Result<void> read_in_transaction(const std::string& sql, std::chrono::milliseconds timeout, const Each& each) {
        TRY(connection_->execute(
            "SET LOCAL statement_timeout = " + std::to_string(std::max<int64_t>(1, timeout.count())) +
            "; SET LOCAL lock_timeout = '5s'"));
        const auto who = TRY(connection_->query("SELECT current_setting('is_superuser')"));
        if (who.rows.front().front() == "on") TRY(connection_->execute("SET LOCAL ROLE pg_read_all_data"));
        bool is_enough = false;
        const auto result = copy_out(without_semicolon(sql), kBatchBytes, [&](const RecordBatch& rows) -> Result<void> {
            is_enough = !TRY(each(rows));
            return is_enough ? Result<void>(Error(ErrorKind::canceled, "enough")) : Result<void>();
        });
        if (is_enough) return {};
        return result;
    }
    Result<void> connect(RunContext& run) {
        if (connection_ != nullptr && !connection_->is_lost()) return {};
        connection_ = TRY(connect_to_write(settings_, run.cancellation));
        // Whoever asks names tables as the sink does.
        TRY(
            connection_->query("SELECT pg_catalog.set_config('search_path', quote_ident($1) || ', ' || "
                               "current_setting('search_path'), false)",
                               {settings_.schema}));
        bookkeeping_ = std::make_unique<PostgresBookkeeping>(*connection_, settings_.schema);
        return {};
    }
    // Looking must not create tables.
    Result<bool> has_bookkeeping(RunContext& run) {
        TRY(connect(run));
        return bookkeeping_->exists();
    }

    // The rows of a SELECT, in batches of about that many bytes, at least one of no row.
    Result<void> copy_out(const std::string& sql, size_t bytes,
                          const std::function<Result<void>(const RecordBatch&)>& each) {
        const auto fields = TRY(describe_postgres_columns(*connection_, sql));
        std::vector<Field> columns;
        std::vector<CopyColumn> wire;
        std::string names;
        std::string values;
        for (const auto& field : fields) {
            const std::string name = "c" + std::to_string(columns.size());
            const std::string cast = field.wire.dimensions > 0 ? "::text[]" : "::text";
            names += (names.empty() ? "" : ", ") + name;
            values += (values.empty() ? "" : ", ") + name + (field.is_cast ? cast : "");
            columns.push_back({field.name, field.type});
            wire.push_back(field.wire);
        }
        CopyDecoder decoder(std::make_shared<const Schema>(std::move(columns)), std::move(wire));
        const auto copy = TRY(connection_->begin_copy_out("COPY (SELECT " + values + " FROM (" + sql + "\n) AS asked(" +
                                                          names + ")) TO STDOUT (FORMAT binary)"));
        bool is_first = true;
        while (const auto message = TRY(copy->next())) {
            TRY(decoder.decode(*message));
            if (decoder.byte_size() < bytes) continue;
            TRY(give(decoder, each));
            is_first = false;
        }
        if (is_first || decoder.rows() > 0) TRY(give(decoder, each));
        return {};
    }

    // A value that no type of ours holds is null here.
    static Result<void> give(CopyDecoder& decoder, const std::function<Result<void>(const RecordBatch&)>& each) {
        return each(decoder.finish());
    }

    Result<std::vector<RecordBatch>> query_as_text(const std::string& sql) {
        std::vector<RecordBatch> batches;
        batches.push_back(as_text(TRY(connection_->query(sql))));
        return batches;
    }

    static RecordBatch as_text(const PostgresRows& found) {
        std::vector<Field> fields;
        for (const auto& name : found.columns) fields.push_back({name, TypeKind::string});
        RecordBatchBuilder rows(std::make_shared<const Schema>(std::move(fields)));
        for (const auto& row : found.rows) {
            for (size_t i = 0; i < row.size(); ++i) {
                if (row[i]) {
                    rows.column(i).append_text(*row[i]);
                } else {
                    rows.column(i).append_null();
                }
            }
            rows.end_row();
        }
        return rows.finish();
    }

    const PostgresSettings settings_;
    std::unique_ptr<PostgresConnection> connection_;
    std::unique_ptr<PostgresBookkeeping> bookkeeping_;
};

}  // namespace

std::unique_ptr<Store> make_postgres_store(PostgresSettings settings) {
    return std::make_unique<PostgresStore>(std::move(settings));
}

}  // namespace shaduf
