#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "connectors/connector.h"

namespace shaduf {

// Says by name how rows changed their form: fields that the loads before did not have, or of another type; fields that
// had values before, in the table or earlier in this load, and then no more; fields that began to come in the middle of
// the load that makes the table. A field that is rarely there counts as lost, or as new, only after so many rows
// without a value that chance is no likely cause (one in a million). One thread at a time: the writer's.
class DriftReport {
public:
    // `table`: as it stood when the load began; nullopt: the load makes it, and nothing differs.
    void begin(const std::optional<Schema>& table) { table_ = table; }
    void see(const RecordBatch& rows);
    void see_ignored(const std::vector<std::string>& fields) { ignored_.insert(fields.begin(), fields.end()); }

    // "new field: country string", "changed field: ...", "lost field: ...". `reader` (may be null) tells whether a
    // field that had no value in this load ever had one: `before` are the FROM clauses
    // of what the table held before the load.
    Result<std::vector<std::string>> finish(RunContext& run, TableReader* reader,
                                            const std::vector<std::string>& before) const;

private:
    void add_changes_within(std::vector<std::string>& lines) const;
    Result<void> add_lost(RunContext& run, TableReader& reader, const std::vector<std::string>& before,
                          std::vector<std::string>& lines) const;

    struct Seen {
        DataType type;
        size_t values = 0;
        size_t first_row = 0;  // of the batch with its first value
        size_t end_row = 0;    // behind the batch with its last one
    };

    std::optional<Schema> table_;
    std::map<std::string, Seen> seen_;  // with a value in some row
    std::set<std::string> ignored_;     // that the contract left out
    size_t rows_ = 0;
};

}  // namespace shaduf
