#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "base/strong.h"
#include "data/batch.h"

// What can be asked of a sink outside a run.
namespace shaduf {

// A source's position, opaque to all others: the source writes it and reads it again in a later run. UTF-8, at most 1
// MiB.
using Checkpoint = Strong<std::string, struct CheckpointTag>;

// Optional powers of a sink's connection, asked for by dynamic_cast on what ConnectorSpec::make_store returns.
struct CheckpointEntry {
    std::string pipeline;
    std::string stream;
    Checkpoint checkpoint;
    std::string committed_at;  // ISO 8601
};
class CheckpointStore {
public:
    virtual ~CheckpointStore() = default;
    virtual Result<std::vector<CheckpointEntry>> list_checkpoints(RunContext& run) = 0;
    // Sets, or with nullopt forgets, the checkpoint of one stream. `conflict` while a run has the table.
    virtual Result<void> set_checkpoint(RunContext& run, const std::string& pipeline, const std::string& stream,
                                        const std::optional<Checkpoint>& checkpoint) = 0;
};
struct QuarantineFilter {
    std::string pipeline;          // "" is any
    std::string stream;            // "" is any
    std::vector<std::string> ids;  // empty is any
    int64_t limit = 0;             // 0: all
};
class QuarantineStore {
public:
    virtual ~QuarantineStore() = default;
    virtual Result<RecordBatch> read_quarantine(RunContext& run, const QuarantineFilter& filter) = 0;
    virtual Result<int64_t> purge_quarantine(RunContext& run, const QuarantineFilter& filter) = 0;
};
// Lets expectations look into what is there already.
class TableReader {
public:
    virtual ~TableReader() = default;
    // Runs a query in the system's own SQL; the result is bounded by what the caller asks for.
    virtual Result<std::vector<RecordBatch>> query(RunContext& run, const std::string& sql) = 0;
    // Distinct values of `columns` of `schema.table`, batch by batch; nullptr at the end.
    virtual Result<void> scan_columns(RunContext& run, const std::string& schema, const std::string& table,
                                      const std::vector<std::string>& columns,
                                      const std::function<Result<void>(const RecordBatch&)>& each) = 0;
};
// Joins the small files of a table's folders into larger ones, while others read and write it.
struct CompactRequest {
    std::string table;                    // "schema/table" or "table"
    uint64_t below = 64'000'000;          // bytes: only files that are smaller
    uint64_t to = 256'000'000;            // bytes of a joined file, about
    std::vector<std::string> partitions;  // folders, "event_date=2026-01-02"; empty is any
    std::chrono::milliseconds older_than{0};
    std::chrono::milliseconds keep{std::chrono::hours(1)};  // how long the files that were joined stay for readers
    bool dry_run = false;
};
struct CompactReport {
    struct Joined {
        std::string folder;
        size_t files = 0;  // that became one
        int64_t rows = 0;
        int64_t bytes_before = 0;
        int64_t bytes_after = 0;  // dry_run: 0
    };
    std::vector<Joined> joined;
    int64_t removed = 0;  // files that were joined earlier, and whose time had come
};
class TableCompactor {
public:
    virtual ~TableCompactor() = default;
    // invalid_config when there is no such table.
    virtual Result<CompactReport> compact(RunContext& run, const CompactRequest& request) = 0;
};
// Runs statements of the system's own SQL, which may change something. All calls of one store are of one session.
class StatementRunner {
public:
    virtual ~StatementRunner() = default;
    struct Given {
        int64_t changed = 0;              // rows
        std::optional<RecordBatch> rows;  // the first ones, of a statement that gives rows
    };
    // One statement.
    virtual Result<Given> run_statement(RunContext& run, const std::string& sql) = 0;
};
class Store {
public:
    virtual ~Store() = default;
    virtual StatementRunner* statements() { return nullptr; }
    virtual TableCompactor* compactor() { return nullptr; }
    virtual CheckpointStore* checkpoints() { return nullptr; }
    virtual QuarantineStore* quarantine() { return nullptr; }
    virtual TableReader* reader() { return nullptr; }
};

}  // namespace shaduf
