#include "connectors/kafka/avro_schema.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "data/batch.h"

namespace shaduf::kafka {
namespace {

using Json = nlohmann::json;

constexpr int kDepthMax = 128;
constexpr size_t kJsonDepthMax = 1000;
constexpr uint32_t kFixedBytesMax = 64U << 20;

struct PrimitiveName {
    std::string_view name;
    AvroKind kind;
};
constexpr PrimitiveName kPrimitives[] = {{"null", AvroKind::null},     {"boolean", AvroKind::boolean},
                                         {"int", AvroKind::integer},   {"long", AvroKind::long_integer},
                                         {"float", AvroKind::float32}, {"double", AvroKind::float64},
                                         {"bytes", AvroKind::bytes},   {"string", AvroKind::string}};

// A name of a logical type, and the plain type that it may stand on.
struct LogicalName {
    std::string_view name;
    AvroLogical logical;
    AvroKind on;
};
constexpr LogicalName kLogicals[] = {
    {"decimal", AvroLogical::decimal, AvroKind::bytes},
    {"decimal", AvroLogical::decimal, AvroKind::fixed},
    {"date", AvroLogical::date, AvroKind::integer},
    {"time-millis", AvroLogical::time_millis, AvroKind::integer},
    {"time-micros", AvroLogical::time_micros, AvroKind::long_integer},
    {"timestamp-millis", AvroLogical::timestamp_millis, AvroKind::long_integer},
    {"timestamp-micros", AvroLogical::timestamp_micros, AvroKind::long_integer},
    {"timestamp-nanos", AvroLogical::timestamp_nanos, AvroKind::long_integer},
    {"local-timestamp-millis", AvroLogical::local_timestamp_millis, AvroKind::long_integer},
    {"local-timestamp-micros", AvroLogical::local_timestamp_micros, AvroKind::long_integer},
    {"local-timestamp-nanos", AvroLogical::local_timestamp_nanos, AvroKind::long_integer},
    {"uuid", AvroLogical::uuid, AvroKind::string},
    {"uuid", AvroLogical::uuid, AvroKind::fixed},
    {"duration", AvroLogical::duration, AvroKind::fixed},
};
constexpr LogicalName kConnectNames[] = {
    {"org.apache.kafka.connect.data.Date", AvroLogical::date, AvroKind::integer},
    {"org.apache.kafka.connect.data.Time", AvroLogical::time_millis, AvroKind::integer},
    {"org.apache.kafka.connect.data.Timestamp", AvroLogical::timestamp_millis, AvroKind::long_integer},
    {"io.debezium.time.Date", AvroLogical::date, AvroKind::integer},
    {"io.debezium.time.Time", AvroLogical::time_millis, AvroKind::integer},
    {"io.debezium.time.MicroTime", AvroLogical::time_micros, AvroKind::long_integer},
    {"io.debezium.time.NanoTime", AvroLogical::time_nanos, AvroKind::long_integer},
    {"io.debezium.time.Timestamp", AvroLogical::local_timestamp_millis, AvroKind::long_integer},
    {"io.debezium.time.MicroTimestamp", AvroLogical::local_timestamp_micros, AvroKind::long_integer},
    {"io.debezium.time.NanoTimestamp", AvroLogical::local_timestamp_nanos, AvroKind::long_integer},
    {"io.debezium.time.ZonedTimestamp", AvroLogical::zoned_text, AvroKind::string},
    {"io.debezium.data.Uuid", AvroLogical::uuid, AvroKind::string},
};

std::string text_of(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<int64_t> integer_of(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number_integer() ? std::optional(found->get<int64_t>()) : std::nullopt;
}

std::string namespace_of(const std::string& full_name) {
    const auto dot = full_name.rfind('.');
    return dot == std::string::npos ? "" : full_name.substr(0, dot);
}

Error bad_schema(const std::string& what, const std::string& value) {
    return {ErrorKind::bad_data, "invalid Avro schema: " + what + ": " + value.substr(0, 200)};
}

// What the library would go through by recursion.
bool nests_too_deep(std::string_view text) {
    size_t depth = 0;
    size_t deepest = 0;
    for (const char c : text) {
        if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
        if ((c == '}' || c == ']') && depth > 0) --depth;
    }
    return deepest > kJsonDepthMax;
}

}  // namespace

class AvroSchemaParser {
public:
    Result<AvroSchemaPtr> parse(const RegisteredSchema& schema) {
        TRY(add_references(schema, 0));
        schema_->root_ = TRY(parse_text(schema.text));
        return AvroSchemaPtr(std::move(schema_));
    }

private:
    Result<void> add_references(const RegisteredSchema& schema, int depth) {
        if (depth > kDepthMax) return bad_schema("references are too deep", schema.text);
        for (const SchemaReference& reference : schema.references) {
            if (reference.schema == nullptr || named_.contains(reference.name)) continue;
            if (!seen_.insert(reference.schema.get()).second) continue;
            TRY(add_references(*reference.schema, depth + 1));
            const auto* type = TRY(parse_text(reference.schema->text));
            // Known by the name that the registry gives it, too.
            named_.emplace(reference.name, type);
        }
        return {};
    }

    Result<const AvroType*> parse_text(std::string_view text) {
        if (nests_too_deep(text)) return bad_schema("it is nested too deep", std::string(text));
        const Json json = Json::parse(text, nullptr, false);
        // The registry keeps some plain schemas without quotes.
        if (json.is_discarded()) return type_named(std::string(text), "");
        return parse_type(json, "", 0);
    }

    AvroType* make(AvroKind kind) {
        schema_->types_.emplace_back().kind = kind;
        return &schema_->types_.back();
    }

    Result<const AvroType*> parse_type(const Json& json, const std::string& space, int depth) {
        if (depth > kDepthMax) return bad_schema("types are nested too deep", json.dump());
        if (json.is_string()) return type_named(json.get<std::string>(), space);
        if (json.is_array()) return parse_union(json, space, depth);
        if (!json.is_object() || !json.contains("type")) return bad_schema("a type is missing", json.dump());
        const Json& type = json["type"];
        if (!type.is_string()) return parse_type(type, space, depth + 1);
        const auto name = type.get<std::string>();
        if (name == "record" || name == "error") return parse_record(json, space, depth);
        if (name == "enum") return parse_enum(json, space);
        if (name == "fixed") return parse_fixed(json, space);
        if (name == "array" || name == "map") return parse_container(json, space, depth);
        const AvroType* plain = TRY(type_named(name, space));
        if (!plain->name.empty()) return plain;
        AvroType* own = make(plain->kind);
        set_logical(json, *own);
        return own;
    }

    Result<const AvroType*> type_named(const std::string& name, const std::string& space) {
        for (const auto& [primitive, kind] : kPrimitives) {
            if (primitive == name) return make(kind);
        }
        if (name.find('.') == std::string::npos && !space.empty()) {
            const auto known = named_.find(space + "." + name);
            if (known != named_.end()) return known->second;
        }
        const auto known = named_.find(name);
        if (known != named_.end()) return known->second;
        return bad_schema("type is not known", name);
    }

    Result<const AvroType*> parse_union(const Json& json, const std::string& space, int depth) {
        AvroType* type = make(AvroKind::alternatives);
        for (const Json& branch : json) type->branches.push_back(TRY(parse_type(branch, space, depth + 1)));
        if (type->branches.empty()) return bad_schema("a union has no branch", json.dump());
        return type;
    }

    // Names the type, so that it is known from here on, in itself too; `space` becomes the namespace inside it.
    Result<AvroType*> begin_named(AvroKind kind, const Json& json, std::string& space) {
        std::string name = text_of(json, "name");
        if (name.empty()) return bad_schema("a named type has no name", json.dump());
        if (name.find('.') == std::string::npos) {
            const std::string own = json.contains("namespace") ? text_of(json, "namespace") : space;
            if (!own.empty()) name = own + "." + name;
        }
        space = namespace_of(name);
        AvroType* type = make(kind);
        type->name = name;
        if (!named_.emplace(name, type).second) return bad_schema("a name is defined twice", name);
        return type;
    }

    Result<const AvroType*> parse_record(const Json& json, std::string space, int depth) {
        AvroType* type = TRY(begin_named(AvroKind::record, json, space));
        if (!json.contains("fields") || !json["fields"].is_array())
            return bad_schema("a record has no fields", type->name);
        std::set<std::string> names;
        for (const Json& json_field : json["fields"]) {
            if (!json_field.is_object() || !json_field.contains("type")) {
                return bad_schema("a field has no type", json_field.dump());
            }
            AvroField field;
            field.name = text_of(json_field, "name");
            if (field.name.empty() || !names.insert(field.name).second) {
                return bad_schema("a field has no name of its own", type->name + "." + field.name);
            }
            if (json_field.contains("aliases") && json_field["aliases"].is_array()) {
                for (const Json& alias : json_field["aliases"]) {
                    if (alias.is_string()) field.aliases.push_back(alias);
                }
            }
            if (json_field.contains("default")) {
                field.default_json = json_field["default"].dump(-1, ' ', false, Json::error_handler_t::replace);
            }
            field.type = TRY(parse_type(json_field["type"], space, depth + 1));
            type->fields.push_back(std::move(field));
        }
        return type;
    }

    Result<const AvroType*> parse_enum(const Json& json, std::string space) {
        AvroType* type = TRY(begin_named(AvroKind::enumeration, json, space));
        if (!json.contains("symbols") || !json["symbols"].is_array())
            return bad_schema("an enum has no symbols", type->name);
        for (const Json& symbol : json["symbols"]) {
            if (!symbol.is_string()) return bad_schema("a symbol is no text", type->name);
            type->symbols.push_back(symbol);
        }
        if (json.contains("default")) type->default_symbol = text_of(json, "default");
        return type;
    }

    Result<const AvroType*> parse_fixed(const Json& json, std::string space) {
        AvroType* type = TRY(begin_named(AvroKind::fixed, json, space));
        const auto size = integer_of(json, "size");
        if (!size || *size < 0 || *size > kFixedBytesMax) return bad_schema("a fixed type has no size", type->name);
        type->size = static_cast<uint32_t>(*size);
        set_logical(json, *type);
        return type;
    }

    Result<const AvroType*> parse_container(const Json& json, const std::string& space, int depth) {
        const bool is_array = json["type"] == "array";
        AvroType* type = make(is_array ? AvroKind::array : AvroKind::map);
        const char* key = is_array ? "items" : "values";
        if (!json.contains(key)) return bad_schema(std::string("a list or map has no ") + key, json.dump());
        type->items = TRY(parse_type(json[key], space, depth + 1));
        return type;
    }

    // A logical type that is not known, or does not fit, leaves the plain one, as the specification has it.
    static void set_logical(const Json& json, AvroType& type) {
        const std::string name = text_of(json, "logicalType");
        const std::string connect_name = text_of(json, "connect.name");
        for (const auto& [known, logical, on] : kLogicals) {
            if (known == name && on == type.kind) type.logical = logical;
        }
        for (const auto& [known, logical, on] : kConnectNames) {
            if (known == connect_name && on == type.kind) type.logical = logical;
        }
        if (type.logical == AvroLogical::decimal) set_decimal(json, type);
        if (type.logical == AvroLogical::uuid && type.kind == AvroKind::fixed && type.size != kUuidBytes) {
            type.logical = AvroLogical::none;
        }
        if (type.logical == AvroLogical::duration && type.size != 12) type.logical = AvroLogical::none;
    }

    static void set_decimal(const Json& json, AvroType& type) {
        const auto precision = integer_of(json, "precision").value_or(0);
        const auto scale = integer_of(json, "scale").value_or(0);
        if (precision < 1 || precision > kDecimalDigitsMax || scale < 0 || scale > precision) {
            type.logical = AvroLogical::none;
            return;
        }
        type.precision = static_cast<int>(precision);
        type.scale = static_cast<int>(scale);
    }

    std::shared_ptr<AvroSchema> schema_ = std::shared_ptr<AvroSchema>(new AvroSchema);
    std::map<std::string, const AvroType*> named_;
    std::set<const RegisteredSchema*> seen_;
};

Result<AvroSchemaPtr> AvroSchema::parse(const RegisteredSchema& schema) { return AvroSchemaParser().parse(schema); }

Result<AvroSchemaPtr> AvroSchema::parse(std::string_view text) {
    RegisteredSchema schema;
    schema.text = text;
    return parse(schema);
}

}  // namespace shaduf::kafka
