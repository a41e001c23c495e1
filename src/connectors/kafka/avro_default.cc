#include "connectors/kafka/avro_default.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

namespace shaduf::kafka {
namespace {

using Json = nlohmann::json;

constexpr int kDepthMax = 128;

bool encode(const AvroType& type, const Json& json, std::string& out, int depth);

void append_sized(std::string_view bytes, std::string& out) {
    append_avro_long(static_cast<int64_t>(bytes.size()), out);
    out += bytes;
}

// Characters below 256 as the bytes of their numbers.
std::optional<std::string> latin_bytes(std::string_view utf8) {
    std::string bytes;
    for (size_t i = 0; i < utf8.size(); ++i) {
        const auto lead = static_cast<uint8_t>(utf8[i]);
        if (lead < 0x80) {
            bytes += utf8[i];
        } else if ((lead == 0xC2 || lead == 0xC3) && i + 1 < utf8.size()) {
            bytes += static_cast<char>((lead & 0x03) << 6 | (static_cast<uint8_t>(utf8[++i]) & 0x3F));
        } else {
            return std::nullopt;
        }
    }
    return bytes;
}

template <typename T>
void append_bits(T value, std::string& out) {
    std::array<char, sizeof value> bits;
    std::memcpy(bits.data(), &value, sizeof value);
    out.append(bits.data(), bits.size());
}

bool encode_integer(const Json& json, int64_t most, std::string& out) {
    if (!json.is_number_integer()) return false;
    if (json.is_number_unsigned() && json.get<uint64_t>() > static_cast<uint64_t>(most)) return false;
    const auto value = json.get<int64_t>();
    if (value < -most - 1) return false;
    append_avro_long(value, out);
    return true;
}

bool encode_bytes(const AvroType& type, const Json& json, std::string& out) {
    if (!json.is_string()) return false;
    const auto bytes = latin_bytes(json.get_ref<const std::string&>());
    if (!bytes) return false;
    if (type.kind == AvroKind::fixed) {
        out += *bytes;
        return bytes->size() == type.size;
    }
    append_sized(*bytes, out);
    return true;
}

bool encode_items(const AvroType& type, const Json& json, std::string& out, int depth) {
    const bool is_map = type.kind == AvroKind::map;
    if (is_map ? !json.is_object() : !json.is_array()) return false;
    if (!json.empty()) append_avro_long(static_cast<int64_t>(json.size()), out);
    for (auto item = json.begin(); item != json.end(); ++item) {
        if (is_map) append_sized(item.key(), out);
        if (!encode(*type.items, *item, out, depth + 1)) return false;
    }
    append_avro_long(0, out);
    return true;
}

bool encode_record(const AvroType& type, const Json& json, std::string& out, int depth) {
    if (!json.is_object()) return false;
    for (const AvroField& field : type.fields) {
        const auto own = json.find(field.name);
        if (own == json.end() && !field.default_json) return false;
        const Json value = own != json.end() ? *own : Json::parse(*field.default_json, nullptr, false);
        if (!encode(*field.type, value, out, depth + 1)) return false;
    }
    return true;
}

bool encode_union(const AvroType& type, const Json& json, std::string& out, int depth) {
    for (size_t i = 0; i < type.branches.size(); ++i) {
        std::string value;
        if (!encode(*type.branches[i], json, value, depth + 1)) continue;
        append_avro_long(static_cast<int64_t>(i), out);
        out += value;
        return true;
    }
    return false;
}

bool encode_symbol(const AvroType& type, const Json& json, std::string& out) {
    if (!json.is_string()) return false;
    const auto at = std::find(type.symbols.begin(), type.symbols.end(), json.get_ref<const std::string&>());
    append_avro_long(at - type.symbols.begin(), out);
    return at != type.symbols.end();
}

bool encode(const AvroType& type, const Json& json, std::string& out, int depth) {
    if (depth > kDepthMax) return false;
    switch (type.kind) {
        case AvroKind::null: return json.is_null();
        case AvroKind::boolean:
            if (!json.is_boolean()) return false;
            out += json.get<bool>() ? '\1' : '\0';
            return true;
        case AvroKind::integer: return encode_integer(json, std::numeric_limits<int32_t>::max(), out);
        case AvroKind::long_integer: return encode_integer(json, std::numeric_limits<int64_t>::max(), out);
        case AvroKind::float32:
            if (!json.is_number()) return false;
            append_bits(json.get<float>(), out);
            return true;
        case AvroKind::float64:
            if (!json.is_number()) return false;
            append_bits(json.get<double>(), out);
            return true;
        case AvroKind::bytes:
        case AvroKind::fixed: return encode_bytes(type, json, out);
        case AvroKind::string:
            if (!json.is_string()) return false;
            append_sized(json.get_ref<const std::string&>(), out);
            return true;
        case AvroKind::enumeration: return encode_symbol(type, json, out);
        case AvroKind::record: return encode_record(type, json, out, depth);
        case AvroKind::array:
        case AvroKind::map: return encode_items(type, json, out, depth);
        case AvroKind::alternatives: break;
    }
    return encode_union(type, json, out, depth);
}

}  // namespace

void append_avro_long(int64_t value, std::string& out) {
    auto bits = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
    while (bits >= 0x80) {
        out += static_cast<char>(bits | 0x80);
        bits >>= 7;
    }
    out += static_cast<char>(bits);
}

Result<std::string> encode_avro_default(const AvroType& type, std::string_view json) {
    std::string bytes;
    if (encode(type, Json::parse(json, nullptr, false), bytes, 0)) return bytes;
    return Error(ErrorKind::bad_data,
                 "default of a field is no value of its type: " + std::string(json.substr(0, 200)));
}

}  // namespace shaduf::kafka
