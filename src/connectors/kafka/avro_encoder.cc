#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "connectors/kafka/avro_default.h"
#include "connectors/kafka/registry_encoder.h"
#include "connectors/kafka/wire_frame.h"

namespace shaduf::kafka {
namespace {

using Json = nlohmann::ordered_json;

Json type_of(const DataType& type, const std::string& record);

Json logical(const char* plain, const char* name) { return Json{{"type", plain}, {"logicalType", name}}; }

// Unique among `taken`, which it joins.
std::string own_name(const std::string& name, std::vector<std::string>& taken) {
    const std::string wanted = identifier_of(name);
    std::string own = wanted;
    for (int number = 2; std::find(taken.begin(), taken.end(), own) != taken.end(); ++number) {
        own = wanted + "_" + std::to_string(number);
    }
    taken.push_back(own);
    return own;
}

Json record_of(const std::vector<Field>& fields, const std::string& record) {
    Json json{{"type", "record"}, {"name", record}, {"fields", Json::array()}};
    std::vector<std::string> names;
    for (const Field& field : fields) {
        const std::string name = own_name(field.name, names);
        Json type = Json::array({"null", type_of(field.type, record + "_" + name)});
        json["fields"].push_back({{"name", name}, {"type", std::move(type)}, {"default", nullptr}});
    }
    return json;
}

Json type_of(const DataType& type, const std::string& record) {
    switch (type.kind()) {
        case TypeKind::boolean: return "boolean";
        case TypeKind::int64: return "long";
        case TypeKind::float64: return "double";
        case TypeKind::decimal: {
            Json json = logical("bytes", "decimal");
            json["precision"] = type.precision();
            json["scale"] = type.scale();
            return json;
        }
        case TypeKind::bytes: return "bytes";
        case TypeKind::date: return logical("int", "date");
        case TypeKind::time: return logical("long", "time-micros");
        case TypeKind::timestamp: return logical("long", "local-timestamp-micros");
        case TypeKind::timestamp_tz: return logical("long", "timestamp-micros");
        case TypeKind::uuid: return logical("string", "uuid");
        case TypeKind::list:
            return Json{{"type", "array"}, {"items", Json::array({"null", type_of(type.children()[0].type, record)})}};
        case TypeKind::structure: return record_of(type.children(), record);
        case TypeKind::string:
        case TypeKind::json: break;
    }
    return "string";
}

void append_text(std::string_view text, std::string& out) {
    append_avro_long(static_cast<int64_t>(text.size()), out);
    out += text;
}

// The shortest two's complement, the highest byte first.
void append_decimal(int128 value, std::string& out) {
    std::string bytes;
    for (;;) {
        const auto low = static_cast<char>(value & 0xFF);
        bytes += low;
        value >>= 8;
        const bool is_negative = static_cast<signed char>(low) < 0;
        if ((value == 0 && !is_negative) || (value == -1 && is_negative)) break;
    }
    std::reverse(bytes.begin(), bytes.end());
    append_text(bytes, out);
}

// The value behind the number of its branch: 0 is null.
void append_value(const Column& column, size_t row, std::string& out) {
    if (column.is_null(row)) return append_avro_long(0, out);
    append_avro_long(1, out);
    switch (column.type.kind()) {
        case TypeKind::boolean: out += column.boolean_at(row) ? '\1' : '\0'; return;
        case TypeKind::int64:
        case TypeKind::time:
        case TypeKind::timestamp:
        case TypeKind::timestamp_tz: return append_avro_long(column.int64_at(row), out);
        case TypeKind::date: return append_avro_long(column.date_at(row), out);
        case TypeKind::float64: {
            const double value = column.float64_at(row);
            out.append(reinterpret_cast<const char*>(&value), sizeof value);
            return;
        }
        case TypeKind::decimal: return append_decimal(column.decimal_at(row), out);
        case TypeKind::string:
        case TypeKind::bytes:
        case TypeKind::json: return append_text(column.text_at(row), out);
        case TypeKind::uuid: return append_text(format_value(column, row), out);
        case TypeKind::list: {
            const auto* at = column.offsets->as<int32_t>();
            if (at[row + 1] > at[row]) append_avro_long(at[row + 1] - at[row], out);
            for (int32_t item = at[row]; item < at[row + 1]; ++item) {
                append_value(column.children[0], static_cast<size_t>(item), out);
            }
            return append_avro_long(0, out);
        }
        case TypeKind::structure:
            for (const Column& child : column.children) append_value(child, row, out);
    }
}

class AvroEncoder final : public Encoder {
public:
    explicit AvroEncoder(RegistryEncoderSettings settings) : settings_(std::move(settings)) {}

    Result<void> prepare(RunContext& run, const SchemaPtr& schema) override {
        const std::string record = record_name_of(settings_);
        RegisteredSchema registered;
        registered.text = record_of(schema->fields(), record).dump();
        const std::string subject = subject_name(settings_.strategy, settings_.part, settings_.topic, record);
        frame_ = frame_of_id(TRY(settings_.registry->register_schema(run, subject, registered)));
        return {};
    }
    Result<void> encode(const RecordBatch& rows, size_t row, std::string& out) override {
        out += frame_;
        for (const Column& column : rows.columns()) append_value(column, row, out);
        return {};
    }

private:
    const RegistryEncoderSettings settings_;
    std::string frame_;
};

}  // namespace

std::string identifier_of(std::string_view name) {
    std::string own;
    for (const char c : name) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        const bool is_digit = c >= '0' && c <= '9';
        if (is_digit && own.empty()) own += '_';
        own += is_letter || is_digit ? c : '_';
    }
    return own.empty() ? "_" : own;
}

std::string record_name_of(const RegistryEncoderSettings& settings) {
    if (settings.record.empty()) return identifier_of(settings.topic);
    std::string name;
    for (const std::string_view part : split(settings.record, '.')) {
        name += (name.empty() ? "" : ".") + identifier_of(part);
    }
    return name;
}

std::unique_ptr<Encoder> make_avro_encoder(RegistryEncoderSettings settings) {
    return std::make_unique<AvroEncoder>(std::move(settings));
}

}  // namespace shaduf::kafka
