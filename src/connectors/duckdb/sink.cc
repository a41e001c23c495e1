#include "connectors/duckdb/sink.h"

#include <algorithm>

#include "base/assert.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "connectors/keyed/key_columns.h"
#include "connectors/keyed/slices.h"
#include "connectors/keyed/versions.h"
#include "connectors/parts/checkpoint_parts.h"

namespace shaduf {
namespace {

// From here on a thread and a statement that last until the next commit are worth their cost.
constexpr size_t kRowsToStream = 32 << 10;
constexpr size_t kBytesToStream = 4 << 20;
constexpr size_t kBytesInStream = 4 << 20;
// A thread of the engine that appends fills one, in memory.
constexpr size_t kRowsInGroup = 122'880;
constexpr size_t kAnyThreads = 64;
// Merging looks through the keys of the whole table each time.
constexpr size_t kRowsToUpsertAtOnce = 256 << 10;
// Quarantined rows interrupt the statement that takes the others, and it leaves row groups half full.
// Each is a row of a statement.
constexpr size_t kSlicesAtOnce = 1000;
constexpr size_t kQuarantineBytesAtOnce = 8 << 20;

std::string schema_of(const TableTarget& target) { return target.schema.empty() ? "main" : target.schema; }

TableName stage_table(const TableTarget& target) { return {schema_of(target), "_shaduf_stage_" + target.table}; }

SliceDialect slice_dialect() {
    SliceDialect dialect;
    dialect.quote = quote_identifier;
    dialect.literal = quote_literal;
    dialect.digest = [](const std::vector<std::string>& columns) { return "hash(" + join(columns, ", ") + ")"; };
    dialect.row_id = "rowid";
    return dialect;
}

TableName working_table(const TableTarget& target) {
    const bool beside = target.mode == WriteMode::replace;
    return {schema_of(target), beside ? "_shaduf_new_" + target.table : target.table};
}

}  // namespace

DuckDbSink::DuckDbSink(DuckDbSettings settings, TableTarget target)
    : settings_(std::move(settings)),
      target_(std::move(target)),
      table_{schema_of(target_), target_.table},
      working_(working_table(target_)) {}

DuckDbSink::~DuckDbSink() {
    append_.reset();
    // The engine rolls an open transaction back with its connection.
    connection_.reset();
}

std::string DuckDbSink::rows_table() const { return staged_ ? stage_table(target_).quoted() : working_.quoted(); }

Error DuckDbSink::in_place(const Error& error) const {
    return error.at(Place::in_stream(target_.connection, target_.stream));
}

Result<void> DuckDbSink::claim() {
    table_claim_ = database_->claim("table " + to_lower(table_.quoted()));
    stream_claim_ = database_->claim("stream " + target_.pipeline + "/" + target_.stream);
    if (table_claim_ != nullptr && stream_claim_ != nullptr) return {};
    return in_place(Error(ErrorKind::conflict, "another stream of this process writes the table: " + table_.quoted() +
                                                   "; wait for it, or give another table name"));
}

Result<SinkState> DuckDbSink::open(RunContext& run) {
    if (const auto checked = check_key(target_); !checked.ok()) return in_place(checked.error());
    if (settings_.options.access == DuckDbAccess::read_only) {
        return in_place(Error(ErrorKind::invalid_config,
                              "database is opened for reading only: " + settings_.path + "; take `read_only` away"));
    }
    database_ = TRY(run.databases.open(settings_.path, settings_.options));
    TRY(claim());
    connection_ = TRY(database_->connect(run.cancellation));
    const std::lock_guard lock(database_->shared_tables());
    TRY(create_bookkeeping(*connection_));
    TRY(connection_->execute("CREATE SCHEMA IF NOT EXISTS " + quote_identifier(table_.schema)));
    return recover();
}

// A table that was being built stays only for a replace load that has a checkpoint to go on from.
Result<SinkState> DuckDbSink::recover() {
    SinkState state;
    const TableName beside{table_.schema, "_shaduf_new_" + table_.table};
    const auto last = TRY(read_state(*connection_, target_.pipeline, target_.stream));
    const bool loading = last && last->loading;
    const bool resumes =
        replaces() && loading && last->checkpoint && TRY(has_table(*connection_, beside.schema, beside.table));
    if (!resumes) {
        TRY(connection_->execute("BEGIN"));
        TRY(connection_->execute("DROP TABLE IF EXISTS " + beside.quoted()));
        if (loading) TRY(write_state(*connection_, target_.pipeline, target_.stream, table_.quoted(), {}));
        TRY(connection_->execute("COMMIT"));
    }
    if (resumes || (!replaces() && last && !loading)) checkpoint_ = last->checkpoint;
    state.checkpoint = checkpoint_;
    state.table = TRY(read_table_schema(*connection_, working_));
    working_exists_ = state.table.has_value();
    if (target_.mode == WriteMode::slices && working_exists_)
        staged_ = !TRY(connection_->query("SELECT 1 FROM " + working_.quoted() + " LIMIT 1")).empty();
    if (state.table && target_.mode == WriteMode::history) state.table = without_history_columns(*state.table);
    return state;
}

Result<void> DuckDbSink::begin() {
    if (in_transaction_) return {};
    TRY(connection_->execute("BEGIN"));
    in_transaction_ = true;
    return {};
}

Result<void> DuckDbSink::prepare(RunContext&, const SchemaPtr& schema) {
    if (schema_ != nullptr && *schema == *schema_) return {};
    if (const auto checked = check_key_columns(target_, *schema); !checked.ok()) return in_place(checked.error());
    TRY(begin());
    TRY(write_pending());
    schema_ = schema;
    load_ = nullptr;
    load_ = database_->begin_load(schema->size());
    std::vector<Field> fields = schema->fields();
    if (target_.mode == WriteMode::history) {
        for (const auto& field : history_columns().fields()) fields.push_back(field);
    }
    const Schema columns(std::move(fields));
    TRY(make_or_evolve(working_, columns));
    working_exists_ = true;
    return target_.mode == WriteMode::slices ? prepare_slices(columns) : Result<void>();
}

Result<void> DuckDbSink::make_or_evolve(const TableName& name, const Schema& columns) {
    if (TRY(has_table(*connection_, name.schema, name.table))) return evolve_table(*connection_, name, columns);
    return create_table(*connection_, name, columns);
}

Result<void> DuckDbSink::prepare_slices(const Schema& columns) {
    std::vector<Field> restated = columns.fields();
    for (const Field& field : restatement_columns().fields()) restated.push_back(field);
    TRY(make_or_evolve({table_.schema, restatements_table(table_.table)}, Schema(std::move(restated))));
    if (!staged_) return {};
    TRY(make_or_evolve(stage_table(target_), columns));
    stage_exists_ = true;
    return {};
}

Result<void> DuckDbSink::begin_slice(RunContext&, const TableSlice& slice) {
    const bool is_full = staged_ && slices_.slices().size() >= kSlicesAtOnce;
    if (is_full || slices_.meets(slice)) {
        TRY(begin());
        TRY(write_pending());
        TRY(replace_slices());
        if (!staged_) {
            staged_ = true;
            if (schema_ != nullptr) TRY(prepare_slices(*schema_));
        }
    }
    slices_.add(slice);
    return {};
}

// REQUIRES: an open transaction, nothing pending
Result<void> DuckDbSink::replace_slices() {
    if (!staged_ || slices_.slices().empty()) return {};
    const SliceSet slices = std::exchange(slices_, {});
    if (!working_exists_) return {};
    const Schema columns = schema_ != nullptr ? *schema_ : *TRY(read_table_schema(*connection_, working_));
    if (!stage_exists_) TRY(prepare_slices(columns));
    SliceTables tables{table_.quoted(),
                       stage_table(target_).quoted(),
                       TableName{table_.schema, restatements_table(table_.table)}.quoted(),
                       "temp._shaduf_gone",
                       "temp._shaduf_come",
                       columns,
                       target_.key,
                       target_.run_id};
    if (!target_.keeps_restatements) tables.restatements.clear();
    for (const std::string& sql : replace_slices_sql(tables, slices.slices(), slice_dialect()))
        TRY(connection_->execute(sql));
    if (target_.restatements.count() > 0 && target_.keeps_restatements)
        TRY(connection_->execute(forget_restatements_sql(tables.restatements, target_.restatements)));
    stage_exists_ = false;
    TRY(connection_->execute("DROP TABLE " + stage_table(target_).quoted()));
    return {};
}

Result<WriteReport> DuckDbSink::write(RunContext&, const RecordBatch& rows) {
    SHADUF_ASSERT(schema_ != nullptr);
    TRY(failpoint("sink.write"));
    WriteReport report;
    const auto with_key = rows_with_key(target_, rows, report.rejected);
    RecordBatch kept = with_key ? rows.take(*with_key) : rows;
    report.rows_written = kept.rows();
    if (kept.rows() == 0) return report;
    if (staged_ && !stage_exists_) {  // a commit, or a slice that came again, was the end of the one before
        TRY(begin());
        TRY(prepare_slices(*schema_));
    }
    if (append_ != nullptr) {
        TRY(append_->write(std::move(kept)));
        return report;
    }
    pending_rows_ += kept.rows();
    pending_bytes_ += kept.byte_size();
    pending_.push_back(std::move(kept));
    const size_t rows_at_once = has_key(target_) ? kRowsToUpsertAtOnce : kRowsToStream;
    const size_t bytes_at_once = has_key(target_) ? target_.memory_bytes / 2 : kBytesToStream;
    if (pending_rows_ >= rows_at_once || pending_bytes_ >= bytes_at_once) {
        TRY(begin());
        TRY(has_key(target_) ? write_pending() : stream_pending());
    }
    return report;
}

Result<void> DuckDbSink::stream_pending() {
    // A second thread only where both row groups stay in memory: spilling them takes longer than it saves.
    const size_t row_bytes = pending_bytes_ / std::max<size_t>(pending_rows_, 1);
    const bool is_small = row_bytes * kRowsInGroup * 2 <= settings_.options.memory_bytes;
    if (is_small) database_->take_second_thread();
    append_ = TRY(connection_->begin_append(rows_table(), schema_, {kBytesInStream, is_small ? kAnyThreads : 1}));
    for (auto& rows : pending_) TRY(append_->write(std::move(rows)));
    pending_.clear();
    pending_rows_ = pending_bytes_ = 0;
    return {};
}

Result<void> DuckDbSink::end_stream() {
    if (append_ == nullptr) return {};
    auto inserted = append_->finish();
    append_.reset();
    TRY(std::move(inserted));
    return {};
}

Result<void> DuckDbSink::write_pending() {
    TRY(end_stream());
    if (pending_.empty()) return {};
    switch (target_.mode) {
        case WriteMode::append:
        case WriteMode::replace:
        case WriteMode::slices: TRY(connection_->append(rows_table(), schema_, pending_)); break;
        case WriteMode::merge:
            TRY(merge_rows(*connection_, {working_, schema_, target_.key, target_.order_by}, pending_));
            break;
        case WriteMode::history:
            TRY(add_versions(*connection_, {working_, schema_, target_.key, target_.order_by}, pending_));
            break;
    }
    pending_.clear();
    pending_rows_ = pending_bytes_ = 0;
    return {};
}

Result<void> DuckDbSink::quarantine(RunContext&, const RecordBatch& rows) {
    if (rows.rows() == 0) return {};
    pending_quarantine_bytes_ += rows.byte_size();
    pending_quarantine_.push_back(rows);
    if (pending_quarantine_bytes_ < kQuarantineBytesAtOnce) return {};
    TRY(begin());
    return write_pending_quarantine();
}

Result<void> DuckDbSink::write_pending_quarantine() {
    if (pending_quarantine_.empty()) return {};
    TRY(end_stream());
    if (target_.mode == WriteMode::slices) {
        TRY(connection_->execute("DELETE FROM " + std::string(kQuarantineInMain) + " WHERE " +
                                 same_rejected(pending_quarantine_, "id")));
    }
    TRY(connection_->append(kQuarantineInMain, quarantine_schema(), pending_quarantine_));
    pending_quarantine_.clear();
    pending_quarantine_bytes_ = 0;
    return {};
}

// Views name their tables, so those on the old table read the new one; indexes of the old one go with it.
Result<void> DuckDbSink::swap_tables() {
    if (!working_exists_) {
        const bool has_old = TRY(has_table(*connection_, table_.schema, table_.table));
        if (has_old) TRY(connection_->execute("DELETE FROM " + table_.quoted()));
        return {};
    }
    auto dropped = connection_->execute("DROP TABLE IF EXISTS " + table_.quoted());
    if (!dropped.ok()) {
        return in_place(Error(dropped.error().kind(), "cannot replace the table: " + table_.quoted() +
                                                          "; drop what depends on it, or write with another mode")
                            .caused_by(dropped.error()));
    }
    TRY(connection_->execute("ALTER TABLE " + working_.quoted() + " RENAME TO " + quote_identifier(table_.table)));
    working_exists_ = false;
    schema_ = nullptr;
    return {};
}

// The file is this process's alone, so nobody else moves a part; but those it no longer reads must stay.
Result<std::optional<Checkpoint>> DuckDbSink::behind(const std::optional<Checkpoint>& checkpoint) const {
    if (!target_.shared || !checkpoint) return checkpoint;
    const CheckpointParts stored = TRY(parse_parts(checkpoint_));
    return std::optional(to_checkpoint(TRY(advance_parts(stored, stored, TRY(parse_parts(checkpoint))))));
}

Result<void> DuckDbSink::commit(RunContext&, const std::optional<Checkpoint>& checkpoint, CommitKind kind) {
    TRY(begin());
    TRY(write_pending());
    TRY(replace_slices());
    TRY(write_pending_quarantine());
    const bool ends_replace = replaces() && kind == CommitKind::final;
    if (ends_replace) TRY(swap_tables());
    checkpoint_ = TRY(behind(checkpoint));
    const StreamState state{checkpoint_, replaces() && kind == CommitKind::interim};
    TRY(write_state(*connection_, target_.pipeline, target_.stream, table_.quoted(), state));
    TRY(failpoint("sink.commit.before"));
    auto committed = connection_->execute("COMMIT");
    in_transaction_ = false;
    if (!committed.ok()) return in_place(committed.error());
    return failpoint("sink.commit.after");
}

}  // namespace shaduf
