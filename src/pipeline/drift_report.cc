#include "pipeline/drift_report.h"

#include <cmath>

#include "base/text.h"
#include "data/system_columns.h"
#include "io/duckdb.h"
#include "pipeline/contract.h"

namespace shaduf {
namespace {

// Fewer rows say little about a field that has no value.
constexpr size_t kRowsToMiss = 20;

// Whether so many rows in a row without a value are too many for a field that a `share` of rows has.
bool is_no_chance(double share, size_t rows) {
    constexpr double kLogOfChance = -13.8;  // of one in a million
    if (rows < kRowsToMiss) return false;
    return share >= 1 || static_cast<double>(rows) * std::log1p(-share) < kLogOfChance;
}

bool is_own(const std::string& name) { return name == kLoadedAtColumn || name == kRunIdColumn; }

}  // namespace

void DriftReport::see(const RecordBatch& rows) {
    for (size_t i = 0; i < rows.columns().size(); ++i) {
        const Field& field = (*rows.schema())[i];
        const size_t values = rows.rows() - rows.column(i).null_count;
        if (values == 0) continue;
        const auto [known, is_first] = seen_.emplace(field.name, Seen{field.type, 0, rows_, 0});
        Seen& seen = known->second;
        if (!is_first && seen.type != field.type) seen.type = widen(seen.type, field.type);
        seen.values += values;
        seen.end_row = rows_ + rows.rows();
    }
    rows_ += rows.rows();
}

// What changed within the rows of this load.
void DriftReport::add_changes_within(std::vector<std::string>& lines) const {
    for (const auto& [name, seen] : seen_) {
        if (is_own(name)) continue;
        const double share = static_cast<double>(seen.values) / static_cast<double>(seen.end_row - seen.first_row);
        if (!table_ && is_no_chance(share, seen.first_row))
            lines.push_back("new field: " + name + " " + seen.type.to_string() + ", from about row " +
                            format_count(static_cast<int64_t>(seen.first_row) + 1) + " of this load on");
        if (is_no_chance(share, rows_ - seen.end_row))
            lines.push_back("lost field: " + name + " has no value behind about row " +
                            format_count(static_cast<int64_t>(seen.end_row)) + " of this load");
    }
}

Result<std::vector<std::string>> DriftReport::finish(RunContext& run, TableReader* reader,
                                                     const std::vector<std::string>& before) const {
    std::vector<std::string> lines;
    for (const std::string& field : ignored_) lines.push_back("new field, left out by the contract: " + field);
    if (table_) {
        std::vector<Field> fields;
        for (const auto& [name, seen] : seen_) fields.push_back({name, seen.type});
        for (const std::string& difference : schema_difference(*table_, Schema(fields))) {
            const bool is_new = difference.starts_with('+');
            lines.push_back((is_new ? "new field: " : "changed field: ") + difference.substr(2));
        }
    }
    add_changes_within(lines);
    if (table_ && reader != nullptr && rows_ >= kRowsToMiss) TRY(add_lost(run, *reader, before, lines));
    return lines;
}

// Fields of the table without a value in this load.
Result<void> DriftReport::add_lost(RunContext& run, TableReader& reader, const std::vector<std::string>& before,
                                   std::vector<std::string>& lines) const {
    std::string counts;
    std::vector<std::string> names;
    for (const Field& field : table_->fields()) {
        if (is_own(field.name) || seen_.contains(field.name)) continue;
        counts += ", count(" + quote_identifier(field.name) + ")";
        names.push_back(field.name);
    }
    if (names.empty()) return {};
    std::vector<double> sums(names.size() + 1, 0);
    for (const std::string& from : before) {
        for (const RecordBatch& found : TRY(reader.query(run, "SELECT count(*)" + counts + " FROM " + from))) {
            for (size_t i = 0; i < sums.size() && found.rows() > 0; ++i)
                sums[i] += static_cast<double>(found.column(i).int64_at(0));
        }
    }
    for (size_t i = 0; i < names.size(); ++i) {
        if (sums[i + 1] > 0 && is_no_chance(sums[i + 1] / sums[0], rows_))
            lines.push_back("lost field: " + names[i] + " has no value in this load, and had in loads before");
    }
    return {};
}

}  // namespace shaduf
