#include "data/json_nested.h"

#include <algorithm>

#include "base/text.h"

namespace shaduf {
namespace {

// A structure with more fields is taken for a map, and kept as json.
constexpr size_t kStructureFieldsMax = 256;

std::optional<DataType> natural_value(JsonCursor& cursor);

std::optional<DataType> natural_list(JsonCursor& cursor) {
    std::optional<DataType> item;
    bool closed = false;
    cursor.enter(']', closed);
    if (closed) return std::nullopt;
    while (!closed) {
        const auto type = natural_value(cursor);
        if (type) item = item ? widen(*item, *type) : *type;
        if (!cursor.next_item(']', closed)) return std::nullopt;
    }
    cursor.leave();
    if (!item) return std::nullopt;
    return DataType::list(*item);
}

std::optional<DataType> natural_structure(JsonCursor& cursor) {
    std::vector<Field> fields;
    bool closed = false;
    bool clash = false;  // names that differ only in case make no structure
    cursor.enter('}', closed);
    if (closed) return std::nullopt;
    while (!closed) {
        std::string_view key;
        if (!cursor.read_key(key)) return std::nullopt;
        if (fields.size() > kStructureFieldsMax) {
            if (!cursor.skip_value() || !cursor.next_item('}', closed)) return std::nullopt;
            continue;
        }
        const auto known = std::find_if(fields.begin(), fields.end(),
                                        [&](const Field& field) { return equals_ignoring_case(field.name, key); });
        const std::string name(key);
        const auto type = natural_value(cursor);
        if (known != fields.end()) {
            clash = clash || known->name != name;
            if (type) known->type = widen(known->type, *type);
        } else if (type) {
            fields.push_back({name, *type});
        }
        if (!cursor.next_item('}', closed)) return std::nullopt;
    }
    cursor.leave();
    if (clash || fields.size() > kStructureFieldsMax) return TypeKind::json;
    if (fields.empty()) return std::nullopt;
    return DataType::structure(std::move(fields));
}

std::optional<DataType> natural_value(JsonCursor& cursor) {
    switch (cursor.peek()) {
        case '{': return natural_structure(cursor);
        case '[': return natural_list(cursor);
        case '"': {
            std::string_view text;
            if (!cursor.read_string(text)) return std::nullopt;
            return natural_string_type(text);
        }
        case 't':
        case 'f':
        case 'n': {
            std::optional<bool> value;
            if (!cursor.read_literal(value) || !value) return std::nullopt;
            return DataType(TypeKind::boolean);
        }
        default: {
            JsonNumber number;
            if (!cursor.read_number(number)) return std::nullopt;
            return natural_number_type(number.text, number.is_int64);
        }
    }
}

TargetColumn target_of(const ColumnBuilder& builder, bool declared) {
    return {0, "", builder.type(), builder.type().kind(), declared};
}

}  // namespace

std::optional<DataType> natural_json_type(std::string_view value, Nesting nesting) {
    if (nesting != Nesting::structure && (value.front() == '{' || value.front() == '[')) return TypeKind::json;
    JsonCursor cursor(value);
    return natural_value(cursor);
}

bool NestedReader::put(ColumnBuilder& to, bool fitted) {
    if (!fitted) {
        ++misfits_;
        to.append_null();
    }
    return true;
}

bool NestedReader::read(ColumnBuilder& to) {
    const TypeKind kind = to.type().kind();
    const char first = cursor_.peek();
    if (first == 'n') {
        std::optional<bool> value;
        if (!cursor_.read_literal(value)) return false;
        to.append_null();
        return true;
    }
    if (kind == TypeKind::list && first == '[') return read_list(to);
    if (kind == TypeKind::structure && first == '{') return read_structure(to);
    if (kind != TypeKind::json && first != '{' && first != '[') return read_scalar(to);
    const char* begin = cursor_.at();
    if (!cursor_.skip_value()) return false;
    const bool as_text = kind == TypeKind::json || (kind == TypeKind::string && declared_);
    if (as_text) to.append_text(cursor_.since(begin));
    return put(to, as_text);
}

bool NestedReader::read_scalar(ColumnBuilder& to) {
    const TargetColumn column = target_of(to, declared_);
    const char first = cursor_.peek();
    if (first == '"') {
        std::string_view text;
        if (!cursor_.read_string(text)) return false;
        if (to.type().is_nested()) return put(to, false);
        TimestampOnce timestamp(text);
        return put(to, append_string_value(to, column, text, timestamp));
    }
    if (first == 't' || first == 'f') {
        std::optional<bool> value;
        return cursor_.read_literal(value) && put(to, append_boolean_value(to, column, *value));
    }
    JsonNumber number;
    if (!cursor_.read_number(number)) return false;
    const auto integer = number.is_int64 ? std::optional(number.value) : std::nullopt;
    return put(to, append_number_value(to, column, number.text, integer));
}

bool NestedReader::read_list(ColumnBuilder& to) {
    bool closed = false;
    if (!cursor_.enter(']', closed)) return false;
    if (!closed) {
        while (!closed) {
            if (!read(to.child(0)) || !cursor_.next_item(']', closed)) return false;
        }
        cursor_.leave();
    }
    to.append_list();
    return true;
}

bool NestedReader::read_field(ColumnBuilder& to, std::string_view key, size_t& guess) {
    const auto& fields = to.type().children();
    for (size_t tried = 0; tried < fields.size(); ++tried) {
        const size_t i = guess + tried < fields.size() ? guess + tried : guess + tried - fields.size();
        if (fields[i].name != key) continue;
        guess = i + 1 < fields.size() ? i + 1 : 0;
        ColumnBuilder& child = to.child(i);
        if (child.length() > to.length()) child.truncate(to.length());  // the key came before: the last one counts
        return read(child);
    }
    const bool is_null = cursor_.peek() == 'n';
    if (!declared_ && !is_null) ++misfits_;
    return cursor_.skip_value();
}

bool NestedReader::read_structure(ColumnBuilder& to) {
    bool closed = false;
    if (!cursor_.enter('}', closed)) return false;
    if (!closed) {
        size_t guess = 0;
        while (!closed) {
            std::string_view key;
            if (!cursor_.read_key(key)) return false;
            if (!read_field(to, key, guess) || !cursor_.next_item('}', closed)) return false;
        }
        cursor_.leave();
    }
    for (size_t i = 0; i < to.type().children().size(); ++i) {
        if (to.child(i).length() == to.length()) to.child(i).append_null();
    }
    to.append_structure();
    return true;
}

}  // namespace shaduf
