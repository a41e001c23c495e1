#include "connectors/kafka/connect_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"
#include "connectors/kafka/avro_value.h"
#include "connectors/kafka/json_scalar.h"
#include "data/decimal.h"
#include "data/json_member.h"
#include "data/value_append.h"
#include "io/crypto.h"

namespace shaduf::kafka {
namespace {

using Json = nlohmann::json;

constexpr size_t kColumnsMax = 4096;
constexpr int kDepthMax = 64;
constexpr size_t kReadersMax = 10'000;  // schemas that are remembered

enum class ConnectOp : uint8_t {
    boolean,
    integer,
    floating,
    text,
    bytes,  // in base64
    decimal,
    date,
    micros,
    zoned_text,
    uuid,
    json,
    structure,
};

struct ConnectNode {
    std::string name;
    ConnectOp op = ConnectOp::json;
    AvroLogical logical = AvroLogical::none;
    DataType type = TypeKind::json;
    uint32_t column = 0;
    uint32_t column_end = 0;
    std::vector<ConnectNode> fields;
};

// A name of Connect or Debezium that gives a plain type another meaning.
struct NamedType {
    std::string_view name;
    std::string_view on;
    ConnectOp op;
    AvroLogical logical;
    TypeKind kind;
};
constexpr NamedType kNamedTypes[] = {
    {"org.apache.kafka.connect.data.Date", "int32", ConnectOp::date, AvroLogical::date, TypeKind::date},
    {"org.apache.kafka.connect.data.Time", "int32", ConnectOp::micros, AvroLogical::time_millis, TypeKind::time},
    {"org.apache.kafka.connect.data.Timestamp", "int64", ConnectOp::micros, AvroLogical::timestamp_millis,
     TypeKind::timestamp_tz},
    {"io.debezium.time.Date", "int32", ConnectOp::date, AvroLogical::date, TypeKind::date},
    {"io.debezium.time.Time", "int32", ConnectOp::micros, AvroLogical::time_millis, TypeKind::time},
    {"io.debezium.time.MicroTime", "int64", ConnectOp::micros, AvroLogical::time_micros, TypeKind::time},
    {"io.debezium.time.NanoTime", "int64", ConnectOp::micros, AvroLogical::time_nanos, TypeKind::time},
    {"io.debezium.time.Timestamp", "int64", ConnectOp::micros, AvroLogical::local_timestamp_millis,
     TypeKind::timestamp},
    {"io.debezium.time.MicroTimestamp", "int64", ConnectOp::micros, AvroLogical::local_timestamp_micros,
     TypeKind::timestamp},
    {"io.debezium.time.NanoTimestamp", "int64", ConnectOp::micros, AvroLogical::local_timestamp_nanos,
     TypeKind::timestamp},
    {"io.debezium.time.ZonedTimestamp", "string", ConnectOp::zoned_text, AvroLogical::zoned_text,
     TypeKind::timestamp_tz},
    {"io.debezium.data.Uuid", "string", ConnectOp::uuid, AvroLogical::uuid, TypeKind::uuid},
    {"io.debezium.data.Json", "string", ConnectOp::json, AvroLogical::none, TypeKind::json},
};

struct PlainType {
    std::string_view name;
    ConnectOp op;
    TypeKind kind;
};
constexpr PlainType kPlainTypes[] = {
    {"boolean", ConnectOp::boolean, TypeKind::boolean},
    {"int8", ConnectOp::integer, TypeKind::int64},
    {"int16", ConnectOp::integer, TypeKind::int64},
    {"int32", ConnectOp::integer, TypeKind::int64},
    {"int64", ConnectOp::integer, TypeKind::int64},
    {"float", ConnectOp::floating, TypeKind::float64},
    {"float32", ConnectOp::floating, TypeKind::float64},
    {"double", ConnectOp::floating, TypeKind::float64},
    {"float64", ConnectOp::floating, TypeKind::float64},
    {"string", ConnectOp::text, TypeKind::string},
    {"bytes", ConnectOp::bytes, TypeKind::bytes},
    {"array", ConnectOp::json, TypeKind::json},
    {"map", ConnectOp::json, TypeKind::json},
};

std::string text_of(const Json& json, const char* key) {
    const auto found = json.is_object() ? json.find(key) : json.end();
    return json.is_object() && found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

int parameter(const Json& schema, const char* name, int fallback) {
    const std::string text = schema.contains("parameters") ? text_of(schema["parameters"], name) : "";
    int number = fallback;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

Error bad_schema(const std::string& what) { return {ErrorKind::bad_data, "invalid schema of Connect: " + what}; }

class Planner {
public:
    Result<ConnectNode> plan(const Json& schema) {
        const bool is_structure = text_of(schema, "type") == "struct";
        return node_of(schema, is_structure ? "" : "value", 0);
    }
    SchemaPtr schema() { return std::make_shared<const Schema>(std::move(fields_)); }

private:
    std::string unique_name(const std::string& wanted) const {
        const auto taken = [&](const std::string& name) {
            return std::any_of(fields_.begin(), fields_.end(),
                               [&](const Field& field) { return equals_ignoring_case(field.name, name); });
        };
        std::string name = wanted;
        for (int number = 2; taken(name); ++number) name = wanted + "_" + std::to_string(number);
        return name;
    }

    Result<ConnectNode> node_of(const Json& schema, const std::string& path, int depth) {
        const std::string type = text_of(schema, "type");
        if (depth > kDepthMax || fields_.size() >= kColumnsMax)
            return bad_schema("it is too deep or has too many fields");
        ConnectNode node;
        node.column = static_cast<uint32_t>(fields_.size());
        if (type == "struct") {
            TRY(add_fields(schema, path, depth, node));
        } else {
            TRY(set_type(schema, type, node));
            fields_.push_back({unique_name(path), node.type});
        }
        node.column_end = static_cast<uint32_t>(fields_.size());
        return node;
    }

    Result<void> add_fields(const Json& schema, const std::string& path, int depth, ConnectNode& node) {
        node.op = ConnectOp::structure;
        if (!schema.contains("fields") || !schema["fields"].is_array()) return bad_schema("a struct has no fields");
        for (const Json& field : schema["fields"]) {
            const std::string name = text_of(field, "field");
            ConnectNode child = TRY(node_of(field, path.empty() ? name : path + "__" + name, depth + 1));
            child.name = name;
            node.fields.push_back(std::move(child));
        }
        return {};
    }

    static Result<void> set_type(const Json& schema, const std::string& type, ConnectNode& node) {
        const auto* plain = std::find_if(std::begin(kPlainTypes), std::end(kPlainTypes),
                                         [&](const PlainType& known) { return known.name == type; });
        if (plain == std::end(kPlainTypes)) return bad_schema("type is not known: " + type);
        node.op = plain->op;
        node.type = plain->kind;
        const std::string name = text_of(schema, "name");
        for (const NamedType& known : kNamedTypes) {
            if (known.name != name || known.on != type) continue;
            node.op = known.op;
            node.logical = known.logical;
            node.type = known.kind;
        }
        if (name != "org.apache.kafka.connect.data.Decimal" || type != "bytes") return {};
        const int scale = parameter(schema, "scale", 0);
        const int precision = parameter(schema, "connect.decimal.precision", kDecimalDigitsMax);
        if (scale < 0 || precision < 1 || precision > kDecimalDigitsMax || scale > precision) return {};
        node.op = ConnectOp::decimal;
        node.type = DataType::decimal(precision, scale);
        return {};
    }

    std::vector<Field> fields_;
};

// The reading of one payload.
class ConnectRun {
public:
    ConnectRun(std::string_view payload, RecordBatchBuilder& rows) : cursor_(payload), rows_(rows) {}

    std::optional<std::string> run(const ConnectNode& root) {
        cursor_.skip_space();
        const bool is_read = value(root) && cursor_.finish();
        if (!is_read && misfit_ == nullptr) return "invalid JSON: " + cursor_.fault();
        if (!is_read) return "field " + misfit_->name + " is not of its schema's type, " + misfit_->type.to_string();
        for (uint32_t i = root.column; i < root.column_end; ++i) {
            if (rows_.column(i).length() == rows_.rows()) rows_.column(i).append_null();
        }
        return std::nullopt;
    }

private:
    bool misfit(const ConnectNode& node) {
        misfit_ = &node;
        return false;
    }

    // Of a member that comes twice the last one counts.
    void forget(const ConnectNode& node) {
        for (uint32_t i = node.column; i < node.column_end; ++i) {
            if (rows_.column(i).length() > rows_.rows()) rows_.column(i).truncate(rows_.rows());
        }
    }

    bool value(const ConnectNode& node) {
        forget(node);
        const char first = cursor_.peek();
        if (first == 'n') {
            std::optional<bool> ignored;
            return cursor_.read_literal(ignored);
        }
        switch (node.op) {
            case ConnectOp::structure: return first == '{' ? structure(node) : misfit(node);
            case ConnectOp::json: return json(node);
            case ConnectOp::boolean: return boolean(node);
            case ConnectOp::text:
            case ConnectOp::bytes:
            case ConnectOp::zoned_text:
            case ConnectOp::uuid: return first == '"' ? text(node) : misfit(node);
            case ConnectOp::decimal: return first == '"' ? text(node) : number(node);
            default: return number(node);
        }
    }

    bool structure(const ConnectNode& node) {
        return read_members(cursor_, [&](std::string_view key) {
            const auto field = std::find_if(node.fields.begin(), node.fields.end(),
                                            [&](const ConnectNode& known) { return known.name == key; });
            return field == node.fields.end() ? cursor_.skip_value() : value(*field);
        });
    }

    bool json(const ConnectNode& node) {
        if (node.type.kind() == TypeKind::json && cursor_.peek() == '"' && !node.name.empty()) return quoted_json(node);
        std::string_view raw;
        if (!read_raw(cursor_, raw)) return false;
        rows_.column(node.column).append_text(raw);
        return true;
    }

    // Debezium has JSON in a text; a text that is none stays as it is.
    bool quoted_json(const ConnectNode& node) {
        const char* begin = cursor_.at();
        std::string_view text;
        if (!cursor_.read_string(text)) return false;
        BufferBuilder padded;
        padded.append(text);
        const BufferPtr inner = padded.finish();
        JsonCursor check(inner->view());
        check.skip_space();
        const bool is_json = check.skip_value() && check.finish();
        rows_.column(node.column).append_text(is_json ? inner->view() : cursor_.since(begin));
        return true;
    }

    bool boolean(const ConnectNode& node) {
        if (cursor_.peek() != 't' && cursor_.peek() != 'f') return misfit(node);
        std::optional<bool> truth;
        if (!cursor_.read_literal(truth)) return false;
        rows_.column(node.column).append_boolean(*truth);
        return true;
    }

    bool number(const ConnectNode& node) {
        const char first = cursor_.peek();
        if (first == '"' && node.op == ConnectOp::floating) return special_float(node);
        if (first != '-' && (first < '0' || first > '9')) return misfit(node);
        JsonNumber number;
        if (!cursor_.read_number(number)) return false;
        ColumnBuilder& to = rows_.column(node.column);
        if (node.op == ConnectOp::floating) {
            const auto value = parse_float(number.text);
            if (!value) return misfit(node);
            to.append_float64(*value);
            return true;
        }
        if (node.op == ConnectOp::decimal) {
            const auto value = parse_decimal(number.text, node.type.precision(), node.type.scale());
            if (!value) return misfit(node);
            to.append_decimal(*value);
            return true;
        }
        return number.is_int64 ? integer(node, number.value, to) : misfit(node);
    }

    bool integer(const ConnectNode& node, int64_t value, ColumnBuilder& to) {
        int64_t micros = 0;
        if (node.op == ConnectOp::date) {
            if (value != static_cast<int32_t>(value)) return misfit(node);
            to.append_date(static_cast<int32_t>(value));
        } else if (node.op == ConnectOp::micros) {
            if (!avro_micros(node.logical, value, micros)) return misfit(node);
            to.append_int64(micros);
        } else {
            to.append_int64(value);
        }
        return true;
    }

    // NaN and the infinities are texts.
    bool special_float(const ConnectNode& node) {
        std::string_view text;
        if (!cursor_.read_string(text)) return false;
        const auto value = parse_float(text);
        if (!value) return misfit(node);
        rows_.column(node.column).append_float64(*value);
        return true;
    }

    bool text(const ConnectNode& node) {
        std::string_view text;
        if (!cursor_.read_string(text)) return false;
        ColumnBuilder& to = rows_.column(node.column);
        if (node.op == ConnectOp::text) {
            to.append_text(text);
            return true;
        }
        if (node.op == ConnectOp::zoned_text) {
            const auto time = parse_timestamp(text);
            if (time) to.append_int64(time->microseconds);
            return time ? true : misfit(node);
        }
        if (node.op == ConnectOp::uuid) {
            std::array<uint8_t, kUuidBytes> bytes{};
            const bool is_uuid = parse_uuid(text, bytes.data());
            if (is_uuid) to.append_uuid({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
            return is_uuid || misfit(node);
        }
        const auto bytes = from_base64(text);
        if (!bytes.ok()) return misfit(node);
        if (node.op == ConnectOp::bytes) {
            to.append_text(bytes.value());
            return true;
        }
        int128 unscaled = 0;
        if (!read_big_endian(bytes.value(), unscaled) || !has_digits(unscaled, node.type.precision())) {
            return misfit(node);
        }
        to.append_decimal(unscaled);
        return true;
    }

    JsonCursor cursor_;
    RecordBatchBuilder& rows_;
    const ConnectNode* misfit_ = nullptr;
};

class ConnectReader final : public PayloadReader {
public:
    ConnectReader(ConnectNode root, SchemaPtr schema) : root_(std::move(root)), schema_(std::move(schema)) {}

    const SchemaPtr& schema() const override { return schema_; }
    bool is_single() const override { return root_.op != ConnectOp::structure; }
    std::optional<std::string> read(std::string_view payload, RecordBatchBuilder& rows) const override {
        return ConnectRun(payload, rows).run(root_);
    }

private:
    const ConnectNode root_;
    const SchemaPtr schema_;
};

bool nests_too_deep(std::string_view text) {
    size_t depth = 0;
    for (const char c : text) {
        if ((c == '{' || c == '[') && ++depth > 4 * kDepthMax) return true;
        if ((c == '}' || c == ']') && depth > 0) --depth;
    }
    return false;
}

class ConnectFinder final : public ReaderFinder {
public:
    Result<Found> find(RunContext&, std::string_view payload, std::optional<std::string_view>) override {
        // Mostly a message begins as the one before it, up to the payload.
        if (!last_prefix_.empty() && payload.starts_with(last_prefix_)) {
            size_t end = payload.size();
            while (end > 0 && static_cast<unsigned char>(payload[end - 1]) <= ' ') --end;
            if (end > last_prefix_.size() && payload[end - 1] == '}') {
                return Found{last_reader_,
                             static_cast<uint32_t>(last_prefix_.size()),
                             static_cast<uint32_t>(payload.size() - end + 1),
                             {}};
            }
        }
        return find_slowly(payload);
    }

private:
    static Found refused(std::string why) {
        Found found;
        found.why = std::move(why);
        return found;
    }

    Found find_slowly(std::string_view text) {
        JsonCursor cursor(text);
        std::string_view schema;
        std::string_view payload;
        cursor.skip_space();
        bool payload_is_last = false;
        const bool is_object = cursor.peek() == '{' && read_members(cursor, [&](std::string_view key) {
                                   payload_is_last = key == "payload";
                                   if (key == "schema") return read_raw(cursor, schema);
                                   return payload_is_last ? read_raw(cursor, payload) : cursor.skip_value();
                               });
        if (!is_object || !cursor.finish()) {
            return refused(cursor.fault().empty() || cursor.peek() != '{' ? "the message is no JSON object"
                                                                          : "invalid JSON: " + cursor.fault());
        }
        if (schema.data() == nullptr || payload.data() == nullptr) {
            return refused("the message has no schema and payload; is it format: json?");
        }
        auto known = known_.find(schema);
        if (known == known_.end()) {
            auto reader = make_connect_reader(schema);
            if (!reader.ok()) return refused(reader.error().message());
            if (known_.size() >= kReadersMax) known_.clear();
            known = known_.emplace(std::string(schema), add(reader.release_value())).first;
        }
        const auto skip = static_cast<size_t>(payload.data() - text.data());
        last_reader_ = known->second;
        last_prefix_ = payload_is_last && schema.data() < payload.data() ? text.substr(0, skip) : std::string_view();
        return Found{
            known->second, static_cast<uint32_t>(skip), static_cast<uint32_t>(text.size() - skip - payload.size()), {}};
    }

    std::map<std::string, uint32_t, std::less<>> known_;  // by the schema's text
    std::string last_prefix_;
    uint32_t last_reader_ = 0;
};

}  // namespace

Result<PayloadReaderPtr> make_connect_reader(std::string_view schema) {
    if (nests_too_deep(schema)) return bad_schema("it is nested too deep");
    const Json json = Json::parse(schema, nullptr, false);
    Planner planner;
    ConnectNode root;
    if (json.is_null()) {
        root = TRY(planner.plan(Json{{"type", "array"}}));
    } else {
        root = TRY(planner.plan(json));
    }
    auto columns = planner.schema();
    return std::make_shared<const ConnectReader>(std::move(root), std::move(columns));
}

std::unique_ptr<ReaderFinder> find_connect_json() { return std::make_unique<ConnectFinder>(); }

}  // namespace shaduf::kafka
