#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "connectors/connector.h"

namespace shaduf {

// Says by name how the rows of a load differ from those of the loads before: fields that came, that changed their type,
// that had no value any more. One thread at a time: the writer's.
class DriftReport {
public:
    // `table`: as it stood when the load began; nullopt: the load makes it, and nothing differs.
    void begin(const std::optional<Schema>& table) { table_ = table; }
    void see(const RecordBatch& rows);
    void see_ignored(const std::vector<std::string>& fields) { ignored_.insert(fields.begin(), fields.end()); }

    // "new field: country string", "changed field: ...". `reader` (may be null) tells whether a field that had no value
    // in this load ever had one; `quoted_table` is what it is asked about.
    Result<std::vector<std::string>> finish(RunContext& run, TableReader* reader,
                                            const std::string& quoted_table) const;

private:
    std::optional<Schema> table_;
    std::map<std::string, DataType> seen_;  // with a value in some row
    std::set<std::string> ignored_;         // that the contract left out
    SchemaPtr last_schema_;
    size_t rows_ = 0;
};

}  // namespace shaduf
