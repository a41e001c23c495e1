#include "data/json_schema.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace shaduf {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kDepthMax = 8;

std::string text_of(const Json& schema, const char* key) {
    const auto found = schema.find(key);
    return found != schema.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<DataType> type_of_reference(const std::string& reference) {
    static constexpr std::pair<std::string_view, TypeKind> kWellKnown[] = {
        {"String", TypeKind::string},
        {"BinaryData", TypeKind::string},
        {"Date", TypeKind::date},
        {"TimestampWithTimezone", TypeKind::timestamp_tz},
        {"TimestampWithoutTimezone", TypeKind::timestamp},
        {"TimeWithTimezone", TypeKind::string},
        {"TimeWithoutTimezone", TypeKind::time},
        {"Number", TypeKind::float64},
        {"Integer", TypeKind::int64},
        {"Boolean", TypeKind::boolean},
    };
    const std::string name = reference.substr(reference.rfind('/') + 1);
    for (const auto& [known, kind] : kWellKnown) {
        if (known == name && reference.starts_with("WellKnownTypes.json")) return DataType(kind);
    }
    return std::nullopt;
}

std::optional<DataType> type_of_string(const Json& schema) {
    const std::string format = text_of(schema, "format");
    const std::string airbyte = text_of(schema, "airbyte_type");
    if (airbyte.starts_with("big_")) return std::nullopt;
    if (format == "date-time" || airbyte.starts_with("timestamp_")) {
        return airbyte == "timestamp_without_timezone" ? TypeKind::timestamp : TypeKind::timestamp_tz;
    }
    if (format == "date") return TypeKind::date;
    if (format == "time") return airbyte == "time_with_timezone" ? TypeKind::string : TypeKind::time;
    return TypeKind::string;
}

std::optional<DataType> type_of_name(const std::string& name, const Json& schema) {
    if (name == "string") return type_of_string(schema);
    if (name == "boolean") return TypeKind::boolean;
    if (name == "integer") return TypeKind::int64;
    if (name == "array") return TypeKind::json;
    if (name == "number") {
        return text_of(schema, "airbyte_type") == "integer" ? TypeKind::int64 : TypeKind::float64;
    }
    return std::nullopt;
}

class SchemaReader {
public:
    std::vector<ShapeColumn> read(const Json& schema) {
        read_properties(schema, {}, 0);
        return std::move(columns_);
    }

private:
    void read_properties(const Json& schema, const std::vector<std::string>& above, int depth) {
        const auto properties = schema.find("properties");
        if (depth > kDepthMax || properties == schema.end() || !properties->is_object()) return;
        for (const auto& [name, property] : properties->items()) {
            if (!property.is_object()) continue;
            std::vector<std::string> path = above;
            path.push_back(name);
            if (const Json* object = object_of(property)) {
                read_properties(*object, path, depth + 1);
            } else if (const auto type = type_of(property)) {
                add(std::move(path), *type);
            }
        }
    }

    // The one alternative that is an object with properties, when the others are null.
    static const Json* object_of(const Json& schema) {
        if (schema.contains("properties")) return &schema;
        const Json* found = nullptr;
        for (const char* key : {"oneOf", "anyOf"}) {
            const auto alternatives = schema.find(key);
            if (alternatives == schema.end() || !alternatives->is_array()) continue;
            for (const Json& alternative : *alternatives) {
                if (!alternative.is_object() || text_of(alternative, "type") == "null") continue;
                if (found != nullptr || !alternative.contains("properties")) return nullptr;
                found = &alternative;
            }
        }
        return found;
    }

    // nullopt: nothing that one column type could be made of.
    static std::optional<DataType> type_of(const Json& schema) {
        if (!schema.is_object()) return std::nullopt;
        if (const std::string reference = text_of(schema, "$ref"); !reference.empty()) {
            return type_of_reference(reference);
        }
        std::vector<std::optional<DataType>> types;
        for (const char* key : {"oneOf", "anyOf"}) {
            const auto alternatives = schema.find(key);
            if (alternatives == schema.end() || !alternatives->is_array()) continue;
            for (const Json& alternative : *alternatives) {
                if (!alternative.is_object() || text_of(alternative, "type") == "null") continue;
                types.push_back(type_of(alternative));
            }
        }
        const auto type = schema.find("type");
        if (types.empty() && type != schema.end() && type->is_string()) return type_of_name(*type, schema);
        if (types.empty() && type != schema.end() && type->is_array()) {
            for (const Json& name : *type) {
                if (!name.is_string()) return std::nullopt;
                if (name != "null") types.push_back(type_of_name(name, schema));
            }
        }
        return widest(types);
    }

    static std::optional<DataType> widest(const std::vector<std::optional<DataType>>& types) {
        std::optional<DataType> all;
        for (const auto& type : types) {
            if (!type) return std::nullopt;
            all = all ? widen(*all, *type) : *type;
        }
        return all;
    }

    void add(std::vector<std::string> path, DataType type) {
        const std::string name = join(path, "__");
        for (const auto& column : columns_) {
            if (equals_ignoring_case(column.name, name)) return;
        }
        columns_.push_back({name, std::move(type), std::move(path), false});
    }

    std::vector<ShapeColumn> columns_;
};

}  // namespace

std::vector<ShapeColumn> columns_of_json_schema(std::string_view schema) {
    const Json json = Json::parse(schema, nullptr, false);
    return json.is_object() ? SchemaReader().read(json) : std::vector<ShapeColumn>();
}

}  // namespace shaduf
