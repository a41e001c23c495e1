#include "connectors/kafka/metadata_text.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/time.h"
#include "data/json_cursor.h"
#include "data/utf8.h"
#include "io/crypto.h"

namespace shaduf::kafka {
namespace {

void append_number(int64_t number, std::string& out) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

// The field of a CSV record, in quotes.
void append_quoted(std::string_view text, std::string& out) {
    out += '"';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

TypeKind key_type(KeyText keys) {
    switch (keys) {
        case KeyText::text: return TypeKind::string;
        case KeyText::bytes: return TypeKind::bytes;
        case KeyText::json:
        case KeyText::decoded: break;
    }
    return TypeKind::json;
}

}  // namespace

std::vector<ShapeColumn> MetadataText::columns() const {
    std::vector<ShapeColumn> columns;
    const auto add = [&](bool wanted, const char* name, DataType type) {
        const std::string full = wanted_.prefix + name;
        if (wanted) columns.push_back({full, std::move(type), {full}, false});
    };
    add(wanted_.topic, "topic", TypeKind::string);
    add(wanted_.partition, "partition", TypeKind::int64);
    add(wanted_.offset, "offset", TypeKind::int64);
    add(wanted_.timestamp, "timestamp", TypeKind::timestamp_tz);
    add(wanted_.key, "key", key_type(keys_));
    add(wanted_.headers, "headers", TypeKind::json);
    add(wanted_.tombstone, "tombstone", TypeKind::boolean);
    return columns;
}

std::vector<std::string> MetadataText::names() const {
    std::vector<std::string> names;
    for (const auto& column : columns()) names.push_back(column.name);
    return names;
}

void MetadataText::begin(const Messages& messages, const DecodedColumn* keys) {
    messages_ = &messages;
    decoded_ = keys;
    stretch_ = SIZE_MAX;
}

void MetadataText::move_to(uint32_t message) {
    const auto& stretches = messages_->stretches;
    if (stretch_ != SIZE_MAX && (stretch_ + 1 == stretches.size() || message < stretches[stretch_ + 1].row)) return;
    if (stretch_ == SIZE_MAX) stretch_ = 0;
    while (stretch_ + 1 < stretches.size() && stretches[stretch_ + 1].row <= message) ++stretch_;
    place_members_.clear();
    if (wanted_.topic) {
        append_json_string(wanted_.prefix + "topic", place_members_);
        place_members_ += ':';
        append_json_string(stretches[stretch_].topic, place_members_);
        place_members_ += ',';
    }
    if (wanted_.partition) {
        append_json_string(wanted_.prefix + "partition", place_members_);
        place_members_ += ':' + std::to_string(stretches[stretch_].partition) + ',';
    }
}

// Messages of one second share all but the digits behind the point.
void MetadataText::append_timestamp(int64_t milliseconds, std::string& out) {
    const int64_t second = milliseconds / 1000;
    if (second != second_) {
        second_ = second;
        second_text_ = format_timestamp(second * 1'000'000, true);
        second_text_.pop_back();
    }
    out += second_text_;
    const auto rest = static_cast<int>(milliseconds % 1000);
    const std::array<char, 5> fraction{'.', static_cast<char>('0' + rest / 100),
                                       static_cast<char>('0' + rest / 10 % 10), static_cast<char>('0' + rest % 10),
                                       'Z'};
    out.append(fraction.data(), fraction.size());
}

void MetadataText::append_timestamp_value(int64_t milliseconds, std::string& out) {
    if (milliseconds < 0) {
        out += "null";
        return;
    }
    out += '"';
    append_timestamp(milliseconds, out);
    out += '"';
}

std::optional<std::string> MetadataText::key_fault(uint32_t message) const {
    const auto at = std::lower_bound(decoded_->rejected.begin(), decoded_->rejected.end(), size_t{message},
                                     [](const RejectedRow& rejected, size_t row) { return rejected.row < row; });
    if (at == decoded_->rejected.end() || at->row != message) return std::nullopt;
    return "the key cannot be read: " + at->why.message();
}

std::optional<std::string> MetadataText::key_as_text(uint32_t message, std::string& out) {
    const std::string_view key = messages_->at(messages_->keys[message]).value_or("");
    switch (keys_) {
        case KeyText::text:
            if (const auto invalid = find_invalid_utf8(key)) {
                return "the key is not valid UTF-8 at byte " + std::to_string(*invalid) + "; set key_format: raw";
            }
            out += key;
            return std::nullopt;
        case KeyText::json: {
            JsonCursor cursor(key);
            cursor.skip_space();
            if (!cursor.skip_value() || !cursor.finish()) return "the key is invalid JSON: " + cursor.fault();
            out += key;
            return std::nullopt;
        }
        case KeyText::bytes: out += "\\x" + to_hex(key); return std::nullopt;
        case KeyText::decoded: break;
    }
    if (auto fault = key_fault(message)) return fault;
    out += format_value(decoded_->column, message);
    return std::nullopt;
}

std::optional<std::string> MetadataText::key_as_json(uint32_t message, std::string& out) {
    if (messages_->keys.empty() || messages_->keys[message].is_null()) {
        out += "null";
        return std::nullopt;
    }
    if (keys_ == KeyText::json) return key_as_text(message, out);
    if (keys_ == KeyText::decoded) {
        if (auto fault = key_fault(message)) return fault;
        append_json(decoded_->column, message, out);
        return std::nullopt;
    }
    std::string text;
    auto fault = key_as_text(message, text);
    append_json_string(text, out);
    return fault;
}

std::optional<std::string> MetadataText::append_members(uint32_t message, std::string& out) {
    move_to(message);
    out += place_members_;
    const auto name = [&](std::string_view of) {
        out += '"';
        out += wanted_.prefix;
        out += of;
        out += "\":";
    };
    if (wanted_.offset) {
        name("offset");
        append_number(messages_->offsets[message], out);
        out += ',';
    }
    if (wanted_.timestamp) {
        name("timestamp");
        append_timestamp_value(messages_->timestamps_ms[message], out);
        out += ',';
    }
    std::optional<std::string> fault;
    if (wanted_.key) {
        name("key");
        fault = key_as_json(message, out);
        out += ',';
    }
    if (wanted_.headers) {
        name("headers");
        const auto text = messages_->headers.empty() ? std::nullopt : messages_->at(messages_->headers[message]);
        out += text.value_or("null");
        out += ',';
    }
    if (wanted_.tombstone) {
        name("tombstone");
        out += messages_->values[message].is_null() ? "true," : "false,";
    }
    out.pop_back();
    return fault;
}

std::optional<std::string> MetadataText::append_fields(uint32_t message, char delimiter, std::string_view null_text,
                                                       std::string& out) {
    const Messages::Stretch& stretch = messages_->stretch_of(message);
    const auto end_field = [&] { out += delimiter; };
    const auto add_text = [&](std::optional<std::string_view> text) {
        if (text) {
            append_quoted(*text, out);
        } else {
            out += null_text;
        }
        end_field();
    };
    if (wanted_.topic) add_text(stretch.topic);
    if (wanted_.partition) {
        append_number(stretch.partition, out);
        end_field();
    }
    if (wanted_.offset) {
        append_number(messages_->offsets[message], out);
        end_field();
    }
    if (wanted_.timestamp) {
        std::string text;
        const int64_t milliseconds = messages_->timestamps_ms[message];
        if (milliseconds >= 0) append_timestamp(milliseconds, text);
        add_text(milliseconds >= 0 ? std::optional<std::string_view>(text) : std::nullopt);
    }
    if (wanted_.key) {
        const bool is_null = messages_->keys.empty() || messages_->keys[message].is_null();
        std::string text;
        auto fault = is_null ? std::nullopt : key_as_text(message, text);
        if (fault) return fault;
        add_text(is_null ? std::nullopt : std::optional<std::string_view>(text));
    }
    if (wanted_.headers) {
        add_text(messages_->headers.empty() ? std::nullopt : messages_->at(messages_->headers[message]));
    }
    if (wanted_.tombstone) {
        out += messages_->values[message].is_null() ? "true" : "false";
        end_field();
    }
    return std::nullopt;
}

}  // namespace shaduf::kafka
