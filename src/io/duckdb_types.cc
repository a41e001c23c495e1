#include <duckdb.h>

#include "base/assert.h"
#include "io/duckdb.h"
#include "io/duckdb_internal.h"

namespace shaduf {
namespace {

constexpr int kDigitsOfUbigint = 20;

struct LogicalType {
    duckdb_logical_type handle;
    ~LogicalType() { duckdb_destroy_logical_type(&handle); }
};

std::optional<DataType> structure_of(duckdb_logical_type type) {
    std::vector<Field> fields;
    for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        const LogicalType child{duckdb_struct_type_child_type(type, i)};
        const auto mapped = type_of_logical(child.handle);
        if (!mapped) return std::nullopt;
        char* name = duckdb_struct_type_child_name(type, i);
        fields.push_back({name, *mapped});
        duckdb_free(name);
    }
    return DataType::structure(std::move(fields));
}

std::optional<DataType> list_of(duckdb_logical_type item) {
    const LogicalType owned{item};
    const auto mapped = type_of_logical(owned.handle);
    if (!mapped) return std::nullopt;
    return DataType::list(*mapped);
}

bool has_alias(duckdb_logical_type type, std::string_view wanted) {
    char* alias = duckdb_logical_type_get_alias(type);
    const bool same = alias != nullptr && alias == wanted;
    duckdb_free(alias);
    return same;
}

duckdb_type plain_type(TypeKind kind) {
    switch (kind) {
        case TypeKind::boolean: return DUCKDB_TYPE_BOOLEAN;
        case TypeKind::int64: return DUCKDB_TYPE_BIGINT;
        case TypeKind::float64: return DUCKDB_TYPE_DOUBLE;
        case TypeKind::bytes: return DUCKDB_TYPE_BLOB;
        case TypeKind::uuid: return DUCKDB_TYPE_UUID;
        case TypeKind::date: return DUCKDB_TYPE_DATE;
        case TypeKind::time: return DUCKDB_TYPE_TIME;
        case TypeKind::timestamp: return DUCKDB_TYPE_TIMESTAMP;
        case TypeKind::timestamp_tz: return DUCKDB_TYPE_TIMESTAMP_TZ;
        default: return DUCKDB_TYPE_VARCHAR;
    }
}

duckdb_logical_type logical_structure(const DataType& type) {
    std::vector<duckdb_logical_type> types;
    std::vector<const char*> names;
    for (const auto& field : type.children()) {
        types.push_back(logical_of_type(field.type));
        names.push_back(field.name.c_str());
    }
    duckdb_logical_type structure = duckdb_create_struct_type(types.data(), names.data(), types.size());
    for (auto& child : types) duckdb_destroy_logical_type(&child);
    return structure;
}

}  // namespace

std::optional<DataType> type_of_logical(duckdb_logical_type type) {
    switch (duckdb_get_type_id(type)) {
        case DUCKDB_TYPE_BOOLEAN: return TypeKind::boolean;
        case DUCKDB_TYPE_TINYINT:
        case DUCKDB_TYPE_SMALLINT:
        case DUCKDB_TYPE_INTEGER:
        case DUCKDB_TYPE_BIGINT:
        case DUCKDB_TYPE_UTINYINT:
        case DUCKDB_TYPE_USMALLINT:
        case DUCKDB_TYPE_UINTEGER: return TypeKind::int64;
        case DUCKDB_TYPE_UBIGINT: return DataType::decimal(kDigitsOfUbigint, 0);
        case DUCKDB_TYPE_HUGEINT: return DataType::decimal(0);
        case DUCKDB_TYPE_FLOAT:
        case DUCKDB_TYPE_DOUBLE: return TypeKind::float64;
        case DUCKDB_TYPE_DECIMAL: return DataType::decimal(duckdb_decimal_width(type), duckdb_decimal_scale(type));
        case DUCKDB_TYPE_VARCHAR: return has_alias(type, "JSON") ? TypeKind::json : TypeKind::string;
        case DUCKDB_TYPE_ENUM:
        case DUCKDB_TYPE_UUID:
        case DUCKDB_TYPE_SQLNULL: return TypeKind::string;
        case DUCKDB_TYPE_BLOB: return TypeKind::bytes;
        case DUCKDB_TYPE_DATE: return TypeKind::date;
        case DUCKDB_TYPE_TIME: return TypeKind::time;
        case DUCKDB_TYPE_TIMESTAMP:
        case DUCKDB_TYPE_TIMESTAMP_S:
        case DUCKDB_TYPE_TIMESTAMP_MS:
        case DUCKDB_TYPE_TIMESTAMP_NS: return TypeKind::timestamp;
        case DUCKDB_TYPE_TIMESTAMP_TZ: return TypeKind::timestamp_tz;
        case DUCKDB_TYPE_LIST: return list_of(duckdb_list_type_child_type(type));
        case DUCKDB_TYPE_ARRAY: return list_of(duckdb_array_type_child_type(type));
        case DUCKDB_TYPE_STRUCT: return structure_of(type);
        default: return std::nullopt;
    }
}

duckdb_logical_type logical_of_type(const DataType& type) {
    switch (type.kind()) {
        case TypeKind::decimal:
            return duckdb_create_decimal_type(static_cast<uint8_t>(type.precision()),
                                              static_cast<uint8_t>(type.scale()));
        case TypeKind::list: {
            const LogicalType item{logical_of_type(type.children()[0].type)};
            return duckdb_create_list_type(item.handle);
        }
        case TypeKind::structure: return logical_structure(type);
        case TypeKind::json: {
            duckdb_logical_type json = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
            duckdb_logical_type_set_alias(json, "JSON");
            return json;
        }
        default: return duckdb_create_logical_type(plain_type(type.kind()));
    }
}

std::string duckdb_type_name(const DataType& type) {
    switch (type.kind()) {
        case TypeKind::boolean: return "BOOLEAN";
        case TypeKind::int64: return "BIGINT";
        case TypeKind::float64: return "DOUBLE";
        case TypeKind::decimal:
            return "DECIMAL(" + std::to_string(type.precision()) + "," + std::to_string(type.scale()) + ")";
        case TypeKind::string: return "VARCHAR";
        case TypeKind::bytes: return "BLOB";
        case TypeKind::uuid: return "UUID";
        case TypeKind::date: return "DATE";
        case TypeKind::time: return "TIME";
        case TypeKind::timestamp: return "TIMESTAMP";
        case TypeKind::timestamp_tz: return "TIMESTAMP WITH TIME ZONE";
        case TypeKind::json: return "JSON";
        case TypeKind::list: return duckdb_type_name(type.children()[0].type) + "[]";
        case TypeKind::structure: break;
    }
    std::string fields;
    for (const auto& field : type.children()) {
        if (!fields.empty()) fields += ", ";
        fields += quote_identifier(field.name) + " " + duckdb_type_name(field.type);
    }
    return "STRUCT(" + fields + ")";
}

std::string quote_identifier(std::string_view name) {
    std::string quoted = "\"";
    for (const char c : name) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

std::string quote_literal(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) {
        if (c == '\'') quoted += '\'';
        quoted += c;
    }
    return quoted + '\'';
}

std::string quote_table(std::string_view schema, std::string_view table) {
    return quote_identifier(schema) + "." + quote_identifier(table);
}

}  // namespace shaduf
