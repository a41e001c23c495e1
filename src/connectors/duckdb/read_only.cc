#include "connectors/duckdb/read_only.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"

namespace shaduf {
namespace {

using Json = nlohmann::json;

constexpr size_t kDepthMax = 200;

// Objects of the tree without a class: queries, what they read from, and how rows are ordered and cut.
constexpr std::string_view kTypes[] = {"SELECT_NODE",
                                       "SET_OPERATION_NODE",
                                       "RECURSIVE_CTE_NODE",
                                       "CTE_NODE",
                                       "BASE_TABLE",
                                       "JOIN",
                                       "SUBQUERY",
                                       "TABLE_FUNCTION",
                                       "EXPRESSION_LIST",
                                       "EMPTY",
                                       "PIVOT",
                                       "SHOW_REF",
                                       "LIMIT_MODIFIER",
                                       "LIMIT_PERCENT_MODIFIER",
                                       "ORDER_MODIFIER",
                                       "DISTINCT_MODIFIER",
                                       "ORDER_DEFAULT",
                                       "ASCENDING",
                                       "DESCENDING"};
constexpr std::string_view kClasses[] = {
    "COLUMN_REF", "CONSTANT", "FUNCTION", "OPERATOR", "COMPARISON", "CONJUNCTION", "CASE",       "CAST",
    "STAR",       "BETWEEN",  "COLLATE",  "SUBQUERY", "WINDOW",     "LAMBDA",      "LAMBDA_REF", "POSITIONAL_REFERENCE",
    "TYPE"};
constexpr std::string_view kTableFunctions[] = {"range",     "generate_series", "unnest",          "json_each",
                                                "json_tree", "repeat",          "histogram_values"};
// Those with effects that are none to others.
constexpr std::string_view kHarmless[] = {"random", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "error"};
// They tell settings, which may hold credentials, or plan what would not be allowed to run.
constexpr std::string_view kToldBySettings[] = {"current_setting", "getenv", "json_serialize_plan",
                                                "json_execute_serialized_sql", "which_secret"};
constexpr std::string_view kHiddenTables[] = {"pg_settings", "duckdb_settings", "duckdb_secrets", "duckdb_logs"};

template <typename List>
bool has(const List& list, std::string_view name) {
    return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

Error refuse(const std::string& what, const std::string& name) {
    return Error(ErrorKind::invalid_config, what + ": " + name + "; only SELECT over the warehouse's tables runs here");
}

std::string text_of(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string column_text(const std::vector<RecordBatch>& batches, size_t column, size_t row) {
    const Column& values = batches.front().column(column);
    return values.is_null(row) ? std::string() : std::string(values.text_at(row));
}

struct Used {
    struct Table {
        std::string catalog, schema, name;
    };
    std::vector<Table> tables;
    std::set<std::string> functions;
    std::set<std::string> ctes;
};

// Walks the tree; what is not known is refused.
class Walk {
public:
    explicit Walk(Used& used) : used_(used) {}

    Result<void> visit(const Json& value, size_t depth = 0) {
        if (depth > kDepthMax) return Error(ErrorKind::too_large, "the statement nests too deep");
        if (value.is_array()) {
            for (const Json& item : value) TRY(visit(item, depth + 1));
        }
        if (!value.is_object()) return {};
        const std::string kind = text_of(value, "class");
        const std::string type = text_of(value, "type");
        if (!kind.empty() && !has(kClasses, kind)) return refuse("is not allowed in a query", to_lower(kind));
        if (kind.empty() && !type.empty() && !has(kTypes, type)) return refuse("is not allowed in a query", type);
        if (kind == "CONSTANT") return {};
        if (kind == "FUNCTION" || kind == "WINDOW") used_.functions.insert(to_lower(text_of(value, "function_name")));
        if (kind.empty() && type == "BASE_TABLE") {
            used_.tables.push_back(
                {text_of(value, "catalog_name"), text_of(value, "schema_name"), text_of(value, "table_name")});
        }
        if (kind.empty() && type == "SHOW_REF" && !text_of(value, "table_name").empty()) {
            return refuse("is not allowed here", "SHOW " + text_of(value, "table_name"));
        }
        if (kind.empty() && type == "TABLE_FUNCTION") return visit_table_function(value, depth);
        for (const auto& [key, below] : value.items()) {
            if (key == "cte_map") TRY(take_ctes(below));
            TRY(visit(below, depth + 1));
        }
        return {};
    }

private:
    Result<void> visit_table_function(const Json& value, size_t depth) {
        const auto function = value.find("function");
        if (function == value.end() || !function->is_object()) return refuse("is not allowed in a query", "a function");
        const std::string name = to_lower(text_of(*function, "function_name"));
        if (!has(kTableFunctions, name) || !text_of(*function, "schema").empty()) {
            return refuse("function is not allowed in FROM", name);
        }
        return visit(function->value("children", Json::array()), depth + 1);
    }

    // A name in FROM that no table has could be a file's, so the names of WITH must not look like one.
    Result<void> take_ctes(const Json& map) {
        for (const Json& entry : map.value("map", Json::array())) {
            const std::string name = text_of(entry, "key");
            if (name.find_first_of("./\\:*?[]") != std::string::npos) return refuse("WITH cannot name", name);
            used_.ctes.insert(to_lower(name));
        }
        return {};
    }

    Used& used_;
};

Result<void> check_functions(DuckDbConnection& connection, const Used& used) {
    if (used.functions.empty()) return {};
    std::string names;
    for (const std::string& name : used.functions) {
        if (has(kToldBySettings, name)) return refuse("function is not allowed", name);
        names += (names.empty() ? "" : ", ") + quote_literal(name);
    }
    const auto found =
        TRY(connection.query("SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE has_side_effects AND "
                             "lower(function_name) IN (" +
                             names + ")"));
    for (const RecordBatch& batch : found) {
        for (size_t row = 0; row < batch.rows(); ++row) {
            const std::string name(batch.column(0).text_at(row));
            if (!has(kHarmless, name)) return refuse("function is not allowed, since it has effects", name);
        }
    }
    return {};
}

// Whether the name is one of the database's own, found along the search path.
Result<void> check_table(DuckDbConnection& connection, const Used::Table& table) {
    std::string name = table.name;
    if (!table.schema.empty()) name = table.schema + "." + name;
    if (!table.catalog.empty()) name = table.catalog + "." + name;
    if (has(kHiddenTables, to_lower(table.name))) return refuse("table is not readable here", name);
    const std::string same_name = "lower(table_name) = lower($1)";
    // A single qualifier may be a schema, or a database whose schema main is meant.
    const std::string where =
        table.schema.empty()
            ? "(table_schema = 'main' OR table_catalog = 'system')"
            : "(lower(table_schema) = lower($2) OR lower(table_catalog) = lower($2) AND table_schema = 'main')";
    const std::string in_catalog = table.catalog.empty() ? "" : " AND lower(table_catalog) = lower($3)";
    const std::string sql =
        "SELECT count(*) FROM (SELECT database_name AS table_catalog, schema_name AS table_schema, table_name FROM "
        "duckdb_tables() UNION ALL SELECT database_name, schema_name, view_name FROM duckdb_views()) WHERE " +
        same_name + " AND " + where + in_catalog;
    DuckDbValues values = {table.name};
    if (!table.schema.empty()) values.emplace_back(table.schema);
    if (!table.catalog.empty()) values.emplace_back(table.catalog);
    const auto count = TRY(connection.query(sql, values));
    if (count.front().column(0).int64_at(0) > 0) return {};
    return Error(ErrorKind::invalid_config, "table not found: " + name);
}

}  // namespace

Result<void> check_read_only(DuckDbConnection& connection, const std::string& sql) {
    if (sql.find('\0') != std::string::npos) return refuse("is not allowed in a query", "a zero byte");
    const auto serialized =
        TRY(connection.query("SELECT CAST(json_serialize_sql(" + quote_literal(sql) + ") AS VARCHAR)"));
    const Json tree = Json::parse(column_text(serialized, 0, 0), nullptr, false);
    if (!tree.is_object()) return Error(ErrorKind::internal, "the engine's tree of a statement cannot be read");
    if (tree.value("error", true)) {
        const std::string type = text_of(tree, "error_type");
        if (type == "syntax" || type == "parser")
            return Error(ErrorKind::invalid_config, text_of(tree, "error_message"));
        return refuse("statement is not allowed", "it is no SELECT");
    }
    const Json statements = tree.value("statements", Json::array());
    if (statements.size() != 1) {
        return refuse("one statement at a time", "there are " + std::to_string(statements.size()));
    }
    Used used;
    TRY(Walk(used).visit(statements.front().value("node", Json())));
    TRY(check_functions(connection, used));
    for (const Used::Table& table : used.tables) {
        if (table.schema.empty() && table.catalog.empty() && used.ctes.contains(to_lower(table.name))) continue;
        TRY(check_table(connection, table));
    }
    return {};
}

}  // namespace shaduf
