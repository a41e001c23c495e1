#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "connectors/keyed/slices.h"
#include "connectors/parts/checkpoint_parts.h"
#include "connectors/postgres/bookkeeping.h"
#include "connectors/postgres/stage.h"
#include "connectors/postgres/upsert.h"

namespace shaduf {

// Writes one table, in a session of its own whose transaction begins with the first row and ends with `commit`, which
// adds quarantine and checkpoint. Rows go by binary COPY straight into the table (append, replace), or into a temporary
// one, from which the commit takes them (merge, history; and, a batch at a time, where the server has to read values
// from text). In replace mode the table grows under another name, with commits of its own, and takes the old one's
// place in the final one. Slices go straight to a table that was empty; else they gather in a temporary table, out of
// which the commit takes what is new (keyed/slices.h).
//
// A table that several processes write (TableTarget::shared): the commit takes the lock of the stream's row of state,
// and puts its parts over those that stand there by then, or is a conflict. Between two transactions others may have
// changed the table, so each one begins with a look at it under a lock that keeps it as it is.
class PostgresSink final : public Sink {
public:
    PostgresSink(PostgresSettings settings, PostgresTableOptions options, TableTarget target);
    ~PostgresSink() override;

    Result<SinkState> open(RunContext& run) override;
    Result<void> prepare(RunContext& run, const SchemaPtr& schema) override;
    Result<WriteReport> write(RunContext& run, const RecordBatch& rows) override;
    Result<void> begin_slice(RunContext& run, const TableSlice& slice) override;
    Result<void> quarantine(RunContext& run, const RecordBatch& rows) override;
    Result<std::optional<Checkpoint>> refresh(RunContext& run) override;
    Result<void> commit(RunContext& run, const std::optional<Checkpoint>& checkpoint, CommitKind kind) override;

private:
    bool replaces() const { return target_.mode == WriteMode::replace; }
    Result<void> claim();
    Result<SinkState> recover();
    Result<void> make_table(const Schema& columns);
    Result<void> begin();
    Result<void> prepare_table(const SchemaPtr& schema);
    // shared: the table as it is by now, and stays until the transaction ends.
    Result<void> hold_table();
    Result<std::optional<Checkpoint>> advance(const std::optional<Checkpoint>& checkpoint, CheckpointParts& known);
    // Rows go by the columns that the batch fills.
    Result<void> plan_for(const RecordBatch& rows);
    Result<void> write_rows(const RecordBatch& rows, WriteReport& report);
    Result<void> finish_copy();
    bool gathers() const;  // rows go to the stage, and stay there
    Result<void> insert_stage();
    Result<void> prepare_slices(const Schema& columns);
    Result<void> replace_slices();
    Result<void> apply_stage();
    Result<void> write_pending_quarantine();
    Result<void> end_transaction(const std::optional<Checkpoint>& checkpoint, CommitKind kind);
    PostgresUpsert upsert() const { return {working_, *table_, target_.key, target_.order_by}; }
    // The error with its place, and with what the server can tell of it. The transaction is over.
    template <typename T>
    Result<T> explained(Result<T> result);
    Error explain(const Error& error);

    const PostgresSettings settings_;
    const PostgresTableOptions options_;
    const TableTarget target_;
    const PostgresTableName name_;     // as the user sees it
    const PostgresTableName working_;  // that rows go to
    std::unique_ptr<PostgresConnection> connection_;
    std::unique_ptr<PostgresBookkeeping> bookkeeping_;
    SchemaPtr schema_;
    std::optional<PostgresTarget> table_;  // that rows go to
    // replace: the table as it stood at `open`; to look at it again would lock it until the commit.
    std::optional<PostgresTarget> old_;
    std::vector<bool> left_out_;  // columns of the schema that the table fills itself
    CopyPlan plan_;
    std::unique_ptr<TableCopy> copy_;  // one of these two
    std::unique_ptr<PostgresStage> stage_;
    SliceSet slices_;      // begun since the last commit, or, while they go straight in, in this load
    bool staged_ = false;  // slices gather
    std::vector<std::string> gathered_columns_;  // of the table where they do; empty: there is none
    bool in_transaction_ = false;
    bool holds_table_ = false;  // shared: in this transaction
    CheckpointParts known_;     // shared: each part as this process left it, so that it notices when another moves it
    std::vector<RecordBatch> pending_quarantine_;
    size_t pending_quarantine_bytes_ = 0;
};

// Checkpoints, quarantine and queries of one database. What was never written to is not created by looking at it.
std::unique_ptr<Store> make_postgres_store(PostgresSettings settings);

}  // namespace shaduf
