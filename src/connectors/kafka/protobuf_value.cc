#include "connectors/kafka/protobuf_value.h"

#include <google/protobuf/descriptor.h>

#include <cstring>
#include <limits>

#include "base/time.h"
#include "connectors/kafka/json_scalar.h"
#include "data/utf8.h"

namespace shaduf::kafka {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

constexpr int kDepthMax = 100;
constexpr size_t kJsonBytesMax = 64U << 20;
constexpr int64_t kNanosPerSecond = 1'000'000'000;

// The fields of a small message: `take(number, value)`.
template <typename Take>
const char* each_field(std::string_view bytes, const Take& take) {
    ProtoCursor cursor(bytes);
    while (!cursor.at_end()) {
        uint32_t number = 0;
        ProtoWire wire = ProtoWire::varint;
        ProtoValue value;
        if (!cursor.read_tag(number, wire) || !cursor.read_value(number, wire, value)) return cursor.fault();
        take(number, wire, value);
    }
    return nullptr;
}

// Seconds and nanoseconds, fields 1 and 2 of both Timestamp and Duration.
const char* read_seconds(std::string_view bytes, int64_t& seconds, int32_t& nanos) {
    return each_field(bytes, [&](uint32_t number, ProtoWire wire, const ProtoValue& value) {
        if (wire != ProtoWire::varint) return;
        if (number == 1) seconds = static_cast<int64_t>(value.bits);
        if (number == 2) nanos = static_cast<int32_t>(value.bits);
    });
}

const char* write_value(const Field& field, const ProtoValue& value, int depth, std::string& out);
const char* write_any_value(const pb::Descriptor& message, std::string_view bytes, int depth, std::string& out);

const char* write_text(std::string_view text, std::string& out) {
    if (find_invalid_utf8(text)) return "a text is not valid UTF-8";
    append_json_string(text, out);
    return nullptr;
}

void write_unsigned(uint64_t value, std::string& out) { out += std::to_string(value); }

// A key of a map: any integer, a bool or a text.
const char* write_key(const Field& field, const ProtoValue& value, std::string& out) {
    if (field.type() == Field::TYPE_STRING) return write_text(value.text, out);
    out += '"';
    const char* fault = write_value(field, value, 0, out);
    out += '"';
    return fault;
}

const char* write_map(const Field& field, const std::vector<ProtoValue>& values, int depth, std::string& out) {
    const Field& key_field = *field.message_type()->map_key();
    const Field& value_field = *field.message_type()->map_value();
    out += '{';
    for (const ProtoValue& entry : values) {
        if (&entry != values.data()) out += ',';
        ProtoValue key;
        ProtoValue value;
        const char* fault = each_field(entry.text, [&](uint32_t number, ProtoWire wire, const ProtoValue& found) {
            if (number == 1 && wire == wire_of(key_field)) key = found;
            if (number == 2 && wire == wire_of(value_field)) value = found;
        });
        if (fault == nullptr) fault = write_key(key_field, key, out);
        if (fault != nullptr) return fault;
        out += ':';
        fault = write_value(value_field, value, depth, out);
        if (fault != nullptr) return fault;
        if (out.size() > kJsonBytesMax) return "its JSON would be over 64 MB";
    }
    out += '}';
    return nullptr;
}

const char* write_list(const Field& field, const std::vector<ProtoValue>& values, int depth, std::string& out) {
    out += '[';
    for (const ProtoValue& value : values) {
        if (&value != values.data()) out += ',';
        if (const char* fault = write_value(field, value, depth, out)) return fault;
        if (out.size() > kJsonBytesMax) return "its JSON would be over 64 MB";
    }
    out += ']';
    return nullptr;
}

void quote(const std::string& text, std::string& out) { out += '"' + text + '"'; }

const char* write_known(ProtoKnown known, const pb::Descriptor& message, std::string_view bytes, int depth,
                        std::string& out) {
    int64_t micros = 0;
    int32_t days = 0;
    std::string text;
    const char* fault = nullptr;
    switch (known) {
        case ProtoKnown::timestamp:
            fault = read_proto_timestamp(bytes, micros);
            if (fault == nullptr) quote(format_timestamp(micros, true), out);
            return fault;
        case ProtoKnown::duration:
            fault = read_proto_duration(bytes, text);
            if (fault == nullptr) quote(text, out);
            return fault;
        case ProtoKnown::date:
            fault = read_proto_date(bytes, days);
            if (fault == nullptr) quote(format_date(days), out);
            return fault;
        case ProtoKnown::time_of_day:
            fault = read_proto_time(bytes, micros);
            if (fault == nullptr) quote(format_time_of_day(micros), out);
            return fault;
        case ProtoKnown::wrapper: {
            ProtoValue value;
            fault = read_proto_wrapped(bytes, value);
            return fault != nullptr ? fault : write_value(*message.FindFieldByNumber(1), value, depth + 1, out);
        }
        case ProtoKnown::decimal: {
            ProtoDecimal decimal;
            int128 unscaled = 0;
            fault = read_proto_decimal(bytes, decimal);
            if (fault == nullptr && !read_big_endian(decimal.digits, unscaled)) fault = "a decimal has too many digits";
            if (fault == nullptr) append_json_decimal(unscaled, decimal.scale, out);
            return fault;
        }
        case ProtoKnown::any_value: return write_any_value(message, bytes, depth, out);
        case ProtoKnown::none: break;
    }
    return write_proto_message(message, bytes, depth, out);
}

const char* write_value(const Field& field, const ProtoValue& value, int depth, std::string& out) {
    switch (field.type()) {
        case Field::TYPE_DOUBLE:
        case Field::TYPE_FLOAT: append_json_float(proto_float(field, value.bits), out); return nullptr;
        case Field::TYPE_UINT64:
        case Field::TYPE_FIXED64: write_unsigned(value.bits, out); return nullptr;
        case Field::TYPE_BOOL: out += value.bits != 0 ? "true" : "false"; return nullptr;
        case Field::TYPE_STRING: return write_text(value.text, out);
        case Field::TYPE_BYTES: append_json_bytes(value.text, out); return nullptr;
        case Field::TYPE_ENUM: append_json_string(proto_symbol(field, value.bits), out); return nullptr;
        case Field::TYPE_MESSAGE:
        case Field::TYPE_GROUP:
            return write_known(known_type_of(*field.message_type()), *field.message_type(), value.text, depth + 1, out);
        default: append_json_int(proto_integer(field, value.bits), out); return nullptr;
    }
}

// Struct is a map of Values, ListValue a list of them, Value one of null, a number, a text, a bool and those two.
const char* write_any_value(const pb::Descriptor& message, std::string_view bytes, int depth, std::string& out) {
    if (depth > kDepthMax) return "messages are nested too deep";
    if (message.name() != "Value") {
        std::vector<ProtoValue> values;
        const char* fault = each_field(bytes, [&](uint32_t number, ProtoWire wire, const ProtoValue& value) {
            if (number == 1 && wire == ProtoWire::delimited) values.push_back(value);
        });
        return fault != nullptr ? fault : write_proto_field(*message.field(0), values, depth, out);
    }
    uint32_t set = 0;
    ProtoValue last;
    const char* fault = each_field(bytes, [&](uint32_t number, ProtoWire wire, const ProtoValue& value) {
        const Field* field = message.FindFieldByNumber(static_cast<int>(number));
        if (field == nullptr || wire_of(*field) != wire) return;
        set = number;
        last = value;
    });
    if (fault != nullptr) return fault;
    if (set <= 1) {
        out += "null";
        return nullptr;
    }
    return write_value(*message.FindFieldByNumber(static_cast<int>(set)), last, depth, out);
}

// A field that is not there.
void write_absent(const Field& field, std::string& out) {
    if (field.is_map()) {
        out += "{}";
    } else if (field.is_repeated()) {
        out += "[]";
    } else if (field.has_presence() && !field.has_default_value()) {
        out += "null";
    } else if (field.type() == Field::TYPE_STRING) {
        append_json_string(field.default_value_string(), out);
    } else if (field.type() == Field::TYPE_BYTES) {
        append_json_bytes(field.default_value_string(), out);
    } else {
        (void)write_value(field, {default_bits(field), {}}, 0, out);
    }
}

}  // namespace

ProtoKnown known_type_of(const pb::Descriptor& message) {
    const std::string& name = message.full_name();
    if (name == "google.protobuf.Timestamp") return ProtoKnown::timestamp;
    if (name == "google.protobuf.Duration") return ProtoKnown::duration;
    if (name == "google.type.Date") return ProtoKnown::date;
    if (name == "google.type.TimeOfDay") return ProtoKnown::time_of_day;
    if (name == "confluent.type.Decimal") return ProtoKnown::decimal;
    if (name == "google.protobuf.Struct" || name == "google.protobuf.Value" || name == "google.protobuf.ListValue") {
        return ProtoKnown::any_value;
    }
    const bool is_wrapper = message.file()->name() == "google/protobuf/wrappers.proto" && message.field_count() == 1;
    return is_wrapper ? ProtoKnown::wrapper : ProtoKnown::none;
}

ProtoWire wire_of(const Field& field) {
    switch (field.type()) {
        case Field::TYPE_DOUBLE:
        case Field::TYPE_FIXED64:
        case Field::TYPE_SFIXED64: return ProtoWire::fixed64;
        case Field::TYPE_FLOAT:
        case Field::TYPE_FIXED32:
        case Field::TYPE_SFIXED32: return ProtoWire::fixed32;
        case Field::TYPE_STRING:
        case Field::TYPE_BYTES:
        case Field::TYPE_MESSAGE: return ProtoWire::delimited;
        case Field::TYPE_GROUP: return ProtoWire::group_begin;
        default: return ProtoWire::varint;
    }
}

bool is_packable(const Field& field) {
    const ProtoWire wire = wire_of(field);
    return wire == ProtoWire::varint || wire == ProtoWire::fixed32 || wire == ProtoWire::fixed64;
}

bool unpack(const Field& field, std::string_view packed, std::vector<ProtoValue>& values) {
    ProtoCursor cursor(packed);
    while (!cursor.at_end()) {
        ProtoValue value;
        if (!cursor.read_value(0, wire_of(field), value)) return false;
        values.push_back(value);
    }
    return true;
}

int64_t proto_integer(const Field& field, uint64_t bits) {
    switch (field.type()) {
        case Field::TYPE_INT32:
        case Field::TYPE_ENUM:
        case Field::TYPE_SFIXED32: return static_cast<int32_t>(bits);
        case Field::TYPE_UINT32:
        case Field::TYPE_FIXED32: return static_cast<uint32_t>(bits);
        case Field::TYPE_SINT32: {
            const auto low = static_cast<uint32_t>(bits);
            return static_cast<int32_t>(low >> 1 ^ (0 - (low & 1)));
        }
        case Field::TYPE_SINT64: return static_cast<int64_t>(bits >> 1 ^ (0 - (bits & 1)));
        case Field::TYPE_BOOL: return bits != 0 ? 1 : 0;
        default: return static_cast<int64_t>(bits);
    }
}

double proto_float(const Field& field, uint64_t bits) {
    if (field.type() == Field::TYPE_FLOAT) {
        const auto low = static_cast<uint32_t>(bits);
        float value = 0;
        std::memcpy(&value, &low, sizeof value);
        return value;
    }
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

uint64_t default_bits(const Field& field) {
    uint64_t bits = 0;
    switch (field.cpp_type()) {
        case Field::CPPTYPE_INT32: bits = static_cast<uint64_t>(int64_t{field.default_value_int32()}); break;
        case Field::CPPTYPE_INT64: bits = static_cast<uint64_t>(field.default_value_int64()); break;
        case Field::CPPTYPE_UINT32: return field.default_value_uint32();
        case Field::CPPTYPE_UINT64: return field.default_value_uint64();
        case Field::CPPTYPE_BOOL: return field.default_value_bool() ? 1 : 0;
        case Field::CPPTYPE_ENUM: return static_cast<uint64_t>(int64_t{field.default_value_enum()->number()});
        case Field::CPPTYPE_DOUBLE: {
            const double value = field.default_value_double();
            std::memcpy(&bits, &value, sizeof value);
            return bits;
        }
        case Field::CPPTYPE_FLOAT: {
            const float value = field.default_value_float();
            std::memcpy(&bits, &value, sizeof value);
            return bits;
        }
        default: return 0;
    }
    const bool is_zigzag = field.type() == Field::TYPE_SINT32 || field.type() == Field::TYPE_SINT64;
    return is_zigzag ? bits << 1 ^ (0 - (bits >> 63)) : bits;
}

std::string proto_symbol(const Field& field, uint64_t bits) {
    const auto number = static_cast<int>(proto_integer(field, bits));
    const pb::EnumValueDescriptor* value = field.enum_type()->FindValueByNumber(number);
    return value != nullptr ? value->name() : std::to_string(number);
}

const char* read_proto_timestamp(std::string_view bytes, int64_t& micros) {
    int64_t seconds = 0;
    int32_t nanos = 0;
    if (const char* fault = read_seconds(bytes, seconds, nanos)) return fault;
    if (nanos < 0 || nanos >= kNanosPerSecond || __builtin_mul_overflow(seconds, int64_t{1'000'000}, &micros) ||
        __builtin_add_overflow(micros, nanos / 1000, &micros)) {
        return "a timestamp is out of range";
    }
    return nullptr;
}

const char* read_proto_duration(std::string_view bytes, std::string& text) {
    int64_t seconds = 0;
    int32_t nanos = 0;
    if (const char* fault = read_seconds(bytes, seconds, nanos)) return fault;
    if (nanos <= -kNanosPerSecond || nanos >= kNanosPerSecond || (seconds > 0 && nanos < 0) ||
        (seconds < 0 && nanos > 0) || seconds == std::numeric_limits<int64_t>::min()) {
        return "a duration is out of range";
    }
    text = seconds < 0 || nanos < 0 ? "-" : "";
    text += std::to_string(seconds < 0 ? -seconds : seconds);
    if (nanos != 0) {
        std::string fraction = std::to_string(nanos < 0 ? -nanos : nanos);
        fraction.insert(0, 9 - fraction.size(), '0');
        while (fraction.back() == '0') fraction.pop_back();
        text += '.' + fraction;
    }
    text += 's';
    return nullptr;
}

const char* read_proto_date(std::string_view bytes, int32_t& days) {
    int32_t parts[3] = {0, 0, 0};
    const char* fault = each_field(bytes, [&](uint32_t number, ProtoWire wire, const ProtoValue& value) {
        if (wire == ProtoWire::varint && number <= 3) parts[number - 1] = static_cast<int32_t>(value.bits);
    });
    if (fault != nullptr) return fault;
    if (parts[0] < 1 || parts[0] > 9999 || parts[1] < 1 || parts[1] > 12 || parts[2] < 1 || parts[2] > 31) {
        return "a date is not a whole one";
    }
    days = static_cast<int32_t>(
        days_from_civil(parts[0], static_cast<unsigned>(parts[1]), static_cast<unsigned>(parts[2])));
    return nullptr;
}

const char* read_proto_time(std::string_view bytes, int64_t& micros) {
    int32_t parts[4] = {0, 0, 0, 0};
    const char* fault = each_field(bytes, [&](uint32_t number, ProtoWire wire, const ProtoValue& value) {
        if (wire == ProtoWire::varint && number <= 4) parts[number - 1] = static_cast<int32_t>(value.bits);
    });
    if (fault != nullptr) return fault;
    const auto within = [](int32_t value, int32_t limit) { return value >= 0 && value < limit; };
    if (!within(parts[0], 24) || !within(parts[1], 60) || !within(parts[2], 60) || !within(parts[3], kNanosPerSecond)) {
        return "a time is out of range";
    }
    micros = ((int64_t{parts[0]} * 60 + parts[1]) * 60 + parts[2]) * 1'000'000 + parts[3] / 1000;
    return nullptr;
}

const char* read_proto_decimal(std::string_view bytes, ProtoDecimal& decimal) {
    const char* fault = each_field(bytes, [&](uint32_t number, ProtoWire wire, const ProtoValue& value) {
        if (number == 1 && wire == ProtoWire::delimited) decimal.digits = value.text;
        if (number == 3 && wire == ProtoWire::varint) decimal.scale = static_cast<int32_t>(value.bits);
    });
    if (fault != nullptr) return fault;
    return decimal.scale < 0 || decimal.scale > kDecimalDigitsMax ? "a decimal has a scale out of range" : nullptr;
}

const char* read_proto_wrapped(std::string_view bytes, ProtoValue& value) {
    return each_field(bytes, [&](uint32_t number, ProtoWire, const ProtoValue& found) {
        if (number == 1) value = found;
    });
}

const char* merge_proto_message(std::string_view bytes, std::string& merged) {
    merged += bytes;
    return each_field(bytes, [](uint32_t, ProtoWire, const ProtoValue&) {});
}

const char* write_proto_field(const Field& field, const std::vector<ProtoValue>& values, int depth, std::string& out) {
    if (values.empty()) {
        write_absent(field, out);
        return nullptr;
    }
    if (field.is_map()) return write_map(field, values, depth, out);
    if (field.is_repeated()) return write_list(field, values, depth, out);
    if (values.size() == 1 || field.type() != Field::TYPE_MESSAGE) return write_value(field, values.back(), depth, out);
    std::string merged;
    for (const ProtoValue& value : values) {
        if (const char* fault = merge_proto_message(value.text, merged)) return fault;
    }
    return write_value(field, {0, merged}, depth, out);
}

const char* write_proto_message(const pb::Descriptor& message, std::string_view bytes, int depth, std::string& out) {
    if (depth > kDepthMax) return "messages are nested too deep";
    std::vector<std::vector<ProtoValue>> values(static_cast<size_t>(message.field_count()));
    const char* wrong = nullptr;
    const char* fault = each_field(bytes, [&](uint32_t number, ProtoWire wire, const ProtoValue& value) {
        const Field* field = message.FindFieldByNumber(static_cast<int>(number));
        if (field == nullptr) return;
        auto& of_field = values[static_cast<size_t>(field->index())];
        if (field->is_repeated() && wire == ProtoWire::delimited && is_packable(*field)) {
            if (!unpack(*field, value.text, of_field)) wrong = "a packed list is broken";
        } else if (wire == wire_of(*field)) {
            if (const pb::OneofDescriptor* oneof = field->containing_oneof()) {
                for (int i = 0; i < oneof->field_count(); ++i) {
                    if (oneof->field(i) != field) values[static_cast<size_t>(oneof->field(i)->index())].clear();
                }
            }
            of_field.push_back(value);
        } else {
            wrong = "it stands in the bytes in another form than its type has";
        }
    });
    if (fault == nullptr) fault = wrong;
    if (fault != nullptr) return fault;
    out += '{';
    for (int i = 0; i < message.field_count(); ++i) {
        if (i > 0) out += ',';
        append_json_string(message.field(i)->name(), out);
        out += ':';
        fault = write_proto_field(*message.field(i), values[static_cast<size_t>(i)], depth, out);
        if (fault != nullptr) return fault;
    }
    out += '}';
    return nullptr;
}

}  // namespace shaduf::kafka
