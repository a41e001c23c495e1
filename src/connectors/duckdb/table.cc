#include "connectors/duckdb/table.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "connectors/duckdb/bookkeeping.h"

namespace shaduf {
namespace {

// The type names of the table's columns in their order, as the engine writes them.
Result<std::vector<std::string>> read_type_names(DuckDbConnection& connection, const TableName& name) {
    std::vector<std::string> names;
    const auto rows = TRY(connection.query(
        "SELECT data_type FROM duckdb_columns() WHERE database_name = current_database() AND lower(schema_name) = "
        "lower(?::VARCHAR) AND lower(table_name) = lower(?::VARCHAR) ORDER BY column_index",
        {name.schema, name.table}));
    for (const auto& batch : rows) {
        for (size_t row = 0; row < batch.rows(); ++row) names.push_back(format_value(batch.column(0), row));
    }
    return names;
}

bool is_narrow_number(std::string_view type_name) {
    constexpr std::array<std::string_view, 7> kNarrow{"TINYINT",   "SMALLINT", "INTEGER", "UTINYINT",
                                                      "USMALLINT", "UINTEGER", "FLOAT"};
    return std::find(kNarrow.begin(), kNarrow.end(), type_name) != kNarrow.end();
}

Error in_the_way(const TableName& name, const std::string& column, const Error& cause) {
    return Error(cause.kind() == ErrorKind::internal ? ErrorKind::invalid_config : cause.kind(),
                 "cannot change column " + column + " of " + name.quoted() +
                     "; change the table by hand, or set `contract: freeze`")
        .caused_by(cause);
}

Result<void> alter(DuckDbConnection& connection, const TableName& name, const std::string& column,
                   const std::string& change) {
    auto done = connection.execute("ALTER TABLE " + name.quoted() + " " + change);
    if (!done.ok()) return in_the_way(name, column, done.error());
    return {};
}

std::string widen_structure_sql(const std::string& expression, const DataType& from, const DataType& to) {
    std::string fields;
    for (const auto& field : to.children()) {
        if (!fields.empty()) fields += ", ";
        const auto& old = from.children();
        const auto found = std::find_if(old.begin(), old.end(), [&](const Field& f) { return f.name == field.name; });
        const std::string value =
            found == old.end() ? "NULL::" + duckdb_type_name(field.type)
                               : widen_sql("struct_extract(" + expression + ", " + quote_literal(field.name) + ")",
                                           found->type, field.type);
        fields += quote_identifier(field.name) + " := " + value;
    }
    return "CASE WHEN " + expression + " IS NULL THEN NULL ELSE struct_pack(" + fields + ") END";
}

}  // namespace

std::string widen_sql(const std::string& expression, const DataType& from, const DataType& to) {
    if (from == to) return expression;
    if (from.kind() == to.kind() && from.kind() == TypeKind::structure)
        return widen_structure_sql(expression, from, to);
    if (from.kind() == to.kind() && from.kind() == TypeKind::list) {
        // The name must differ from that of an outer list.
        const std::string item = "item" + std::to_string(expression.size());
        return "list_transform(" + expression + ", lambda " + item + ": " +
               widen_sql(item, from.children()[0].type, to.children()[0].type) + ")";
    }
    if (to.kind() == TypeKind::json) return "to_json(" + expression + ")";
    const std::string text = "CAST(" + expression + " AS VARCHAR)";
    if (to.kind() == TypeKind::string && from.kind() == TypeKind::timestamp) return "replace(" + text + ", ' ', 'T')";
    if (to.kind() == TypeKind::string && from.kind() == TypeKind::timestamp_tz) {
        return "replace(replace(" + text + ", ' ', 'T'), '+00', 'Z')";
    }
    if (to.kind() == TypeKind::string && from.kind() == TypeKind::bytes)
        return "'\\x' || lower(hex(" + expression + "))";
    return "CAST(" + expression + " AS " + duckdb_type_name(to) + ")";
}

Result<std::optional<Schema>> read_table_schema(DuckDbConnection& connection, const TableName& name) {
    if (!TRY(has_table(connection, name.schema, name.table))) return std::optional<Schema>();
    return std::optional<Schema>(*TRY(connection.describe("SELECT * FROM " + name.quoted())));
}

Result<void> create_table(DuckDbConnection& connection, const TableName& name, const Schema& schema) {
    std::string columns;
    for (const auto& field : schema.fields()) {
        if (!columns.empty()) columns += ", ";
        columns += quote_identifier(field.name) + " " + duckdb_type_name(field.type);
    }
    TRY(connection.execute("CREATE TABLE " + name.quoted() + " (" + columns + ")"));
    return {};
}

Result<void> evolve_table(DuckDbConnection& connection, const TableName& name, const Schema& wanted) {
    const auto present = TRY(read_table_schema(connection, name));
    const auto type_names = TRY(read_type_names(connection, name));
    for (const auto& field : wanted.fields()) {
        const std::string column = quote_identifier(field.name);
        const auto at = present->index_of(field.name);
        if (!at) {
            TRY(alter(connection, name, column, "ADD COLUMN " + column + " " + duckdb_type_name(field.type)));
            continue;
        }
        const DataType& old = (*present)[*at].type;
        if (old == field.type && !is_narrow_number(type_names[*at])) continue;
        if (old != field.type && fits(field.type, old)) continue;
        if (!fits(old, field.type)) {
            return Error(ErrorKind::invalid_config, "column " + column + " of " + name.quoted() + " is " +
                                                        old.to_string() + ", the stream has " + field.type.to_string() +
                                                        "; declare the column's type, or set `contract: freeze`");
        }
        const std::string value = old == field.type ? "CAST(" + column + " AS " + duckdb_type_name(field.type) + ")"
                                                    : widen_sql(column, old, field.type);
        TRY(alter(connection, name, column,
                  "ALTER COLUMN " + column + " SET DATA TYPE " + duckdb_type_name(field.type) + " USING " + value));
    }
    return {};
}

}  // namespace shaduf
