#include <filesystem>

#include "base/text.h"
#include "connectors/duckdb/read_only.h"
#include "connectors/duckdb/sink.h"
#include "data/builder.h"
#include "data/read_only_reader.h"
#include "data/system_columns.h"

namespace shaduf {
namespace {

// Whether a statement gives rows of its own, rather than a count of those it changed.
bool gives_rows(std::string_view sql) {
    const auto begin = sql.find_first_not_of(" \t\r\n(");
    if (begin == std::string_view::npos) return false;
    const std::string word = to_lower(sql.substr(begin, sql.find_first_of(" \t\r\n(*;'\"", begin) - begin));
    for (const char* candidate :
         {"select", "with", "from", "values", "table", "show", "describe", "summarize", "explain"}) {
        if (word == candidate) return true;
    }
    return to_lower(sql).find("returning") != std::string::npos;
}

class DuckDbStore final : public Store,
                          public CheckpointStore,
                          public QuarantineStore,
                          public TableReader,
                          public StatementRunner,
                          public ReadOnlyReader {
public:
    explicit DuckDbStore(DuckDbSettings settings) : settings_(std::move(settings)) {}

    CheckpointStore* checkpoints() override { return this; }
    QuarantineStore* quarantine() override { return this; }
    TableReader* reader() override { return this; }
    StatementRunner* statements() override { return this; }

    Result<Given> run_statement(RunContext& run, const std::string& sql) override {
        TRY(connect(run));
        Given given;
        if (!gives_rows(sql)) {
            given.changed = TRY(connection_->execute(sql));
            return given;
        }
        const auto cursor = TRY(connection_->open_cursor(sql));
        while (auto rows = TRY(cursor->next())) {
            if (!given.rows) given.rows = std::move(rows);
        }
        return given;
    }

    Result<std::vector<CheckpointEntry>> list_checkpoints(RunContext& run) override {
        if (!TRY(has_bookkeeping(run))) return std::vector<CheckpointEntry>();
        return list_states(*connection_);
    }

    Result<void> set_checkpoint(RunContext& run, const std::string& pipeline, const std::string& stream,
                                const std::optional<Checkpoint>& checkpoint) override {
        TRY(connect(run));
        const auto claim = database_->claim("stream " + pipeline + "/" + stream);
        if (claim == nullptr) {
            return Error(ErrorKind::conflict,
                         "a run is writing the stream: " + pipeline + "." + stream + "; wait for it");
        }
        const std::lock_guard lock(database_->shared_tables());
        TRY(create_bookkeeping(*connection_));
        if (!checkpoint) return forget_state(*connection_, pipeline, stream);
        return write_state(*connection_, pipeline, stream, "", {checkpoint, false});
    }

    Result<RecordBatch> read_quarantine(RunContext& run, const QuarantineFilter& filter) override {
        RecordBatchBuilder none(quarantine_schema());
        if (!TRY(has_bookkeeping(run))) return none.finish();
        DuckDbValues values;
        std::string sql = std::string("SELECT * FROM ") + kQuarantineInMain + quarantine_condition(filter, values) +
                          " ORDER BY quarantined_at, id";
        if (filter.limit > 0) sql += " LIMIT " + std::to_string(filter.limit);
        const auto cursor = TRY(connection_->open_cursor(sql, values, SIZE_MAX));
        auto rows = TRY(cursor->next());
        if (!rows) return none.finish();
        return rows->conform_to(quarantine_schema());
    }

    Result<int64_t> purge_quarantine(RunContext& run, const QuarantineFilter& filter) override {
        if (!TRY(has_bookkeeping(run))) return int64_t{0};
        DuckDbValues values;
        const std::string table = kQuarantineInMain;
        const std::string condition = quarantine_condition(filter, values);
        if (filter.limit <= 0) return connection_->execute("DELETE FROM " + table + condition, values);
        return connection_->execute("DELETE FROM " + table + " WHERE rowid IN (SELECT rowid FROM " + table + condition +
                                        " ORDER BY quarantined_at, id LIMIT " + std::to_string(filter.limit) + ")",
                                    values);
    }

    Result<std::vector<RecordBatch>> query(RunContext& run, const std::string& sql) override {
        TRY(connect(run));
        return connection_->query(sql);
    }

    // The timeout is the caller's cancellation.
    Result<void> read_only(RunContext& run, const std::string& sql, std::chrono::milliseconds,
                           const Each& each) override {
        std::error_code ignored;
        if (connection_ == nullptr && !std::filesystem::exists(settings_.path, ignored)) {
            return Error(ErrorKind::invalid_config, "no data yet: the database is made by the first run");
        }
        TRY(connect(run));
        TRY(connection_->execute("BEGIN TRANSACTION READ ONLY"));
        const auto result = read_checked(sql, each);
        const auto ended = connection_->execute("ROLLBACK");
        TRY(result);
        if (!ended.ok() && run.cancellation.canceled()) return run.cancellation.check();
        return {};
    }

    Result<void> scan_columns(RunContext& run, const std::string& schema, const std::string& table,
                              const std::vector<std::string>& columns,
                              const std::function<Result<void>(const RecordBatch&)>& each) override {
        TRY(connect(run));
        std::string list;
        for (const auto& column : columns) list += (list.empty() ? "" : ", ") + quote_identifier(column);
        const std::string from = quote_table(schema.empty() ? "main" : schema, table);
        return connection_->scan("SELECT DISTINCT " + list + " FROM " + from, {}, each);
    }

private:
    Result<void> read_checked(const std::string& sql, const Each& each) {
        TRY(check_read_only(*connection_, sql));
        const auto cursor = TRY(connection_->open_cursor(sql));
        bool has_given = false;
        while (const auto rows = TRY(cursor->next())) {
            has_given = true;
            if (!TRY(each(*rows))) return {};
        }
        if (!has_given) TRY(each(RecordBatchBuilder(cursor->schema()).finish()));
        return {};
    }
    Result<void> connect(RunContext& run) {
        if (connection_ != nullptr) return {};
        database_ = TRY(run.databases.open(settings_.path, settings_.options));
        connection_ = TRY(database_->connect(run.cancellation));
        return {};
    }
    // Looking must not create a database.
    Result<bool> has_bookkeeping(RunContext& run) {
        std::error_code ignored;
        if (connection_ == nullptr && !std::filesystem::exists(settings_.path, ignored)) return false;
        TRY(connect(run));
        return has_table(*connection_, "main", std::string(kQuarantineTable));
    }

    DuckDbSettings settings_;
    std::shared_ptr<DuckDbDatabase> database_;
    std::unique_ptr<DuckDbConnection> connection_;
};

}  // namespace

std::unique_ptr<Store> make_duckdb_store(DuckDbSettings settings) {
    return std::make_unique<DuckDbStore>(std::move(settings));
}

}  // namespace shaduf
