#include "connectors/keyed/slices.h"

#include <algorithm>

#include "base/text.h"
#include "base/time.h"

namespace shaduf {
namespace {

// The stream's own columns: those by which rows are alike.
std::vector<std::string> own_columns(const SliceTables& tables, const SliceDialect& dialect) {
    std::vector<std::string> names;
    for (const Field& field : tables.schema.fields()) {
        if (field.name != kLoadedAtColumn && field.name != kRunIdColumn) names.push_back(dialect.quote(field.name));
    }
    return names;
}

std::string all_columns(const SliceTables& tables, const SliceDialect& dialect) {
    std::vector<std::string> names;
    for (const Field& field : tables.schema.fields()) names.push_back(dialect.quote(field.name));
    return join(names, ", ");
}

// The rows that `from` has and `other` has not, by their ids. Of rows that are alike the first are alike, the rest is
// more.
std::string surplus_sql(const std::string& name, const std::string& from, const std::string& other,
                        const std::vector<std::string>& columns, const SliceDialect& dialect) {
    std::string same = "o._shaduf_digest = n._shaduf_digest AND o._shaduf_copy = n._shaduf_copy";
    if (!dialect.digest_is_exact) {
        for (const std::string& column : columns) same += " AND o." + column + " IS NOT DISTINCT FROM n." + column;
    }
    return "CREATE TEMPORARY TABLE " + name + " AS SELECT o._shaduf_id FROM " + from +
           " o WHERE NOT EXISTS (SELECT 1 FROM " + other + " n WHERE " + same + ")";
}

// Rows with their id, digest, and their number among those of the same digest.
std::string numbered_sql(const std::string& table, const std::string& condition,
                         const std::vector<std::string>& columns, const SliceDialect& dialect) {
    const std::string digest = dialect.digest(columns);
    std::string sql = "(SELECT " + dialect.row_id + " AS _shaduf_id, " + digest +
                      " AS _shaduf_digest, row_number() OVER (PARTITION BY " + digest + ") AS _shaduf_copy";
    if (!dialect.digest_is_exact) sql += ", " + join(columns, ", ");
    return sql + " FROM " + table + (condition.empty() ? "" : " WHERE " + condition) + ")";
}

// What happened to a row `t` of the table that is gone.
std::string restatement_sql(const SliceTables& tables, const SliceDialect& dialect) {
    if (tables.key.empty()) return dialect.literal("replaced");
    std::string same;
    for (const std::string& name : tables.key) {
        const std::string column = dialect.quote(name);
        same += (same.empty() ? "" : " AND ") + ("s." + column) + " IS NOT DISTINCT FROM t." + column;
    }
    return "CASE WHEN EXISTS (SELECT 1 FROM " + tables.stage + " s WHERE " + same + ") THEN " +
           dialect.literal("changed") + " ELSE " + dialect.literal("removed") + " END";
}

std::string day_literal(int32_t day, const SliceDialect& dialect) {
    return "CAST(" + dialect.literal(format_date(day)) + " AS DATE)";
}

}  // namespace

const Schema& restatement_columns() {
    static const Schema columns({{std::string(kRestatedAtColumn), TypeKind::timestamp_tz},
                                 {std::string(kRestatedByColumn), TypeKind::string},
                                 {std::string(kRestatementColumn), TypeKind::string}});
    return columns;
}

std::string restatements_table(const std::string& table) { return table + "__restatements"; }

std::string forget_restatements_sql(const std::string& restatements, std::chrono::milliseconds kept) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(kept).count();
    return "DELETE FROM " + restatements + " WHERE " + std::string(kRestatedAtColumn) +
           " < CURRENT_TIMESTAMP - INTERVAL '" + std::to_string(seconds) + " seconds'";
}

std::string same_rejected(std::span<const RecordBatch> quarantined, const std::string& id) {
    std::string list;
    for (const RecordBatch& rows : quarantined) {
        const Column& ids = rows.column(0);
        for (size_t row = 0; row < rows.rows(); ++row) {
            list += list.empty() ? "'" : ", '";
            for (const char c : ids.text_at(row)) list += c == '\'' ? "''" : std::string(1, c);
            list += '\'';
        }
    }
    return id + " IN (" + (list.empty() ? "NULL" : list) + ")";
}

std::string slices_condition(std::span<const TableSlice> slices, const std::string& t, const SliceDialect& dialect) {
    const TableSlice& like = slices.front();
    std::string names = "(VALUES ";
    int32_t first_day = like.first_day;
    int32_t last_day = like.last_day;
    for (const TableSlice& slice : slices) {
        std::string row;
        for (const auto& [column, value] : slice.equal) row += (row.empty() ? "" : ", ") + dialect.literal(value);
        if (!like.day_column.empty())
            row += (row.empty() ? "" : ", ") + day_literal(slice.first_day, dialect) + ", " +
                   day_literal(slice.last_day, dialect);
        names += (&slice == &like ? "(" : ", (") + (row.empty() ? "1" : row) + ")";
        first_day = std::min(first_day, slice.first_day);
        last_day = std::max(last_day, slice.last_day);
    }
    std::vector<std::string> columns;
    std::string same;
    for (const auto& [column, value] : like.equal) {
        columns.push_back("v" + std::to_string(columns.size()));
        same += (same.empty() ? "" : " AND ") + t + "." + dialect.quote(column) + " = v." + columns.back();
    }
    std::string range;
    if (!like.day_column.empty()) {
        const std::string day = t + "." + dialect.quote(like.day_column);
        columns.insert(columns.end(), {"first_day", "last_day"});
        same += (same.empty() ? "" : " AND ") + day + " BETWEEN v.first_day AND v.last_day";
        range =
            day + " BETWEEN " + day_literal(first_day, dialect) + " AND " + day_literal(last_day, dialect) + " AND ";
    }
    if (columns.empty()) return "TRUE";
    return range + "EXISTS (SELECT 1 FROM " + names + ") AS v(" + join(columns, ", ") + ") WHERE " + same + ")";
}

std::vector<std::string> replace_slices_sql(const SliceTables& tables, std::span<const TableSlice> slices,
                                            const SliceDialect& dialect) {
    const auto columns = own_columns(tables, dialect);
    const std::string all = all_columns(tables, dialect);
    const std::string old_rows =
        numbered_sql(tables.table + " t", slices_condition(slices, "t", dialect), columns, dialect);
    const std::string new_rows = numbered_sql(tables.stage, "", columns, dialect);
    std::vector<std::string> statements;
    statements.push_back(surplus_sql(tables.gone, old_rows, new_rows, columns, dialect));
    statements.push_back(surplus_sql(tables.come, new_rows, old_rows, columns, dialect));
    const std::string is_gone = "t." + dialect.row_id + " IN (SELECT _shaduf_id FROM " + tables.gone + ")";
    if (!tables.restatements.empty()) {
        std::vector<std::string> names;
        for (const Field& field : restatement_columns().fields()) names.push_back(dialect.quote(field.name));
        statements.push_back("INSERT INTO " + tables.restatements + " (" + all + ", " + join(names, ", ") +
                             ") SELECT " + all + ", CURRENT_TIMESTAMP, " + dialect.literal(tables.run_id) + ", " +
                             restatement_sql(tables, dialect) + " FROM " + tables.table + " t WHERE " + is_gone);
    }
    statements.push_back("DELETE FROM " + tables.table + " AS t WHERE " + is_gone);
    statements.push_back("INSERT INTO " + tables.table + " (" + all + ") SELECT " + all + " FROM " + tables.stage +
                         " t WHERE t." + dialect.row_id + " IN (SELECT _shaduf_id FROM " + tables.come + ")");
    statements.push_back("DROP TABLE " + tables.gone);
    statements.push_back("DROP TABLE " + tables.come);
    return statements;
}

bool SliceSet::meets(const TableSlice& slice) const {
    const auto found = by_values_.find(slice.equal);
    if (found == by_values_.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(), [&](size_t i) {
        const TableSlice& other = slices_[i];
        return slice.day_column.empty() || (slice.first_day <= other.last_day && other.first_day <= slice.last_day);
    });
}

void SliceSet::add(const TableSlice& slice) {
    by_values_[slice.equal].push_back(slices_.size());
    slices_.push_back(slice);
}

}  // namespace shaduf
