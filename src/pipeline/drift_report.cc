#include "pipeline/drift_report.h"

#include "data/system_columns.h"
#include "io/duckdb.h"
#include "pipeline/contract.h"

namespace shaduf {
namespace {

// Fewer rows say little about a field that has no value.
constexpr size_t kRowsToMiss = 20;

bool is_own(const std::string& name) { return name == kLoadedAtColumn || name == kRunIdColumn; }

}  // namespace

void DriftReport::see(const RecordBatch& rows) {
    rows_ += rows.rows();
    if (!table_) return;
    for (size_t i = 0; i < rows.columns().size(); ++i) {
        const Field& field = (*rows.schema())[i];
        if (rows.column(i).null_count == rows.rows()) continue;
        const auto [known, is_first] = seen_.emplace(field.name, field.type);
        if (!is_first && known->second != field.type) known->second = widen(known->second, field.type);
    }
}

Result<std::vector<std::string>> DriftReport::finish(RunContext& run, TableReader* reader,
                                                     const std::string& quoted_table) const {
    std::vector<std::string> lines;
    for (const std::string& field : ignored_) lines.push_back("new field, left out by the contract: " + field);
    if (!table_) return lines;
    std::vector<Field> fields;
    for (const auto& [name, type] : seen_) fields.push_back({name, type});
    for (const std::string& difference : schema_difference(*table_, Schema(fields))) {
        const bool is_new = difference.starts_with('+');
        lines.push_back((is_new ? "new field: " : "changed field: ") + difference.substr(2));
    }
    if (reader == nullptr || rows_ < kRowsToMiss) return lines;
    std::string missing;
    std::vector<std::string> names;
    for (const Field& field : table_->fields()) {
        if (is_own(field.name) || seen_.contains(field.name)) continue;
        missing += (names.empty() ? "count(" : ", count(") + quote_identifier(field.name) + ")";
        names.push_back(field.name);
    }
    if (names.empty()) return lines;
    for (const RecordBatch& counts : TRY(reader->query(run, "SELECT " + missing + " FROM " + quoted_table))) {
        for (size_t i = 0; i < names.size() && counts.rows() > 0; ++i) {
            if (counts.column(i).int64_at(0) > 0)
                lines.push_back("lost field: " + names[i] + " has no value in this load, and had in loads before");
        }
    }
    return lines;
}

}  // namespace shaduf
