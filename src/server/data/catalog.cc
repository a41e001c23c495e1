#include "server/data/catalog.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace shaduf::server {
namespace {

constexpr std::string_view kOwnPrefix = "_shaduf_";
constexpr size_t kTopValues = 5;
constexpr size_t kTextShown = 200;

std::string cell(const RecordBatch& batch, size_t column, size_t row) {
    return batch.column(column).is_null(row) ? "" : format_value(batch.column(column), row);
}

std::optional<int64_t> integer(const std::string& text) {
    int64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<double> number(const std::string& text) {
    double value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || parsed.ec != std::errc{} || !std::isfinite(value)) return std::nullopt;
    return value;
}

std::string tables_sql(bool is_duckdb, const std::string& schema, const std::string& name) {
    std::string sql =
        is_duckdb
            ? "SELECT * FROM (SELECT schema_name AS s, table_name AS n, 'table' AS k, estimated_size AS r, NULL AS b, "
              "column_count AS c, comment AS t FROM duckdb_tables WHERE NOT internal AND NOT temporary AND "
              "database_name = current_database() UNION ALL SELECT schema_name, view_name, 'view', NULL, NULL, "
              "column_count, comment FROM duckdb_views WHERE NOT internal AND NOT temporary AND database_name = "
              "current_database()) AS x"
            : "SELECT * FROM (SELECT n.nspname AS s, c.relname AS n, CASE WHEN c.relkind IN ('v', 'm') THEN 'view' "
              "ELSE "
              "'table' END AS k, CASE WHEN c.relkind <> 'v' AND c.reltuples >= 0 THEN c.reltuples::bigint END AS r, "
              "CASE "
              "WHEN c.relkind <> 'v' THEN pg_total_relation_size(c.oid) END AS b, (SELECT count(*) FROM pg_attribute a "
              "WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS c, obj_description(c.oid, "
              "'pg_class') AS t FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', "
              "'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE "
              "'pg\\_t%') AS x";
    std::string where;
    if (!schema.empty()) where += " AND s = " + Warehouse::literal(schema);
    if (!name.empty()) where += " AND n = " + Warehouse::literal(name);
    if (!where.empty()) sql += " WHERE true" + where;
    return sql + " ORDER BY 1, 2";
}

std::string table_text(const CatalogTable& table) {
    return Warehouse::identifier(table.schema) + "." + Warehouse::identifier(table.name);
}

bool is_number(const std::string& type) {
    const std::string lower = to_lower(type);
    for (const char* name : {"int", "decimal", "numeric", "double", "float", "real", "hugeint"}) {
        if (lower.find(name) != std::string::npos && lower.find('[') == std::string::npos &&
            !lower.starts_with("struct") && !lower.starts_with("interval") && !lower.starts_with("point")) {
            return true;
        }
    }
    return false;
}

// Values without an order, or that cannot be told apart: only their nulls are counted.
bool is_opaque(const std::string& type) {
    const std::string lower = to_lower(type);
    for (const char* name :
         {"json", "xml", "blob", "bytea", "struct", "map", "[", "array", "point", "union", "geometry"}) {
        if (lower.find(name) != std::string::npos) return true;
    }
    return false;
}

std::string counts_sql(const CatalogTable& table, const std::vector<CatalogColumn>& columns, bool is_duckdb) {
    std::string sql = "SELECT count(*)";
    const std::string text = is_duckdb ? "VARCHAR" : "text";
    for (const CatalogColumn& column : columns) {
        const std::string name = Warehouse::identifier(column.name);
        sql += ", count(" + name + ")";
        if (is_opaque(column.type)) {
            sql += ", NULL, NULL, NULL, NULL";
            continue;
        }
        const bool has_order = to_lower(column.type) != "boolean" && to_lower(column.type) != "uuid";
        sql += is_duckdb ? ", approx_count_distinct(" + name + ")" : ", count(DISTINCT " + name + ")";
        sql += has_order || is_duckdb
                   ? ", CAST(min(" + name + ") AS " + text + "), CAST(max(" + name + ") AS " + text + ")"
                   : ", NULL, NULL";
        sql += is_number(column.type) ? ", avg(CAST(" + name + " AS DOUBLE PRECISION))" : ", NULL";
    }
    return sql + " FROM " + table_text(table);
}

Result<void> add_top(RunContext& run, Warehouse& warehouse, const CatalogTable& table, ColumnProfile& profile,
                     bool is_duckdb) {
    const std::string name = Warehouse::identifier(profile.name);
    const std::string text = is_duckdb ? "VARCHAR" : "text";
    Warehouse::Limits limits;
    limits.rows_max = kTopValues;
    const auto found =
        TRY(warehouse.read(run,
                           "SELECT left(CAST(" + name + " AS " + text + "), " + std::to_string(kTextShown) +
                               ") AS v, count(*) AS c FROM " + table_text(table) + " WHERE " + name +
                               " IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT " + std::to_string(kTopValues),
                           limits));
    for (const RecordBatch& batch : found.batches) {
        for (size_t row = 0; row < batch.rows(); ++row) {
            profile.top.emplace_back(cell(batch, 0, row), integer(cell(batch, 1, row)).value_or(0));
        }
    }
    return {};
}

Result<void> add_histogram(RunContext& run, Warehouse& warehouse, const CatalogTable& table, ColumnProfile& profile) {
    const auto min = number(profile.min), max = number(profile.max);
    if (!min || !max || *max <= *min) return {};
    const std::string name = "CAST(" + Warehouse::identifier(profile.name) + " AS DOUBLE PRECISION)";
    const std::string low = "CAST(" + Warehouse::literal(profile.min) + " AS DOUBLE PRECISION)";
    const std::string width = "(CAST(" + Warehouse::literal(profile.max) + " AS DOUBLE PRECISION) - " + low + ")";
    const std::string bins = std::to_string(kHistogramBins);
    const auto found =
        TRY(warehouse.read(run,
                           "SELECT least(" + std::to_string(kHistogramBins - 1) + ", CAST(floor((" + name + " - " +
                               low + ") / " + width + " * " + bins + ") AS BIGINT)) AS bin, count(*) AS c FROM " +
                               table_text(table) + " WHERE " + name + " IS NOT NULL GROUP BY 1",
                           {}));
    profile.histogram.assign(kHistogramBins, 0);
    for (const RecordBatch& batch : found.batches) {
        for (size_t row = 0; row < batch.rows(); ++row) {
            const auto bin = integer(cell(batch, 0, row));
            if (!bin || *bin < 0 || *bin >= kHistogramBins) continue;
            profile.histogram[static_cast<size_t>(*bin)] = integer(cell(batch, 1, row)).value_or(0);
        }
    }
    return {};
}

}  // namespace

Result<std::vector<CatalogTable>> list_tables(RunContext& run, Warehouse& warehouse, const std::string& schema,
                                              const std::string& name) {
    Warehouse::Limits limits;
    limits.rows_max = 100'000;
    const auto found = TRY(warehouse.read(run, tables_sql(warehouse.type() == "duckdb", schema, name), limits));
    std::vector<CatalogTable> tables;
    for (const RecordBatch& batch : found.batches) {
        for (size_t row = 0; row < batch.rows(); ++row) {
            CatalogTable table{cell(batch, 0, row), cell(batch, 1, row), cell(batch, 2, row)};
            if (table.name.starts_with(kOwnPrefix)) continue;
            table.rows = integer(cell(batch, 3, row));
            table.bytes = integer(cell(batch, 4, row));
            table.columns = integer(cell(batch, 5, row)).value_or(0);
            table.comment = cell(batch, 6, row);
            tables.push_back(std::move(table));
        }
    }
    return tables;
}

Result<std::vector<CatalogColumn>> list_columns(RunContext& run, Warehouse& warehouse, const CatalogTable& table) {
    Warehouse::Limits limits;
    limits.rows_max = 100'000;
    const std::string where =
        " = " + Warehouse::literal(table.schema) + " AND table_name = " + Warehouse::literal(table.name);
    const std::string sql =
        warehouse.type() == "duckdb"
            ? "SELECT column_name, data_type, CASE WHEN is_nullable THEN 1 ELSE 0 END, comment FROM duckdb_columns "
              "WHERE "
              "database_name = current_database() AND schema_name" +
                  where + " ORDER BY column_index"
            : "SELECT column_name::text, data_type::text, CASE WHEN is_nullable = 'YES' THEN 1 ELSE 0 END, "
              "col_description((quote_ident(table_schema) || '.' || quote_ident(table_name))::regclass, "
              "ordinal_position::int) FROM information_schema.columns WHERE table_schema" +
                  where + " ORDER BY ordinal_position";
    const auto found = TRY(warehouse.read(run, sql, limits));
    std::vector<CatalogColumn> columns;
    for (const RecordBatch& batch : found.batches) {
        for (size_t row = 0; row < batch.rows(); ++row) {
            columns.push_back(
                {cell(batch, 0, row), cell(batch, 1, row), cell(batch, 2, row) == "1", cell(batch, 3, row)});
        }
    }
    return columns;
}

Result<TableProfile> profile_table(RunContext& run, Warehouse& warehouse, const CatalogTable& table,
                                   const std::vector<CatalogColumn>& columns) {
    const bool is_duckdb = warehouse.type() == "duckdb";
    const auto counted = TRY(warehouse.read(run, counts_sql(table, columns, is_duckdb), {}));
    if (counted.rows != 1)
        return Error(ErrorKind::internal, "counting gave no row: " + table.schema + "." + table.name);
    const RecordBatch& row = counted.batches.front();
    TableProfile profile;
    profile.rows = integer(cell(row, 0, 0)).value_or(0);
    for (size_t i = 0; i < columns.size(); ++i) {
        const size_t at = 1 + i * 5;
        ColumnProfile column;
        column.name = columns[i].name;
        column.nulls = profile.rows - integer(cell(row, at, 0)).value_or(0);
        column.distinct = integer(cell(row, at + 1, 0)).value_or(0);
        column.min = cell(row, at + 2, 0).substr(0, kTextShown);
        column.max = cell(row, at + 3, 0).substr(0, kTextShown);
        column.mean = number(cell(row, at + 4, 0));
        if (!is_opaque(columns[i].type)) {
            TRY(add_top(run, warehouse, table, column, is_duckdb));
            if (is_number(columns[i].type)) TRY(add_histogram(run, warehouse, table, column));
        }
        profile.columns.push_back(std::move(column));
    }
    return profile;
}

}  // namespace shaduf::server
