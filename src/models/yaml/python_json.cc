#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "models/yaml/yaml_node.h"

namespace shaduf::models {
namespace {

// The code point at the start of valid UTF-8, taken off.
uint32_t take_code_point(std::string_view& text) {
    const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const uint32_t first = byte(0);
    const size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint32_t point = first & (length == 1 ? 0x7FU : 0x3FU >> (length - 1));
    for (size_t i = 1; i < length; ++i) point = (point << 6U) | (byte(i) & 0x3FU);
    text.remove_prefix(std::min(length, text.size()));
    return point;
}

void append_unit(std::string& out, uint32_t unit) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(unit >> static_cast<unsigned>(shift)) & 0xFU];
}

void append_text(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const uint32_t point = take_code_point(text);
        switch (point) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            case '\b': out += "\\b"; break;
            case '\f': out += "\\f"; break;
            default:
                if (point >= 0x20 && point < 0x7F) {
                    out += static_cast<char>(point);
                } else if (point < 0x10000) {
                    append_unit(out, point);
                } else {
                    append_unit(out, 0xD800 + ((point - 0x10000) >> 10U));
                    append_unit(out, 0xDC00 + ((point - 0x10000) & 0x3FFU));
                }
        }
    }
    out += '"';
}

std::string json_float(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    return python_float(value);
}

// Keys of JSON are texts.
std::string key_text(const YamlNode& key) {
    switch (key.kind()) {
        case YamlKind::null: return "null";
        case YamlKind::boolean: return key.boolean() ? "true" : "false";
        case YamlKind::integer: return std::to_string(key.integer());
        case YamlKind::real: return json_float(key.real());
        default: return std::string(key.text());
    }
}

class Printer {
public:
    explicit Printer(JsonKeys keys) : keys_(keys) {}

    void print(const YamlNode& node) {
        switch (node.kind()) {
            case YamlKind::null: out_ += "null"; return;
            case YamlKind::boolean: out_ += node.boolean() ? "true" : "false"; return;
            case YamlKind::integer: out_ += std::to_string(node.integer()); return;
            case YamlKind::big_integer: out_ += node.text(); return;
            case YamlKind::real: out_ += json_float(node.real()); return;
            case YamlKind::text:
            case YamlKind::date:
            case YamlKind::datetime: append_text(out_, node.text()); return;
            case YamlKind::list: print_list(node); return;
            case YamlKind::map: print_map(node); return;
        }
    }
    std::string take() { return std::move(out_); }

private:
    void print_list(const YamlNode& node) {
        out_ += '[';
        const char* separator = "";
        for (const YamlNode& item : node.items()) {
            out_ += separator;
            separator = ", ";
            print(item);
        }
        out_ += ']';
    }
    void print_map(const YamlNode& node) {
        std::vector<std::pair<std::string, const YamlNode*>> members;
        for (const YamlEntry& entry : node.entries()) members.emplace_back(key_text(entry.key), &entry.value);
        if (keys_ == JsonKeys::sorted) {
            std::stable_sort(members.begin(), members.end(), [](auto& a, auto& b) { return a.first < b.first; });
        }
        out_ += '{';
        const char* separator = "";
        for (const auto& [key, value] : members) {
            out_ += separator;
            separator = ", ";
            append_text(out_, key);
            out_ += ": ";
            print(*value);
        }
        out_ += '}';
    }

    JsonKeys keys_;
    std::string out_;
};

}  // namespace

std::string to_python_json(const YamlNode& node, JsonKeys keys) {
    Printer printer(keys);
    printer.print(node);
    return printer.take();
}

std::string python_float(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    // Python takes the shortest digits that read back, and an exponent below 1e-4 and from 1e16 on.
    const double size = std::abs(value);
    const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
    std::array<char, 64> buffer{};
    const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format).ptr;
    std::string text(buffer.data(), end);
    if (plain && text.find('.') == std::string::npos) text += ".0";
    return text;
}

}  // namespace shaduf::models
