#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/files/manifest.h"
#include "connectors/files/partition.h"
#include "connectors/parts/checkpoint_parts.h"
#include "io/object_store.h"

namespace shaduf::files {

// Objects that tell when a folder of a time (a date, an hour) is closed: every part of the stream has passed its end by
// `lateness`. A commit says which markers are due, and they are put behind it; a later commit says that they were. So a
// process that dies between the two leaves markers that are put again behind the next commit, by whoever makes it. Rows
// that come later still go to their folder, and its marker is put anew. One thread at a time.
class CloseMarkers {
public:
    // `name` "": none are put.
    CloseMarkers(std::string name, std::chrono::milliseconds lateness, std::vector<PartitionLevel> levels,
                 std::string table_folder);

    // invalid_config: no level is of a time.
    Result<void> prepare(const Schema& schema);
    // Tells `next`, the state behind a commit that adds `added`, which markers are due.
    void mark(const TableState& before, const std::optional<Timestamp>& seen, std::span<const DataFile> added,
              TableState& next) const;
    // Puts those that are due in `state`, which is committed.
    Result<void> put(RunContext& run, ObjectStore& store, const TableState& state);
    // Whether some were put that no version knows of.
    bool has_put() const { return !put_.empty(); }
    void forget_put(TableState& next) const;

    // The folder of a key that a marker would lie in, and when its time ends. nullopt: it has none.
    struct Period {
        std::string folder;
        Timestamp end;
    };
    std::optional<Period> period_of(std::string_view key) const;

private:
    const std::string name_;
    const std::chrono::milliseconds lateness_;
    const std::vector<PartitionLevel> levels_;
    const std::string table_folder_;
    std::optional<size_t> time_level_;
    std::map<std::string, uint64_t> put_;  // and the version they were made of
};

}  // namespace shaduf::files
