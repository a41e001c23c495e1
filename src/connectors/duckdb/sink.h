#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "connectors/duckdb/bookkeeping.h"
#include "connectors/duckdb/table.h"
#include "connectors/duckdb/upsert.h"
#include "connectors/keyed/slices.h"
#include "io/duckdb.h"

namespace shaduf {

// A connection of type duckdb, as configured.
struct DuckDbSettings {
    std::string path;
    DuckDbOptions options;
};

// Writes one table. A few rows are gathered and appended by the commit; more go into one statement that lasts until it,
// inside the open transaction, in which the engine writes full row groups to the file already: neither their number nor
// the time until the next commit costs memory. `commit`
// adds quarantine and checkpoint and ends the transaction. In replace mode the table grows under another name, with
// commits of its own, and takes the old one's place in the final one. Slices go straight to a table that was empty;
// else they gather in a stage, a table of the open transaction, out of which the commit takes what is new
// (keyed/slices.h).
class DuckDbSink final : public Sink {
public:
    DuckDbSink(DuckDbSettings settings, TableTarget target);
    ~DuckDbSink() override;

    Result<SinkState> open(RunContext& run) override;
    Result<void> prepare(RunContext& run, const SchemaPtr& schema) override;
    Result<WriteReport> write(RunContext& run, const RecordBatch& rows) override;
    Result<void> begin_slice(RunContext& run, const TableSlice& slice) override;
    Result<void> quarantine(RunContext& run, const RecordBatch& rows) override;
    Result<std::optional<Checkpoint>> refresh(RunContext&) override { return checkpoint_; }
    Result<void> commit(RunContext& run, const std::optional<Checkpoint>& checkpoint, CommitKind kind) override;

private:
    bool replaces() const { return target_.mode == WriteMode::replace; }
    std::string rows_table() const;  // quoted: that rows go to first
    Result<void> claim();
    Result<SinkState> recover();
    Result<void> begin();
    Result<void> stream_pending();
    Result<void> end_stream();
    Result<void> write_pending();
    Result<void> write_pending_quarantine();
    Result<void> swap_tables();
    Result<void> prepare_slices(const Schema& columns);
    Result<void> make_or_evolve(const TableName& name, const Schema& columns);
    Result<void> replace_slices();
    Result<std::optional<Checkpoint>> behind(const std::optional<Checkpoint>& checkpoint) const;
    Error in_place(const Error& error) const;

    const DuckDbSettings settings_;
    const TableTarget target_;
    const TableName table_;    // as the user sees it
    const TableName working_;  // that rows go to
    std::shared_ptr<DuckDbDatabase> database_;
    std::unique_ptr<DuckDbDatabase::Claim> table_claim_;
    std::unique_ptr<DuckDbDatabase::Claim> stream_claim_;
    std::unique_ptr<DuckDbDatabase::Load> load_;
    std::unique_ptr<DuckDbConnection> connection_;
    std::unique_ptr<DuckDbAppend> append_;  // appends and replaces, while there are many rows
    std::optional<Checkpoint> checkpoint_;  // as committed last
    SchemaPtr schema_;
    bool in_transaction_ = false;
    bool working_exists_ = false;
    SliceSet slices_;      // begun since the last commit, or, while they go straight in, in this load
    bool staged_ = false;  // slices gather in the stage
    bool stage_exists_ = false;
    std::vector<RecordBatch> pending_;
    size_t pending_rows_ = 0;
    size_t pending_bytes_ = 0;
    std::vector<RecordBatch> pending_quarantine_;
    size_t pending_quarantine_bytes_ = 0;
};

// Checkpoints, quarantine and queries of one database. What was never written to is not created by looking at it.
std::unique_ptr<Store> make_duckdb_store(DuckDbSettings settings);

}  // namespace shaduf
