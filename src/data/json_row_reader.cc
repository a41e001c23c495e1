#include "data/json_row_reader.h"

#include "base/text.h"
#include "data/json_nested.h"

namespace shaduf {

JsonRowReader::JsonRowReader(const Shape& shape, const JsonPlan& plan, const SchemaPtr& schema)
    : shape_(shape), plan_(plan), rows_(schema), guesses_(plan.slots(), 0), seen_(plan.slots(), 0), judge_(shape) {}

void JsonRowReader::reserve(size_t rows) {
    constexpr size_t kUsualTextBytes = 12;
    for (size_t i = 0; i < shape_.columns.size(); ++i) rows_.column(i).reserve(rows, rows * kUsualTextBytes);
}

std::optional<Error> JsonRowReader::read(std::string_view text, size_t row) {
    judge_.start_row(row);
    ++document_;
    cursor_.reset(text);
    if (!read_document(text) || !judge_.keep_row()) [[unlikely]] {
        rows_.undo_row();
        if (auto why = judge_.drop_row()) return why;
        return Error(ErrorKind::bad_data, "invalid JSON: " + cursor_.fault());
    }
    for (size_t i = 0; i < shape_.columns.size(); ++i) {
        ColumnBuilder& column = rows_.column(i);
        if (column.length() == rows_.rows()) column.append_null();
    }
    rows_.end_row();
    return std::nullopt;
}

bool JsonRowReader::read_document(std::string_view text) {
    cursor_.skip_space();
    if (cursor_.at_end()) return judge_.reject(Error(ErrorKind::bad_data, "row is empty"));
    if (cursor_.peek() == '{') [[likely]]
        return read_object(plan_.root()) && cursor_.finish();
    if (!cursor_.skip_value() || !cursor_.finish()) return false;
    std::string shown(trim(text).substr(0, 100));
    return judge_.reject(Error(ErrorKind::bad_data, "row is not a JSON object: " + make_valid_utf8(shown)));
}

bool JsonRowReader::read_object(const JsonPlanObject& object) {
    bool closed = false;
    if (!cursor_.enter('}', closed)) return false;
    if (closed) return true;
    uint32_t slot = object.slot;
    while (!closed) {
        if (!read_member(object, slot) || !cursor_.next_item('}', closed)) return false;
    }
    cursor_.leave();
    return true;
}

bool JsonRowReader::read_member(const JsonPlanObject& object, uint32_t& guess_slot) {
    const uint32_t guess = guesses_[guess_slot];
    if (guess < object.keys.size()) [[likely]] {
        const JsonPlanKey& key = object.keys[guess];
        if (key.matches(cursor_.at())) [[likely]] {
            cursor_.advance(key.token_size);
            cursor_.skip_space();
            guess_slot = key.slot;
            return read_value(key, object);
        }
    }
    std::string_view name;
    if (!cursor_.read_key(name)) return false;
    const JsonPlanKey* key = object.find(name);
    if (key == nullptr) return read_unknown(object, name);
    guesses_[guess_slot] = static_cast<uint32_t>(key - object.keys.data());
    guess_slot = key->slot;
    return read_value(*key, object);
}

bool JsonRowReader::read_value(const JsonPlanKey& key, const JsonPlanObject& parent) {
    if (seen_[key.slot] == document_) [[unlikely]]
        forget(key);
    seen_[key.slot] = document_;
    switch (cursor_.peek()) {
        case '"': return read_string(key, parent);
        case '{':
            if (key.columns.empty()) return read_object(*key.object);
            return read_container(key, parent);
        case '[': return read_container(key, parent);
        case 't':
        case 'f':
        case 'n': return read_literal(key, parent);
        default: return read_number(key, parent);
    }
}

// The key stood in this object before; the last one counts.
void JsonRowReader::forget(const JsonPlanKey& key) {
    for (const uint32_t index : key.columns_below) {
        ColumnBuilder& column = rows_.column(index);
        if (column.length() > rows_.rows()) column.truncate(rows_.rows());
    }
}

bool JsonRowReader::read_string(const JsonPlanKey& key, const JsonPlanObject& parent) {
    const char* begin = cursor_.at();
    std::string_view text;
    if (!cursor_.read_string(text)) return false;
    TimestampOnce timestamp(text);
    for (const auto& column : key.columns) {
        ColumnBuilder& to = rows_.column(column.index);
        if (column.kind == TypeKind::string) {
            to.append_padded_text(text);
        } else if (column.kind == TypeKind::json) {
            to.append_text(cursor_.since(begin));
        } else if (column.type.is_nested() || !append_string_value(to, column, text, timestamp)) [[unlikely]] {
            if (!misfit(column, path_of(parent, key.key), cursor_.since(begin))) return false;
        }
    }
    return !key.columns.empty() || unlisted(path_of(parent, key.key), cursor_.since(begin));
}

// json takes any value as it stands; a list or a structure takes no plain one.
bool JsonRowReader::append_as_json(const TargetColumn& column, std::string_view value) {
    if (column.kind != TypeKind::json) return false;
    rows_.column(column.index).append_text(value);
    return true;
}

bool JsonRowReader::read_number(const JsonPlanKey& key, const JsonPlanObject& parent) {
    JsonNumber number;
    if (!cursor_.read_number(number)) return false;
    const auto integer = number.is_int64 ? std::optional(number.value) : std::nullopt;
    for (const auto& column : key.columns) {
        ColumnBuilder& to = rows_.column(column.index);
        if (append_number_value(to, column, number.text, integer)) continue;
        if (append_as_json(column, number.text)) continue;
        if (!misfit(column, path_of(parent, key.key), number.text)) return false;
    }
    return !key.columns.empty() || unlisted(path_of(parent, key.key), number.text);
}

bool JsonRowReader::read_literal(const JsonPlanKey& key, const JsonPlanObject& parent) {
    const char* begin = cursor_.at();
    std::optional<bool> value;
    if (!cursor_.read_literal(value)) return false;
    if (!value) return true;
    const std::string_view text = cursor_.since(begin);
    for (const auto& column : key.columns) {
        ColumnBuilder& to = rows_.column(column.index);
        if (append_boolean_value(to, column, *value) || append_as_json(column, text)) continue;
        if (!misfit(column, path_of(parent, key.key), text)) return false;
    }
    return !key.columns.empty() || unlisted(path_of(parent, key.key), text);
}

bool JsonRowReader::read_container(const JsonPlanKey& key, const JsonPlanObject& parent) {
    const char* begin = cursor_.at();
    const bool has_keys_below = key.object != nullptr && *begin == '{';
    if (has_keys_below ? !read_object(*key.object) : !cursor_.skip_value()) return false;
    const char* end = cursor_.at();
    const std::string_view value(begin, static_cast<size_t>(end - begin));
    if (key.columns.empty()) return unlisted(path_of(parent, key.key), value);
    for (const auto& column : key.columns) {
        if (!fill_from_container(column, value, has_keys_below, path_of(parent, key.key))) return false;
    }
    cursor_.seek(end);
    return true;
}

bool JsonRowReader::fill_from_container(const TargetColumn& column, std::string_view value, bool has_keys_below,
                                        const std::vector<std::string>& path) {
    const bool is_object = value.front() == '{';
    if (column.kind == TypeKind::json || (column.kind == TypeKind::string && column.declared)) {
        rows_.column(column.index).append_text(value);
        return true;
    }
    if ((column.kind == TypeKind::structure && is_object) || (column.kind == TypeKind::list && !is_object)) {
        return fill_nested(column, value, path);
    }
    // An object beside an inferred plain column: its fields have columns of their own, or ask for them.
    if (!column.declared && has_keys_below) return true;
    if (!column.declared && is_object && shape_.nesting == Nesting::flatten) return unlisted(path, value);
    return misfit(column, path, value);
}

bool JsonRowReader::fill_nested(const TargetColumn& column, std::string_view value,
                                const std::vector<std::string>& path) {
    cursor_.seek(value.data());
    NestedReader nested(cursor_, column.declared);
    if (!nested.read(rows_.column(column.index))) return false;
    if (nested.misfits() == 0) return true;
    const auto natural = natural_json_type(value, shape_.nesting);
    return judge_.nested_misfit(column, path, natural, value, nested.misfits());
}

bool JsonRowReader::read_unknown(const JsonPlanObject& object, std::string_view key) {
    if (shape_.ignore_unlisted) return cursor_.skip_value();
    std::vector<std::string> path = path_of(object, key);
    const char* begin = cursor_.at();
    return cursor_.skip_value() && unlisted(std::move(path), cursor_.since(begin));
}

bool JsonRowReader::unlisted(std::vector<std::string> path, std::string_view value) {
    if (value == "null") return true;
    bool rejected = false;
    if (!judge_.reports_new(path, rejected)) return !rejected;
    return report_new(path, value);
}

bool JsonRowReader::report_new(std::vector<std::string>& path, std::string_view value) {
    if (value.front() != '{' || shape_.nesting != Nesting::flatten) {
        if (const auto type = natural_json_type(value, shape_.nesting)) judge_.report_new(path, *type);
        return true;
    }
    JsonCursor cursor(value);
    bool closed = false;
    if (!cursor.enter('}', closed)) return false;
    while (!closed) {
        std::string_view key;
        if (!cursor.read_key(key)) return false;
        path.emplace_back(key);
        const char* begin = cursor.at();
        if (!cursor.skip_value()) return false;
        const std::string_view field = cursor.since(begin);
        if (field != "null" && !report_new(path, field)) return false;
        path.pop_back();
        if (!cursor.next_item('}', closed)) return false;
    }
    return true;
}

bool JsonRowReader::misfit(const TargetColumn& column, const std::vector<std::string>& path, std::string_view value) {
    const auto natural = natural_json_type(value, shape_.nesting);
    return judge_.misfit(column, path, natural.value_or(TypeKind::json), value);
}

std::vector<std::string> JsonRowReader::path_of(const JsonPlanObject& parent, std::string_view key) {
    std::vector<std::string> path = parent.path;
    path.emplace_back(key);
    return path;
}

}  // namespace shaduf
