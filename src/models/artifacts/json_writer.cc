#include "models/artifacts/json_writer.h"

#include <cmath>
#include <sstream>

#include "models/yaml/yaml_node.h"

namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::Value;

constexpr size_t kPieceBytes = 256 << 10;

void append_escape(std::string& out, uint32_t unit) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[(unit >> static_cast<unsigned>(shift)) & 0xFU];
}

// The code point that begins at `at`, and past it; a byte that begins none stands for itself.
uint32_t next_code_point(std::string_view text, size_t& at) {
    const auto byte = [&](size_t index) { return static_cast<uint8_t>(text[index]); };
    const uint8_t first = byte(at);
    const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
    if (length == 1 || at + length > text.size()) return byte(at++);
    uint32_t point = first & (0xFFU >> (length + 1));
    for (size_t i = 1; i < length; ++i) point = (point << 6U) | (byte(at + i) & 0x3FU);
    at += length;
    return point;
}

void append_beyond_ascii(std::string& out, std::string_view text, size_t& at) {
    const uint32_t point = next_code_point(text, at);
    if (point < 0x10000) return append_escape(out, point);
    append_escape(out, 0xD800 + ((point - 0x10000) >> 10U));
    append_escape(out, 0xDC00 + ((point - 0x10000) & 0x3FFU));
}

std::string key_text(const Value& key) {
    if (key.kind() == Kind::boolean) return key.boolean() ? "true" : "false";
    return key.is_none() ? "null" : key.text();
}

}  // namespace

void JsonWriter::separate() {
    if (needs_comma_) buffer_ += ", ";
}

void JsonWriter::open(char bracket) {
    separate();
    buffer_ += bracket;
    needs_comma_ = false;
}

void JsonWriter::close(char bracket) {
    buffer_ += bracket;
    needs_comma_ = true;
    flush_if_large();
}

void JsonWriter::key(std::string_view name) {
    separate();
    append_text(name);
    buffer_ += ": ";
    needs_comma_ = false;
}

void JsonWriter::integer(int64_t value) { raw(std::to_string(value)); }
void JsonWriter::real(double value) {
    if (std::isnan(value)) return raw("NaN");
    if (std::isinf(value)) return raw(value > 0 ? "Infinity" : "-Infinity");
    raw(python_float(value));
}

void JsonWriter::text(std::string_view value) {
    separate();
    append_text(value);
    needs_comma_ = true;
}

void JsonWriter::texts(const std::vector<std::string>& values) {
    begin_list();
    for (const std::string& value : values) text(value);
    end_list();
}

void JsonWriter::raw(std::string_view json) {
    separate();
    needs_comma_ = true;
    if (json.size() < kPieceBytes) {
        buffer_ += json;
        return;
    }
    finish();
    out_.write(json.data(), static_cast<std::streamsize>(json.size()));
    sent_ += json.size();
}

void JsonWriter::append_text(std::string_view value) {
    buffer_ += '"';
    size_t clean = 0;
    for (size_t at = 0; at < value.size();) {
        const auto c = static_cast<unsigned char>(value[at]);
        if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\') {
            ++at;
            continue;
        }
        buffer_ += value.substr(clean, at - clean);
        if (c >= 0x80) {
            append_beyond_ascii(buffer_, value, at);
        } else {
            constexpr std::string_view kFrom = "\"\\\n\r\t\b\f";
            constexpr std::string_view kTo = "\"\\nrtbf";
            const size_t known = kFrom.find(static_cast<char>(c));
            if (known != std::string_view::npos)
                (buffer_ += '\\') += kTo[known];
            else if (c == 0x7F)
                buffer_ += static_cast<char>(c);
            else
                append_escape(buffer_, c);
            ++at;
        }
        clean = at;
    }
    buffer_ += value.substr(clean);
    buffer_ += '"';
}

void JsonWriter::value(const Value& value) {
    switch (value.kind()) {
        case Kind::undefined:
        case Kind::none: return none();
        case Kind::boolean: return boolean(value.boolean());
        case Kind::integer: return integer(value.integer());
        case Kind::floating: return real(value.floating());
        case Kind::string: return text(value.string());
        case Kind::list:
        case Kind::tuple:
            begin_list();
            for (const Value& item : value.items()) this->value(item);
            return end_list();
        case Kind::dict:
            begin_object();
            for (const auto& [name, item] : value.dict().entries()) {
                name.is_string() ? key(name.string()) : key(key_text(name));
                this->value(item);
            }
            return end_object();
        case Kind::set:
            begin_list();
            for (const auto& member : value.set().members.entries()) this->value(member.key);
            return end_list();
        case Kind::object: return text(value.text());
    }
}

void JsonWriter::field(std::string_view name, std::string_view value) {
    key(name);
    text(value);
}

void JsonWriter::field(std::string_view name, const std::optional<std::string>& value) {
    if (!value) return none_field(name);
    field(name, std::string_view(*value));
}

void JsonWriter::field(std::string_view name, const std::vector<std::string>& values) {
    key(name);
    texts(values);
}

void JsonWriter::field(std::string_view name, const Value& value) {
    key(name);
    this->value(value);
}

void JsonWriter::none_field(std::string_view name) {
    key(name);
    none();
}

void JsonWriter::flag_field(std::string_view name, bool value) {
    key(name);
    boolean(value);
}

void JsonWriter::integer_field(std::string_view name, int64_t value) {
    key(name);
    integer(value);
}

void JsonWriter::real_field(std::string_view name, double value) {
    key(name);
    real(value);
}

void JsonWriter::flush_if_large() {
    if (buffer_.size() < kPieceBytes) return;
    finish();
}

void JsonWriter::finish() {
    out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    sent_ += buffer_.size();
    buffer_.clear();
}

std::string json_of(const Value& value) {
    std::ostringstream out;
    JsonWriter writer(out);
    writer.value(value);
    writer.finish();
    return std::move(out).str();
}

}  // namespace shaduf::models
