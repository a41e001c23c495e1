#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/connector.h"
#include "io/object_store.h"

namespace shaduf {

// One file of a table.
struct DataFile {
    std::string key;  // relative to the store
    int64_t rows = 0;
    int64_t bytes = 0;
};

// What a table of files is, as its newest manifest says. The table is a folder:
//
//   <table>/<partitions>/<file>              data, written once, never changed
//   <table>/_shaduf/quarantine/<file>        rejected rows, as NDJSON
//   <table>/_shaduf/manifest/<version>.json  one commit each, 20 digits, created only if absent
//
// A commit is one manifest: it names the files that it adds or takes away and holds the checkpoints behind them, so
// rows and progress cannot disagree; and of two writers that make the same version exactly one wins. Files that no
// manifest names are nobody's: left by a run that died, they are swept by the next one.
struct TableState {
    uint64_t version = 0;  // 0: there is no manifest yet
    std::optional<Schema> schema;
    std::map<std::string, DataFile> files;                 // by key: the table
    std::map<std::string, DataFile> staged;                // of a replace load that is not finished
    std::map<std::string, DataFile> quarantine;            // by key
    std::map<std::string, Checkpoint> checkpoints;         // "pipeline/stream" -> where it is
    std::map<std::string, Checkpoint> staged_checkpoints;  // the same of replace loads not finished
    std::string committed_at;
};

// Reads and writes the manifests of one table. One thread at a time.
class ManifestLog {
public:
    // `store` must outlive it.
    ManifestLog(ObjectStore& store, std::string table_folder);

    // Reads what is new since the last call. bad_data for a manifest that is broken, invalid_config for one of a
    // newer format.
    Result<void> refresh(RunContext& run);
    const TableState& state() const { return state_; }

    // Makes `next` the state, as version state().version + 1. conflict when another writer has made that version.
    Result<void> commit(RunContext& run, TableState next, const std::string& run_id);

    // Removes what sinks have put into the folder and is in no manifest; what other tables or people have there stays.
    // First makes a version that says so: a writer that is still at work on such files then loses its commit instead of
    // its files. Uploads that were never finished go with them; where there is no such file, only those older than a
    // day, since nothing would stop a writer who is still at work on a younger one.
    Result<int64_t> sweep(RunContext& run, const std::string& run_id);

private:
    std::string key_of(uint64_t version) const;
    Result<void> apply(const std::string& name, std::string_view text);
    Result<void> remove_unfinished(RunContext& run, Timestamp begun_before);

    ObjectStore& store_;
    const std::string folder_;
    TableState state_;
};

}  // namespace shaduf
