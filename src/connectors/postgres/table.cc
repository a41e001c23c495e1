#include "connectors/postgres/table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/text.h"
#include "connectors/postgres/numeric.h"

namespace shaduf {
namespace {

struct BuiltinType {
    uint32_t oid;
    WireType wire;
    TypeKind kind;
};

// Those that come in binary form. Source: pg_type.dat, whose numbers never change.
constexpr std::array kBuiltinTypes{
    BuiltinType{16, WireType::boolean, TypeKind::boolean},   // bool
    BuiltinType{17, WireType::bytes, TypeKind::bytes},       // bytea
    BuiltinType{19, WireType::text, TypeKind::string},       // name
    BuiltinType{20, WireType::int64, TypeKind::int64},       // int8
    BuiltinType{21, WireType::int16, TypeKind::int64},       // int2
    BuiltinType{23, WireType::int32, TypeKind::int64},       // int4
    BuiltinType{25, WireType::text, TypeKind::string},       // text
    BuiltinType{26, WireType::oid, TypeKind::int64},         // oid
    BuiltinType{114, WireType::text, TypeKind::json},        // json
    BuiltinType{700, WireType::float32, TypeKind::float64},  // float4
    BuiltinType{701, WireType::float64, TypeKind::float64},  // float8
    BuiltinType{1042, WireType::text, TypeKind::string},     // bpchar
    BuiltinType{1043, WireType::text, TypeKind::string},     // varchar
    BuiltinType{1082, WireType::date, TypeKind::date},       // date
    BuiltinType{1083, WireType::time, TypeKind::time},       // time
    BuiltinType{1114, WireType::timestamp, TypeKind::timestamp},
    BuiltinType{1184, WireType::timestamp, TypeKind::timestamp_tz},
    BuiltinType{1700, WireType::numeric, TypeKind::string},  // numeric without digits given
    BuiltinType{2950, WireType::uuid, TypeKind::uuid},       // uuid
    BuiltinType{3802, WireType::jsonb, TypeKind::json},      // jsonb
};
constexpr uint32_t kNumericOid = 1700;

// A type as the catalog has it.
struct TypeFacts {
    uint32_t oid = 0;
    int32_t modifier = -1;
    std::string sql_name;
    bool is_enumeration = false;
    uint32_t item = 0;  // of an array, else 0
    bool item_is_enumeration = false;
    int dimensions = 0;  // as declared, which binds nobody
};

// numeric(p, s) whose every value has a place in 38 digits. Ours has no scale below zero, as in numeric(5,-2), and none
// above the precision, as in numeric(3,5).
std::optional<DataType> decimal_type(int32_t modifier) {
    const auto limits = numeric_limits_of(modifier);
    if (!limits) return std::nullopt;
    const int scale = std::max(limits->scale, 0);
    const int precision = std::max(limits->precision - std::min(limits->scale, 0), scale);
    if (precision < 1 || precision > kDecimalDigitsMax) return std::nullopt;
    return DataType::decimal(precision, scale);
}

struct PlainType {
    WireType wire;
    DataType type;
};

// nullopt: the server must write it as text.
std::optional<PlainType> plain_type(uint32_t oid, int32_t modifier, bool is_enumeration) {
    if (is_enumeration) return PlainType{WireType::text, TypeKind::string};
    const auto found = std::find_if(kBuiltinTypes.begin(), kBuiltinTypes.end(),
                                    [&](const BuiltinType& type) { return type.oid == oid; });
    if (found == kBuiltinTypes.end()) return std::nullopt;
    if (oid == kNumericOid) {
        if (const auto decimal = decimal_type(modifier)) return PlainType{found->wire, *decimal};
    }
    return PlainType{found->wire, found->kind};
}

PostgresField make_field(std::string name, const TypeFacts& facts, bool as_text, bool unsure_encoding) {
    PostgresField field;
    field.name = std::move(name);
    field.sql_type = facts.sql_name;
    field.oid = facts.oid;
    field.modifier = facts.modifier;
    field.item = facts.item;
    const bool is_array = facts.item != 0 && !as_text;
    auto plain = is_array ? plain_type(facts.item, facts.modifier, facts.item_is_enumeration)
                          : plain_type(facts.oid, facts.modifier, facts.is_enumeration);
    field.is_cast = as_text || !plain;
    if (field.is_cast) plain = PlainType{WireType::text, TypeKind::string};
    field.wire.type = unsure_encoding && plain->wire == WireType::text ? WireType::unsure_text : plain->wire;
    field.type = plain->type;
    if (!is_array) return field;
    field.wire.dimensions = std::max(facts.dimensions, 1);
    for (int i = 0; i < field.wire.dimensions; ++i) field.type = DataType::list(field.type);
    return field;
}

template <typename T>
T number_in(const std::optional<std::string>& text) {
    T number{};
    if (text) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}

// Columns come as rows of `source` (relation, position, name, type, modifier, dimensions); domains as their base type.
std::string columns_sql(const std::string& source) {
    return "WITH RECURSIVE base(oid, base, modifier) AS (SELECT oid, oid, -1 FROM pg_catalog.pg_type WHERE typtype <> "
           "'d' UNION ALL SELECT d.oid, b.base, CASE WHEN d.typtypmod >= 0 THEN d.typtypmod ELSE b.modifier END FROM "
           "pg_catalog.pg_type d JOIN base b ON d.typbasetype = b.oid WHERE d.typtype = 'd') "
           "SELECT c.relation, c.name, t.oid, CASE WHEN c.modifier >= 0 THEN c.modifier ELSE b.modifier END, "
           "pg_catalog.format_type(c.type, c.modifier), t.typtype = 'e', CASE WHEN t.typcategory = 'A' AND t.typlen = "
           "-1 AND t.oid NOT IN (22, 30) THEN t.typelem ELSE 0 END, coalesce(i.typtype = 'e', false), c.dimensions "
           "FROM (" +
           source +
           ") c JOIN base b ON b.oid = c.type JOIN pg_catalog.pg_type t ON t.oid = b.base LEFT JOIN "
           "pg_catalog.pg_type i ON i.oid = t.typelem ORDER BY c.relation, c.position";
}

struct FoundColumn {
    uint32_t relation;
    std::string name;
    TypeFacts facts;
};

Result<std::vector<FoundColumn>> find_columns(PostgresConnection& connection, const std::string& source,
                                              const std::vector<std::string>& values) {
    const auto found = TRY(connection.query(columns_sql(source), values));
    std::vector<FoundColumn> columns;
    for (const auto& row : found.rows) {
        FoundColumn& column = columns.emplace_back();
        column.relation = number_in<uint32_t>(row[0]);
        column.name = row[1].value_or("");
        column.facts = {number_in<uint32_t>(row[2]), number_in<int32_t>(row[3]),
                        row[4].value_or(""),         row[5] == "t",
                        number_in<uint32_t>(row[6]), row[7] == "t",
                        number_in<int>(row[8])};
    }
    return columns;
}

std::string array_of(const std::vector<PostgresColumn>& columns, auto member) {
    std::string text = "{";
    for (const auto& column : columns) text += (text.size() > 1 ? "," : "") + std::to_string(column.*member);
    return text + "}";
}

std::string quote_array_item(const std::string& text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

// The columns of a statement's result.
Result<std::vector<FoundColumn>> columns_of(PostgresConnection& connection, const std::string& sql) {
    const auto described = TRY(connection.describe(sql));
    std::string names = "{";
    for (const auto& column : described) names += (names.size() > 1 ? "," : "") + quote_array_item(column.name);
    return find_columns(
        connection,
        "SELECT 0::oid AS relation, d.position, d.name, d.type, d.modifier, coalesce(a.attndims, 0) AS dimensions FROM "
        "unnest($1::text[], $2::oid[], $3::int4[], $4::oid[], $5::int2[]) WITH ORDINALITY AS d(name, type, modifier, "
        "source, number, position) LEFT JOIN pg_catalog.pg_attribute a "
        "ON a.attrelid = d.source AND a.attnum = d.number",
        {names + "}", array_of(described, &PostgresColumn::type), array_of(described, &PostgresColumn::modifier),
         array_of(described, &PostgresColumn::table), array_of(described, &PostgresColumn::number)});
}

struct TableName {
    std::string schema;  // may be empty
    std::string table;
};

TableName split_name(const std::string& name) {
    const auto dot = name.find('.');
    if (dot == std::string::npos) return {"", name};
    return {name.substr(0, dot), name.substr(dot + 1)};
}

Result<std::string> quote_stream(const PostgresStream& stream) {
    const TableName name = split_name(stream.table);
    return postgres_table(name.schema, name.table);
}

std::string without_semicolon(const std::string& query) {
    const auto end = query.find_last_not_of("; \r\n\t");
    return query.substr(0, end == std::string::npos ? 0 : end + 1);
}

// One whose order the server can go on in from a value that we give it back.
bool can_part(const PostgresField& field) {
    if (field.is_cast || field.wire.dimensions > 0) return false;
    switch (field.wire.type) {
        case WireType::int16:
        case WireType::int32:
        case WireType::int64:
        case WireType::oid:
        case WireType::numeric:
        case WireType::text:
        case WireType::uuid:
        case WireType::date:
        case WireType::timestamp: return field.type.kind() != TypeKind::json;
        default: return false;
    }
}

// The primary key holds for a table and its partitions, but not for tables that inherit from it.
constexpr std::string_view kKeySql =
    "SELECT c.oid, a.attname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid CROSS JOIN "
    "LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, position) JOIN pg_catalog.pg_attribute a ON "
    "a.attrelid = c.oid AND a.attnum = k.number WHERE i.indisprimary AND k.position <= i.indnkeyatts AND (c.relkind = "
    "'p' OR NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid))";

Result<void> find_key(PostgresConnection& connection, PostgresTable& table) {
    const auto found = TRY(connection.query(
        std::string(kKeySql) + " AND c.oid = pg_catalog.to_regclass($1) ORDER BY k.position", {table.quoted_name}));
    for (const auto& row : found.rows) {
        const auto index = table.index_of(row[1].value_or(""));
        if (!index || !can_part(table.fields[*index])) {
            table.key.clear();
            return {};
        }
        table.key.push_back(*index);
    }
    return {};
}

Result<void> check_names(const PostgresTable& table, const PostgresStream& stream) {
    if (table.fields.empty()) return Error(ErrorKind::invalid_config, "stream has no columns: " + stream.name);
    std::map<std::string, std::string> names;
    for (const auto& field : table.fields) {
        const auto [before, is_new] = names.emplace(to_lower(field.name), field.name);
        if (is_new) continue;
        return Error(ErrorKind::invalid_config, "two columns have one name: " + before->second + " and " + field.name +
                                                    "; give each its own in `query` (SELECT ... AS ...)");
    }
    for (const auto& name : stream.as_text) {
        if (names.contains(to_lower(name))) continue;
        const auto known = table.schema()->names();
        return Error(ErrorKind::invalid_config,
                     "column of `as_text` is not in the stream: " + name + did_you_mean(name, known));
    }
    return {};
}

bool is_listed(const std::vector<std::string>& names, const std::string& name) {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& listed) { return equals_ignoring_case(listed, name); });
}

// The GRANTs that let `user` read the table; those that it has need not be given.
Result<std::string> missing_grants(PostgresConnection& connection, const std::string& name) {
    const TableName table = split_name(name);
    const auto found = TRY(connection.query(
        "SELECT n.nspname, c.relname, pg_catalog.has_schema_privilege(n.oid, 'USAGE') FROM pg_catalog.pg_class c JOIN "
        "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = $1 AND ($2 = '' OR n.nspname = $2) AND "
        "c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY n.nspname = 'public' DESC LIMIT 1",
        {table.table, table.schema}));
    if (found.rows.empty()) return std::string();
    const auto& row = found.rows.front();
    const std::string role = TRY(postgres_identifier(connection.user()));
    const std::string schema = row[0].value_or("");
    std::string grants;
    if (row[2] != "t") grants = "GRANT USAGE ON SCHEMA " + TRY(postgres_identifier(schema)) + " TO " + role + "; ";
    return grants + "GRANT SELECT ON " + TRY(postgres_table(schema, row[1].value_or(""))) + " TO " + role;
}

// Years before the first are our -0043 and the server's 0044 BC.
std::string in_years_of_server(std::string text) {
    const bool has_sign = text.starts_with('-');
    const auto end = text.find('-', has_sign ? 1 : 0);
    if (end == std::string::npos || (!has_sign && text.substr(0, end) != "0000")) return text;
    int year = 0;
    std::from_chars(text.data(), text.data() + end, year);
    const std::string before = std::to_string(1 - year);
    return std::string(before.size() < 4 ? 4 - before.size() : 0, '0') + before + text.substr(end) + " BC";
}

}  // namespace

std::string PostgresField::literal(const std::string& text) const {
    const bool has_years = !is_cast && (wire.type == WireType::date || wire.type == WireType::timestamp);
    return "CAST(" + postgres_literal(has_years ? in_years_of_server(text) : text) + " AS " + sql_type + ")";
}

SchemaPtr PostgresTable::schema() const {
    std::vector<Field> columns;
    for (const auto& field : fields) columns.push_back({field.name, field.type});
    return std::make_shared<const Schema>(std::move(columns));
}

std::vector<CopyColumn> PostgresTable::wire() const {
    std::vector<CopyColumn> columns;
    for (const auto& field : fields) columns.push_back(field.wire);
    return columns;
}

std::optional<size_t> PostgresTable::index_of(std::string_view name) const {
    for (size_t i = 0; i < fields.size(); ++i) {
        if (equals_ignoring_case(fields[i].name, name)) return i;
    }
    return std::nullopt;
}

Result<std::string> PostgresTable::copy_sql(const std::string& condition, const std::string& order) const {
    std::string sql;
    for (const auto& field : fields) {
        sql += sql.empty() ? "COPY (SELECT " : ", ";
        sql += TRY(postgres_identifier(field.name));
        if (field.is_cast) sql += field.wire.dimensions > 0 ? "::text[]" : "::text";
    }
    sql += " FROM (" + base + "\n) AS stream";
    if (!condition.empty()) sql += " WHERE " + condition;
    if (!order.empty()) sql += " ORDER BY " + order;
    return sql + ") TO STDOUT (FORMAT binary)";
}

Result<PostgresTable> describe_postgres_stream(PostgresConnection& connection, const PostgresStream& stream) {
    PostgresTable table;
    const bool is_query = !stream.query.empty();
    table.quoted_name = is_query ? "" : TRY(quote_stream(stream));
    table.base = is_query ? without_semicolon(stream.query) : "SELECT * FROM " + table.quoted_name;
    auto columns = columns_of(connection, table.base);
    if (!columns.ok()) return explain_postgres_error(connection, stream, columns.error());
    const bool unsure_encoding = connection.server_encoding() == "SQL_ASCII";
    for (auto& [relation, name, facts] : columns.value()) {
        const bool as_text = is_listed(stream.as_text, name);
        table.fields.push_back(make_field(std::move(name), facts, as_text, unsure_encoding));
    }
    TRY(check_names(table, stream));
    if (!is_query && stream.resumes) TRY(find_key(connection, table));
    return table;
}

Result<std::vector<PostgresField>> describe_postgres_columns(PostgresConnection& connection, const std::string& sql) {
    std::vector<PostgresField> fields;
    const bool unsure_encoding = connection.server_encoding() == "SQL_ASCII";
    for (auto& [relation, name, facts] : TRY(columns_of(connection, sql))) {
        fields.push_back(make_field(std::move(name), facts, false, unsure_encoding));
    }
    return fields;
}

Error explain_postgres_error(PostgresConnection& connection, const PostgresStream& stream, const Error& error) {
    const bool is_query = !stream.query.empty();
    const std::string state = connection.sqlstate();
    if (state == "42501" && !is_query && !connection.is_lost()) {
        const auto grants = missing_grants(connection, stream.table);
        if (grants.ok() && !grants.value().empty()) {
            return Error(error.kind(), error.message() + "; let the owner run: " + grants.value());
        }
    }
    if (error.kind() == ErrorKind::invalid_config && is_query) return error.at(stream.query_place);
    return error;
}

Result<std::vector<StreamInfo>> discover_postgres(PostgresConnection& connection) {
    constexpr std::string_view kRelations =
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', "
        "'p', 'v', 'm', 'f') AND NOT c.relispartition AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE "
        "'pg\\_%' AND c.relname NOT LIKE '\\_shaduf\\_%'";
    const auto relations = TRY(connection.query("SELECT c.oid, n.nspname, c.relname" + std::string(kRelations) +
                                                " ORDER BY n.nspname, c.relname"));
    const auto keys = TRY(connection.query(std::string(kKeySql) + " ORDER BY c.oid, k.position"));
    const auto columns = TRY(find_columns(
        connection,
        "SELECT c.oid AS relation, a.attnum AS position, a.attname AS name, a.atttypid AS type, a.atttypmod AS "
        "modifier, a.attndims AS dimensions FROM pg_catalog.pg_attribute a JOIN (SELECT c.oid" +
            std::string(kRelations) + ") c ON c.oid = a.attrelid WHERE a.attnum > 0 AND NOT a.attisdropped",
        {}));
    std::map<uint32_t, std::vector<Field>> fields;
    for (const auto& [relation, name, facts] : columns) {
        fields[relation].push_back({name, make_field(name, facts, false, false).type});
    }
    std::map<uint32_t, std::vector<std::string>> key_columns;
    for (const auto& row : keys.rows) key_columns[number_in<uint32_t>(row[0])].push_back(row[1].value_or(""));
    std::vector<StreamInfo> streams;
    for (const auto& row : relations.rows) {
        const auto relation = number_in<uint32_t>(row[0]);
        StreamInfo& info = streams.emplace_back();
        const std::string table = row[2].value_or("");
        const bool is_plain = row[1] == "public" && table.find('.') == std::string::npos;
        info.name = is_plain ? table : row[1].value_or("") + "." + table;
        info.schema = Schema(std::move(fields[relation]));
        info.key = std::move(key_columns[relation]);
        info.modes = {ReadMode::full_refresh, ReadMode::incremental};
    }
    return streams;
}

}  // namespace shaduf
