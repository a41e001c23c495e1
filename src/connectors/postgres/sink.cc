#include "connectors/postgres/sink.h"

#include <algorithm>

#include "base/assert.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "connectors/keyed/key_columns.h"
#include "connectors/keyed/versions.h"
#include "connectors/postgres/refresh.h"
#include "connectors/postgres/write_error.h"
#include "data/builder.h"

namespace shaduf {
namespace {

// Quarantined rows interrupt the COPY that takes the others.
constexpr size_t kQuarantineBytesAtOnce = 8 << 20;

PostgresTableName name_of(const PostgresSettings& settings, const TableTarget& target) {
    return {target.schema.empty() ? settings.schema : target.schema, target.table};
}

PostgresTableName name_beside(const PostgresTableName& name) {
    return {name.schema, postgres_name_with("_shaduf_new_", name.table)};
}

constexpr const char* kSlicesTable = "pg_temp._shaduf_slices";
// Each is a row of a statement.
constexpr size_t kSlicesAtOnce = 1000;

// A row's text is the same for equal rows only: all types write their values whole.
SliceDialect slice_dialect(const PostgresTarget& table) {
    SliceDialect dialect;
    dialect.quote = [&table](const std::string& name) {
        const PostgresTargetColumn* column = table.find(name);
        return postgres_identifier(column == nullptr ? name : column->field.name).value_or("\"\"");
    };
    dialect.literal = [](const std::string& text) { return postgres_literal(text); };
    dialect.digest = [](const std::vector<std::string>& columns) {
        return "CAST(ROW(" + join(columns, ", ") + ") AS text)";
    };
    dialect.digest_is_exact = true;
    dialect.row_id = "ctid";
    return dialect;
}

std::vector<std::string> privileges_of(WriteMode mode) {
    switch (mode) {
        case WriteMode::append: return {"INSERT"};
        case WriteMode::replace: return {"INSERT", "DELETE"};
        case WriteMode::merge: return {"SELECT", "INSERT", "UPDATE"};
        case WriteMode::history:
        case WriteMode::slices: return {"SELECT", "INSERT", "DELETE"};
    }
    return {};
}

// What no text of PostgreSQL can hold must not lose a quarantined row.
RecordBatch without_zero_bytes(const RecordBatch& rows) {
    std::vector<Column> columns = rows.columns();
    for (auto& column : columns) {
        if (column.type.kind() != TypeKind::string || column.values == nullptr ||
            column.values->view().find('\0') == std::string_view::npos) {
            continue;
        }
        ColumnBuilder cleaned(column.type);
        for (size_t row = 0; row < rows.rows(); ++row) {
            if (column.is_null(row)) {
                cleaned.append_null();
                continue;
            }
            std::string text(column.text_at(row));
            for (size_t at = text.find('\0'); at != std::string::npos; at = text.find('\0', at)) {
                text.replace(at, 1, "\xEF\xBF\xBD");
            }
            cleaned.append_text(text);
        }
        column = cleaned.finish();
    }
    return RecordBatch(rows.schema(), std::move(columns), rows.rows());
}

}  // namespace

PostgresSink::PostgresSink(PostgresSettings settings, PostgresTableOptions options, TableTarget target)
    : settings_(std::move(settings)),
      options_(std::move(options)),
      target_(std::move(target)),
      name_(name_of(settings_, target_)),
      working_(target_.mode == WriteMode::replace ? name_beside(name_) : name_) {}

// The server rolls an open transaction back with its session.
PostgresSink::~PostgresSink() {
    copy_.reset();
    stage_.reset();
}

template <typename T>
Result<T> PostgresSink::explained(Result<T> result) {
    if (result.ok()) return result;
    return explain(result.error());
}

Error PostgresSink::explain(const Error& error) {
    const Place place = Place::in_stream(target_.connection, target_.stream);
    if (connection_ == nullptr || error.kind() == ErrorKind::canceled) return error.at(place);
    const std::string state = connection_->sqlstate();
    copy_.reset();
    stage_.reset();
    if (!connection_->is_lost() && (!state.empty() || (in_transaction_ && error.kind() == ErrorKind::conflict))) {
        const auto ended = connection_->execute("ROLLBACK");
        in_transaction_ = false;
        holds_table_ = false;
        if (!ended.ok()) return error.at(place);
    }
    const Error explained = explain_write_error(*connection_, name_, privileges_of(target_.mode), state, error);
    // Of two that wait for each other the server ends one; it, and one that waited too long, can begin again.
    const bool is_in_turn = state == "40P01" || state == "40001" || state == "55P03";
    if (target_.shared && is_in_turn) {
        return Error(ErrorKind::conflict, "another process is at work on the table: " + explained.message()).at(place);
    }
    return explained.at(place);
}

// ---------------------------------------------------------------------------------------------------------------- open

Result<SinkState> PostgresSink::open(RunContext& run) {
    TRY(explained(check_key(target_)));
    if (target_.shared && target_.mode != WriteMode::append && target_.mode != WriteMode::merge) {
        return explain(Error(ErrorKind::invalid_config,
                             "table that several processes write can be appended to, or merged into by key: " +
                                 name_.to_string() + "; set write: append"));
    }
    connection_ = TRY(explained(connect_to_write(settings_, run.cancellation)));
    bookkeeping_ = std::make_unique<PostgresBookkeeping>(*connection_, settings_.schema);
    TRY(explained(claim()));
    TRY(explained(bookkeeping_->create()));
    TRY(explained(create_schema(*connection_, name_.schema)));
    return explained(recover());
}

Result<void> PostgresSink::claim() {
    const ClaimKind kind = target_.shared ? ClaimKind::shared : ClaimKind::alone;
    const bool has_all =
        TRY(claim_for_session(*connection_, "table " + name_.to_string(), kind)) &&
        TRY(claim_for_session(*connection_, stream_claim(settings_, target_.pipeline, target_.stream), kind));
    if (has_all) return {};
    return Error(ErrorKind::conflict,
                 "another run writes the table: " + name_.to_string() + "; wait for it, or give another table name");
}

// A table that was being built stays only for a replace load that has a checkpoint to go on from.
Result<SinkState> PostgresSink::recover() {
    SinkState state;
    const PostgresTableName beside = name_beside(name_);
    const auto last = TRY(bookkeeping_->read(target_.pipeline, target_.stream));
    const bool loading = last && last->loading;
    const bool has_beside = TRY(find_target(*connection_, beside)).has_value();
    const bool resumes = replaces() && loading && last->checkpoint && has_beside;
    if (!resumes && (has_beside || loading)) {
        TRY(connection_->execute("BEGIN"));
        if (has_beside) TRY(connection_->execute("DROP TABLE IF EXISTS " + TRY(beside.quoted())));
        if (loading) TRY(bookkeeping_->write(target_.pipeline, target_.stream, name_.to_string(), {}));
        TRY(connection_->execute("COMMIT"));
    }
    if (resumes || (!replaces() && last && !loading)) state.checkpoint = last->checkpoint;
    if (target_.shared) known_ = TRY(parse_parts(state.checkpoint));
    table_ = TRY(find_target(*connection_, working_));
    if (replaces()) old_ = TRY(find_target(*connection_, name_));
    if (table_ && target_.mode == WriteMode::slices)
        staged_ = !TRY(connection_->query("SELECT 1 FROM " + table_->quoted + " LIMIT 1")).rows.empty();
    if (table_) {
        state.table = table_->schema();
        if (target_.mode == WriteMode::history) state.table = without_history_columns(*state.table);
    }
    return state;
}

// ------------------------------------------------------------------------------------------------------------- prepare

Result<void> PostgresSink::begin() {
    if (in_transaction_) return {};
    TRY(connection_->execute("BEGIN"));
    in_transaction_ = true;
    return {};
}

Result<void> PostgresSink::make_table(const Schema& columns) {
    if (table_) {
        if (!TRY(evolve_target(*connection_, working_, *table_, columns, options_))) return {};
    } else {
        // Values must fit the table that they end in.
        PostgresTableOptions options = options_;
        for (const auto& field : columns.fields()) {
            const PostgresTargetColumn* present = old_ ? old_->find(field.name) : nullptr;
            if (present != nullptr && present->field.type == field.type) {
                options.column_types.emplace_back(field.name, present->field.sql_type);
            }
        }
        TRY(create_target(*connection_, working_, columns, options));
        TRY(apply_grants(*connection_, working_, options_));
        if (!replaces()) TRY(create_indexes(*connection_, working_, options_));
        // The versions of a key are looked for with each commit.
        if (target_.mode == WriteMode::history) {
            TRY(connection_->execute("CREATE INDEX ON " + TRY(working_.quoted()) + " (" +
                                     TRY(postgres_columns(target_.key)) + ")"));
        }
    }
    table_ = TRY(find_target(*connection_, working_));
    return {};
}

Result<void> PostgresSink::prepare_table(const SchemaPtr& schema) {
    const bool is_alone = target_.shared && !in_transaction_;
    TRY(begin());
    TRY(finish_copy());
    TRY(apply_stage());
    stage_.reset();
    if (target_.shared) {
        // Who else wants to change it waits for this transaction, which ends at once where it has no rows.
        TRY(connection_->query("SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($1, 0))",
                               {"shaduf columns " + working_.to_string()}));
        table_ = TRY(find_target(*connection_, working_));
    }
    std::vector<Field> fields = schema->fields();
    if (target_.mode == WriteMode::history) {
        for (const auto& field : history_columns().fields()) fields.push_back(field);
    }
    TRY(make_table(Schema(std::move(fields))));
    if (target_.mode == WriteMode::slices) TRY(prepare_slices(*schema));
    if (target_.mode == WriteMode::merge) TRY(ensure_key_index(*connection_, upsert()));
    if (!is_alone) return {};
    TRY(connection_->execute("COMMIT"));
    in_transaction_ = false;
    return {};
}

Result<void> PostgresSink::prepare(RunContext&, const SchemaPtr& schema) {
    if (schema_ != nullptr && *schema == *schema_) return {};
    TRY(explained(check_key_columns(target_, *schema)));
    TRY(explained(prepare_table(schema)));
    schema_ = schema;
    plan_ = {};
    return {};
}

Result<void> PostgresSink::hold_table() {
    if (!target_.shared || holds_table_) return {};
    TRY(connection_->execute("LOCK TABLE " + table_->quoted + " IN ROW EXCLUSIVE MODE"));
    auto now = TRY(find_target(*connection_, working_));
    if (!now) return Error(ErrorKind::conflict, "table is gone: " + working_.to_string() + "; another process took it");
    if (now->schema() != table_->schema()) {
        copy_.reset();  // so that rows are planned for anew
        stage_.reset();
    }
    table_ = std::move(now);
    holds_table_ = true;
    return {};
}

// --------------------------------------------------------------------------------------------------------------- write

Result<void> PostgresSink::plan_for(const RecordBatch& rows) {
    // A column that the table has and the stream has not comes as null, which these would refuse.
    std::vector<bool> left_out(schema_->size(), false);
    for (size_t i = 0; i < schema_->size(); ++i) {
        const PostgresTargetColumn* column = table_->find((*schema_)[i].name);
        left_out[i] = column != nullptr && column->must_default && rows.column(i).null_count == rows.rows();
    }
    if ((copy_ != nullptr || stage_ != nullptr) && left_out == left_out_) return {};
    TRY(finish_copy());
    TRY(apply_stage());
    stage_.reset();
    left_out_ = std::move(left_out);
    plan_ = CopyPlan::create(*schema_, *table_, left_out_);
    if (gathers() || plan_.reads_any()) {
        stage_ = std::make_unique<PostgresStage>(*connection_, schema_, plan_);
        return stage_->create();
    }
    copy_ = std::make_unique<TableCopy>(*connection_, table_->quoted + " (" + join(TRY(plan_.quoted()), ", ") + ")",
                                        plan_.schema(*schema_), plan_.copy_targets(), false);
    return {};
}

Result<void> PostgresSink::write_rows(const RecordBatch& rows, WriteReport& report) {
    TRY(begin());
    TRY(hold_table());
    // A commit, or a slice that came again, was the end of the stage before.
    if (staged_ && gathered_columns_.empty()) TRY(prepare_slices(*schema_));
    TRY(plan_for(rows));
    if (stage_ == nullptr) {
        report.rows_written =
            TRY(copy_->write(select_columns(rows, plan_.schema(*schema_), plan_.columns), report.rejected));
        return {};
    }
    report.rows_written = TRY(stage_->write(rows, report.rejected));
    return gathers() ? Result<void>() : insert_stage();
}

bool PostgresSink::gathers() const { return has_key(target_) || staged_; }

Result<WriteReport> PostgresSink::write(RunContext&, const RecordBatch& rows) {
    SHADUF_ASSERT(schema_ != nullptr);
    TRY(failpoint("sink.write"));
    WriteReport report;
    std::vector<RejectedRow> without_key;
    const auto kept = rows_with_key(target_, rows, without_key);
    TRY(explained(write_rows(kept ? rows.take(*kept) : rows, report)));
    if (!kept) return report;
    for (auto& row : report.rejected) row.row = (*kept)[row.row];
    report.rejected.insert(report.rejected.end(), without_key.begin(), without_key.end());
    std::sort(report.rejected.begin(), report.rejected.end(),
              [](const auto& a, const auto& b) { return a.row < b.row; });
    return report;
}

Result<void> PostgresSink::finish_copy() {
    if (copy_ != nullptr) TRY(std::exchange(copy_, nullptr)->finish());
    if (stage_ != nullptr) TRY(stage_->finish());
    return {};
}

// Rows that the server had to read, into the table.
Result<void> PostgresSink::insert_stage() {
    TRY(stage_->finish());
    const std::string into = staged_ ? kSlicesTable : table_->quoted;
    TRY(connection_->execute("INSERT INTO " + into + " (" + join(TRY(stage_->plan().quoted()), ", ") +
                             std::string(staged_ ? ") SELECT " : ") OVERRIDING SYSTEM VALUE SELECT ") +
                             TRY(stage_->values("s")) + " FROM " + PostgresStage::kTable +
                             " s ORDER BY s._shaduf_row"));
    return stage_->clear();
}

Result<void> PostgresSink::apply_stage() {
    if (stage_ == nullptr || !stage_->has_rows()) return {};
    switch (target_.mode) {
        case WriteMode::append:
        case WriteMode::replace:
        case WriteMode::slices: return insert_stage();
        case WriteMode::merge: TRY(merge_stage(*connection_, upsert(), *stage_)); break;
        case WriteMode::history: TRY(add_stage_versions(*connection_, upsert(), *stage_)); break;
    }
    return stage_->clear();
}

// -------------------------------------------------------------------------------------------------------------- slices

// The restatements, and where slices gather, in the form that the table has now.
Result<void> PostgresSink::prepare_slices(const Schema& columns) {
    std::vector<Field> fields = columns.fields();
    for (const Field& field : restatement_columns().fields()) fields.push_back(field);
    const Schema restated(std::move(fields));
    const PostgresTableName name{name_.schema, restatements_table(name_.table)};
    if (const auto present = TRY(find_target(*connection_, name))) {
        TRY(evolve_target(*connection_, name, *present, restated, {}));
    } else {
        TRY(create_target(*connection_, name, restated, {}));
        TRY(apply_grants(*connection_, name, options_));
    }
    if (!staged_) return {};
    const std::string like = " AS SELECT * FROM " + table_->quoted + " WHERE false";
    if (gathered_columns_.empty()) {
        TRY(connection_->execute(std::string("CREATE TEMPORARY TABLE ") + kSlicesTable + like));
    } else {
        const std::string wider = "pg_temp._shaduf_slices_wider";
        const std::string list = TRY(postgres_columns(gathered_columns_));
        TRY(connection_->execute("CREATE TEMPORARY TABLE " + wider + like));
        TRY(connection_->execute("INSERT INTO " + wider + " (" + list + ") SELECT " + list + " FROM " + kSlicesTable));
        TRY(connection_->execute(std::string("DROP TABLE ") + kSlicesTable));
        TRY(connection_->execute("ALTER TABLE " + wider + " RENAME TO _shaduf_slices"));
    }
    gathered_columns_.clear();
    for (const auto& column : table_->columns) gathered_columns_.push_back(column.field.name);
    return {};
}

Result<void> PostgresSink::begin_slice(RunContext&, const TableSlice& slice) {
    const auto replace = [&]() -> Result<void> {
        TRY(begin());
        TRY(finish_copy());
        TRY(apply_stage());
        return replace_slices();
    };
    const bool is_full = staged_ && slices_.slices().size() >= kSlicesAtOnce;
    if (is_full || slices_.meets(slice)) {
        TRY(explained(replace()));
        copy_.reset();
        stage_.reset();
        if (!staged_) {
            staged_ = true;
            if (schema_ != nullptr) TRY(explained(prepare_slices(*schema_)));
        }
    }
    slices_.add(slice);
    return {};
}

// REQUIRES: an open transaction, nothing on its way
Result<void> PostgresSink::replace_slices() {
    if (!staged_ || slices_.slices().empty()) return {};
    const SliceSet slices = std::exchange(slices_, {});
    if (!table_) return {};
    const Schema columns = schema_ != nullptr ? *schema_ : table_->schema();
    if (gathered_columns_.empty()) TRY(prepare_slices(columns));
    SliceTables tables;
    tables.table = table_->quoted;
    tables.stage = kSlicesTable;
    const PostgresTableName restatements{name_.schema, restatements_table(name_.table)};
    if (target_.keeps_restatements) tables.restatements = TRY(restatements.quoted());
    tables.gone = "pg_temp._shaduf_gone";
    tables.come = "pg_temp._shaduf_come";
    tables.schema = columns;
    tables.key = target_.key;
    tables.run_id = target_.run_id;
    for (const std::string& sql : replace_slices_sql(tables, slices.slices(), slice_dialect(*table_)))
        TRY(connection_->execute(sql));
    if (target_.restatements.count() > 0 && target_.keeps_restatements)
        TRY(connection_->execute(forget_restatements_sql(tables.restatements, target_.restatements)));
    TRY(connection_->execute(std::string("DROP TABLE ") + kSlicesTable));
    gathered_columns_.clear();
    return {};
}

// ---------------------------------------------------------------------------------------------------------- quarantine

Result<void> PostgresSink::quarantine(RunContext&, const RecordBatch& rows) {
    if (rows.rows() == 0) return {};
    pending_quarantine_bytes_ += rows.byte_size();
    pending_quarantine_.push_back(without_zero_bytes(rows));
    if (pending_quarantine_bytes_ < kQuarantineBytesAtOnce) return {};
    TRY(explained(begin()));
    return explained(write_pending_quarantine());
}

Result<void> PostgresSink::write_pending_quarantine() {
    if (pending_quarantine_.empty()) return {};
    TRY(finish_copy());
    const auto table = TRY(find_target(*connection_, {settings_.schema, std::string(kQuarantineTable)}));
    if (!table) return Error(ErrorKind::invalid_config, "table of the quarantine is gone; run again to have it made");
    if (target_.mode == WriteMode::slices)
        TRY(connection_->execute("DELETE FROM " + table->quoted + " WHERE " +
                                 same_rejected(pending_quarantine_, "id")));
    const CopyPlan plan = CopyPlan::create(*quarantine_schema(), *table, {});
    TableCopy copy(*connection_, table->quoted + " (" + join(TRY(plan.quoted()), ", ") + ")", quarantine_schema(),
                   plan.copy_targets(), false);
    std::vector<RejectedRow> rejected;
    for (const auto& rows : pending_quarantine_) TRY(copy.write(rows, rejected));
    TRY(copy.finish());
    if (!rejected.empty()) return rejected.front().why;
    pending_quarantine_.clear();
    pending_quarantine_bytes_ = 0;
    return {};
}

// -------------------------------------------------------------------------------------------------------------- commit

// What the state says behind this commit: the parts that were read, over those that stand there by now.
Result<std::optional<Checkpoint>> PostgresSink::advance(const std::optional<Checkpoint>& checkpoint,
                                                        CheckpointParts& known) {
    const auto stored = TRY(bookkeeping_->read_locked(target_.pipeline, target_.stream, name_.to_string()));
    if (!checkpoint) return stored.checkpoint;
    const CheckpointParts read = TRY(parse_parts(checkpoint));
    const CheckpointParts next = TRY(advance_parts(TRY(parse_parts(stored.checkpoint)), known, read));
    known = known_after(known, read, next);
    return next.empty() ? stored.checkpoint : std::optional(to_checkpoint(next));
}

Result<void> PostgresSink::end_transaction(const std::optional<Checkpoint>& checkpoint, CommitKind kind) {
    TRY(begin());
    TRY(finish_copy());
    TRY(apply_stage());
    TRY(replace_slices());
    TRY(write_pending_quarantine());
    const bool ends_replace = replaces() && kind == CommitKind::final;
    if (ends_replace && !table_) TRY(empty_table(*connection_, name_));
    if (ends_replace && table_) {
        TRY(take_place(*connection_, name_, working_, options_));
        table_.reset();
        schema_ = nullptr;
        stage_.reset();
    }
    CheckpointParts known = known_;
    const auto behind = target_.shared ? TRY(advance(checkpoint, known)) : checkpoint;
    const PostgresState state{behind, replaces() && kind == CommitKind::interim};
    TRY(bookkeeping_->write(target_.pipeline, target_.stream, name_.to_string(), state));
    TRY(failpoint("sink.commit.before"));
    TRY(connection_->execute("COMMIT"));
    in_transaction_ = false;
    holds_table_ = false;
    known_ = std::move(known);
    return {};
}

Result<std::optional<Checkpoint>> PostgresSink::refresh(RunContext&) {
    const auto state = TRY(explained(bookkeeping_->read(target_.pipeline, target_.stream)));
    const auto stands = state ? state->checkpoint : std::nullopt;
    known_ = TRY(explained(parse_parts(stands)));
    return stands;
}

Result<void> PostgresSink::commit(RunContext&, const std::optional<Checkpoint>& checkpoint, CommitKind kind) {
    TRY(explained(end_transaction(checkpoint, kind)));
    return failpoint("sink.commit.after");
}

}  // namespace shaduf
