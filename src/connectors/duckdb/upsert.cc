#include "connectors/duckdb/upsert.h"

#include <algorithm>

#include "base/text.h"
#include "data/system_columns.h"

namespace shaduf {
namespace {

constexpr const char* kNewRows = "temp._shaduf_new";
constexpr const char* kVersions = "temp._shaduf_versions";
// When a version begins that has no time.
constexpr const char* kNoTime = "TIMESTAMPTZ '1970-01-01 00:00:00+00'";

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

bool is_listed(const std::vector<std::string>& names, const std::string& name) {
    return std::any_of(names.begin(), names.end(),
                       [&](const auto& other) { return equals_ignoring_case(other, name); });
}

// What makes two versions differ: all but the key, the order and our own columns.
std::string content(const UpsertPlan& plan) {
    std::vector<std::string> names;
    for (const auto& field : plan.schema->fields()) {
        const bool own = field.name.starts_with("_shaduf_");
        if (!own && !is_listed(plan.key, field.name) && !equals_ignoring_case(field.name, plan.order_by)) {
            names.push_back(field.name);
        }
    }
    return names.empty() ? "0" : "row(" + column_list(names) + ")";
}

std::string loaded_at(const UpsertPlan& plan) {
    return plan.schema->index_of(kLoadedAtColumn) ? "coalesce(" + quote_identifier(kLoadedAtColumn) + ", now())"
                                                  : "now()";
}

bool is_ordered_by_time(const UpsertPlan& plan) {
    const auto at = plan.schema->index_of(plan.order_by);
    if (!at) return false;
    const TypeKind kind = (*plan.schema)[*at].type.kind();
    return kind == TypeKind::date || kind == TypeKind::timestamp || kind == TypeKind::timestamp_tz;
}

// When a new version begins to be valid.
std::string begin_of_version(const UpsertPlan& plan) {
    if (!is_ordered_by_time(plan)) return loaded_at(plan);
    return "coalesce(CAST(" + quote_identifier(plan.order_by) + " AS TIMESTAMPTZ), " + kNoTime + ")";
}

// Ordered by time, a version stands for all rows from valid_from to its own time, of which the first and the last are
// known: it is taken apart into these, so that a late row between them ends the one and comes before the other.
std::string first_rows(const UpsertPlan& plan) {
    const std::string order = "t." + quote_identifier(plan.order_by);
    const std::string type = duckdb_type_name((*plan.schema)[*plan.schema->index_of(plan.order_by)].type);
    const std::string first = "CAST(nullif(t.valid_from, " + std::string(kNoTime) + ") AS " + type + ")";
    std::string columns;
    for (const auto& name : plan.schema->names()) {
        if (!columns.empty()) columns += ", ";
        columns += equals_ignoring_case(name, plan.order_by) ? first : "t." + quote_identifier(name);
    }
    return " UNION ALL SELECT " + columns + ", t.valid_from, 0 FROM " + plan.table.quoted() + " t SEMI JOIN " +
           kNewRows + " n ON " + same_key(plan, "t", "n") + " WHERE " + order + " IS NOT NULL AND coalesce(" + first +
           " < " + order + ", true)";
}

// The versions of all keys concerned, old and new, with the time each begins and its arrival (0: is there).
std::string all_versions(const UpsertPlan& plan) {
    const bool by_time = is_ordered_by_time(plan);
    const std::string begin = by_time ? "greatest(t.valid_from, " + begin_of_version(plan) + ")" : "t.valid_from";
    return "SELECT " + column_list(plan.schema->names(), "t.") + ", " + begin +
           " AS _shaduf_begin, 0 AS _shaduf_seq FROM " + plan.table.quoted() + " t SEMI JOIN " + kNewRows + " n ON " +
           same_key(plan, "t", "n") + " UNION ALL SELECT " + column_list(plan.schema->names()) + ", " +
           begin_of_version(plan) + ", _shaduf_row + 1 FROM " + kNewRows + (by_time ? first_rows(plan) : "");
}

// With an order: a value of it stands for one version; time never runs backwards along it. Of rows alike the first
// makes the version; ordered by time, it gets the time of the last.
std::string versions_by_order(const UpsertPlan& plan) {
    const std::string columns = column_list(plan.schema->names());
    const std::string keys = column_list(plan.key);
    const std::string order = quote_identifier(plan.order_by);
    const std::string window = "(PARTITION BY " + keys + " ORDER BY " + order + " NULLS FIRST)";
    const std::string same = "(PARTITION BY " + keys + ", " + order;
    const std::string last = is_ordered_by_time(plan) ? "_shaduf_last" : order;
    return "WITH versions AS (" + all_versions(plan) + "), latest AS (SELECT " + columns +
           ", min(_shaduf_begin) OVER " + same + ") AS _shaduf_begin FROM versions QUALIFY row_number() OVER " + same +
           " ORDER BY _shaduf_seq DESC) = 1), compared AS (SELECT *, " + content(plan) + " IS DISTINCT FROM lag(" +
           content(plan) + ") OVER " + window + " OR row_number() OVER " + window +
           " = 1 AS _shaduf_is_new FROM latest), numbered AS (SELECT *, sum(CAST(_shaduf_is_new AS INTEGER)) OVER " +
           window + " AS _shaduf_number FROM compared), spanned AS (SELECT *, max(" + order + ") OVER (PARTITION BY " +
           keys + ", _shaduf_number) AS _shaduf_last FROM numbered), changed AS (SELECT * REPLACE (" + last + " AS " +
           order + ") FROM spanned WHERE _shaduf_is_new), dated AS (SELECT " + columns + ", max(_shaduf_begin) OVER " +
           window + " AS valid_from, row_number() OVER " + window + " AS _shaduf_position FROM changed) SELECT " +
           columns +
           ", valid_from, lead(valid_from) OVER w AS valid_to, lead(_shaduf_position) OVER w IS NULL AS is_current "
           "FROM dated "
           "WINDOW w AS (PARTITION BY " +
           keys + " ORDER BY _shaduf_position)";
}

// Without one: what is there comes first, then the new rows as they arrived, each at least a microsecond later.
std::string versions_by_arrival(const UpsertPlan& plan) {
    const std::string columns = column_list(plan.schema->names());
    const std::string keys = column_list(plan.key);
    const std::string window = "(PARTITION BY " + keys + " ORDER BY _shaduf_seq > 0, _shaduf_begin, _shaduf_seq)";
    return "WITH versions AS (" + all_versions(plan) + "), changed AS (SELECT " + columns +
           ", _shaduf_begin, _shaduf_seq FROM versions QUALIFY " + content(plan) + " IS DISTINCT FROM lag(" +
           content(plan) + ") OVER " + window + " OR row_number() OVER " + window + " = 1), dated AS (SELECT " +
           columns +
           ", CASE WHEN _shaduf_seq = 0 THEN _shaduf_begin ELSE greatest(_shaduf_begin, coalesce(max(CASE WHEN "
           "_shaduf_seq = 0 THEN _shaduf_begin END) OVER (PARTITION BY " +
           keys + ") + INTERVAL 1 MICROSECOND, _shaduf_begin)) + (row_number() OVER (PARTITION BY " + keys +
           ", _shaduf_seq > 0 ORDER BY _shaduf_seq) - 1) * INTERVAL 1 MICROSECOND END AS valid_from FROM changed) "
           "SELECT " +
           columns +
           ", valid_from, lead(valid_from) OVER w AS valid_to, lead(valid_from) OVER w IS NULL AS is_current FROM "
           "dated "
           "WINDOW w AS (PARTITION BY " +
           keys + " ORDER BY valid_from)";
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

const Schema& history_columns() {
    static const Schema columns({{"valid_from", TypeKind::timestamp_tz},
                                 {"valid_to", TypeKind::timestamp_tz},
                                 {"is_current", TypeKind::boolean}});
    return columns;
}

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
    TRY(connection.execute("CREATE OR REPLACE TEMP TABLE _shaduf_versions AS " +
                           (plan.order_by.empty() ? versions_by_arrival(plan) : versions_by_order(plan))));
    TRY(connection.execute("DELETE FROM " + plan.table.quoted() + " t USING " + kNewRows + " n WHERE " +
                           same_key(plan, "t", "n")));
    const std::string all = columns + ", valid_from, valid_to, is_current";
    TRY(connection.execute("INSERT INTO " + plan.table.quoted() + " (" + all + ") SELECT " + all + " FROM " +
                           kVersions));
    return {};
}

}  // namespace shaduf
