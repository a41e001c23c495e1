#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
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
// manifest names are nobody's: left by a run that died, they are swept by a later one.
struct TableState {
    uint64_t version = 0;  // 0: there is no manifest yet
    std::optional<Schema> schema;
    std::map<std::string, DataFile> files;                 // by key: the table
    std::map<std::string, DataFile> staged;                // of a replace load that is not finished
    std::map<std::string, DataFile> quarantine;            // by key
    std::map<std::string, Checkpoint> checkpoints;         // "pipeline/stream" -> where it is
    std::map<std::string, Checkpoint> staged_checkpoints;  // the same of replace loads not finished
    std::string committed_at;
    // By key: files whose rows stand in others by now, kept for readers of an older version until that time.
    std::map<std::string, Timestamp> retired;
    // Where names are made of offsets, and so are the same whoever writes: which load may name files of a part.
    std::map<std::string, std::string> claims;
    // Folders that are closed and whose marker was not put since that version; see close_markers.h.
    std::map<std::string, uint64_t> markers_due;
    std::optional<Timestamp> closed_until;
};

enum class VersionKind : uint8_t {
    changes,
    joins,  // the rows are what they were, in other files
};

// What a version says of itself.
struct VersionNote {
    struct Move {  // of a part of a stream, as its source counts
        std::string part;
        std::string from;
        std::string to;
    };
    std::string run_id;
    VersionKind kind = VersionKind::changes;
    std::vector<std::string> swept = {};  // loads that have lost files which no version named
    std::vector<Move> moves = {};         // for people
};

// A name for what one process writes, unlike all others: "20260102T030405Z-" and 14 digits, of which the first ones are
// of `stream`.
std::string make_load_id(const RunContext& run, const std::string& stream);
// The load that a file was written by, of its key; "" of files that are named otherwise.
std::string load_of_file(std::string_view key);

// Reads and writes the manifests of one table. One thread at a time.
class ManifestLog {
public:
    // `store` must outlive it.
    ManifestLog(ObjectStore& store, std::string table_folder);

    // Reads what is new since the last call. bad_data for a manifest that is broken, invalid_config for one of a
    // newer format.
    Result<void> refresh(RunContext& run);
    const TableState& state() const { return state_; }
    // The last version, of those read, that did more than to join files.
    uint64_t changed_at() const { return changed_at_; }
    // Whether one of the versions read says that files of this load were taken.
    bool is_swept(const std::string& load) const { return swept_.contains(load); }

    // Makes `next` the state, as version state().version + 1. conflict when another writer has made that version.
    Result<void> commit(RunContext& run, TableState next, const VersionNote& note);
    Result<void> commit(RunContext& run, TableState next, const std::string& run_id) {
        return commit(run, std::move(next), VersionNote{run_id});
    }

    // Removes what sinks have put into the folder and is in no manifest; what other tables or people have there stays.
    // First makes a version that names the loads: a writer that is still at work on such files then loses its commit
    // instead of its files. Uploads that were never finished go with them; where there is no such file, only those
    // older than a day, since nothing would stop a writer who is still at work on a younger one.
    Result<int64_t> sweep(RunContext& run, const std::string& run_id);
    // The same while others write the table: of files and uploads only those that are older.
    Result<int64_t> sweep_older(RunContext& run, const std::string& run_id, std::chrono::milliseconds age);
    // Removes retired files whose time has come, whoever else is at work. Returns how many.
    Result<int64_t> remove_retired(RunContext& run, const std::string& run_id);

private:
    std::string key_of(uint64_t version) const;
    Result<void> open(RunContext& run);
    Result<uint64_t> find_newest(RunContext& run, uint64_t known);
    Result<bool> apply_version(RunContext& run, uint64_t version);
    bool names(const std::string& key) const;
    struct Orphans {
        std::vector<std::string> keys;
        bool beside_others = false;  // tables, whose uploads look like those of this one
    };
    Result<Orphans> find_orphans(RunContext& run, Timestamp modified_before);
    Result<void> remove_orphans(RunContext& run, const std::vector<std::string>& keys, const std::string& run_id);
    Result<void> remove_unfinished(RunContext& run, Timestamp begun_before);

    ObjectStore& store_;
    const std::string folder_;
    TableState state_;
    uint64_t changed_at_ = 0;
    std::set<std::string> swept_;
};

}  // namespace shaduf
