#include "connectors/duckdb/upsert.h"

#include <algorithm>

#include "base/text.h"
#include "connectors/keyed/versions.h"

namespace shaduf {
namespace {

constexpr const char* kNewRows = "temp._shaduf_new";
constexpr const char* kVersions = "temp._shaduf_versions";

std::string column_list(const std::vector<std::string>& names, std::string_view prefix = "") {
    std::string list;
    for (const auto& name : names) {
        if (!list.empty()) list += ", ";
        list += std::string(prefix) + quote_identifier(name);
    }
    return list;
}

std::string same_key(const UpsertPlan& plan, std::string_view a, std::string_view b) {
    std::string condition;
    for (const auto& name : plan.key) {
        const std::string column = "." + quote_identifier(name);
        if (!condition.empty()) condition += " AND ";
        condition += std::string(a) + column + " = " + std::string(b) + column;
    }
    return condition;
}

HistoryDialect history_dialect() {
    return {quote_identifier,
            [](const std::vector<std::string>& columns) { return "row(" + join(columns, ", ") + ")"; }};
}

// The rows whose numbers `sql` selects, in their order. What is dropped is usually little or nothing, so whole batches
// go through as they are.
Result<std::vector<RecordBatch>> select_rows(DuckDbConnection& connection, const std::string& sql,
                                             const SchemaPtr& schema, std::span<const RecordBatch> rows) {
    std::vector<int64_t> wanted;
    for (const auto& part : TRY(connection.query_over(sql, schema, rows))) {
        for (size_t i = 0; i < part.rows(); ++i) wanted.push_back(part.column(0).int64_at(i));
    }
    std::sort(wanted.begin(), wanted.end());
    std::vector<RecordBatch> selected;
    auto next = wanted.begin();
    int64_t first = 0;
    for (const auto& batch : rows) {
        const int64_t end = first + static_cast<int64_t>(batch.rows());
        std::vector<uint32_t> kept;
        for (; next != wanted.end() && *next < end; ++next) kept.push_back(static_cast<uint32_t>(*next - first));
        if (!kept.empty()) selected.push_back(kept.size() == batch.rows() ? batch : batch.take(kept));
        first = end;
    }
    return selected;
}

// The number of the row of a key that wins.
std::string winner(const UpsertPlan& plan) {
    if (plan.order_by.empty()) return "max(_shaduf_row)";
    const std::string order = quote_identifier(plan.order_by);
    return "max({'known': " + order + " IS NOT NULL, 'by': " + order + ", 'row': _shaduf_row}).row";
}

}  // namespace

Result<void> merge_rows(DuckDbConnection& connection, const UpsertPlan& plan, std::span<const RecordBatch> rows) {
    const std::string keys = column_list(plan.key);
    auto newest =
        TRY(select_rows(connection, "SELECT " + winner(plan) + " FROM $rows GROUP BY " + keys, plan.schema, rows));
    if (!plan.order_by.empty()) {
        const std::string order = "." + quote_identifier(plan.order_by);
        newest = TRY(select_rows(connection,
                                 "SELECT _shaduf_row FROM " + plan.table.quoted() + " t RIGHT JOIN $rows n ON " +
                                     same_key(plan, "t", "n") + " GROUP BY _shaduf_row HAVING coalesce(bool_and(t" +
                                     order + " IS NULL OR n" + order + " >= t" + order + "), false)",
                                 plan.schema, newest));
    }
    TRY(connection.execute_over(
        "DELETE FROM " + plan.table.quoted() + " t USING $rows n WHERE " + same_key(plan, "t", "n"), plan.schema,
        newest));
    TRY(connection.append(plan.table.quoted(), plan.schema, newest));
    return {};
}

Result<void> add_versions(DuckDbConnection& connection, const UpsertPlan& plan, std::span<const RecordBatch> rows) {
    const std::string columns = column_list(plan.schema->names());
    TRY(connection.execute_over(
        "CREATE OR REPLACE TEMP TABLE _shaduf_new AS SELECT " + columns + ", _shaduf_row FROM $rows", plan.schema,
        rows));
    HistoryQuery query{plan.table.quoted(), kNewRows, *plan.schema, plan.key, plan.order_by, ""};
    if (const auto order = plan.schema->index_of(plan.order_by)) {
        query.order_type = duckdb_type_name((*plan.schema)[*order].type);
    }
    TRY(connection.execute("CREATE OR REPLACE TEMP TABLE _shaduf_versions AS " +
                           history_versions_sql(query, history_dialect())));
    TRY(connection.execute("DELETE FROM " + plan.table.quoted() + " t USING " + kNewRows + " n WHERE " +
                           same_key(plan, "t", "n")));
    const std::string all = columns + ", valid_from, valid_to, is_current";
    TRY(connection.execute("INSERT INTO " + plan.table.quoted() + " (" + all + ") SELECT " + all + " FROM " +
                           kVersions));
    return {};
}

}  // namespace shaduf
