#include "flow/json_values.h"

#include <charconv>

#include "base/json_writer.h"
#include "base/text.h"
#include "jinja/vm.h"

namespace shaduf {
namespace {

using jinja::Kind;
using jinja::Value;

void write(const Value& value, JsonWriter& json) {
    switch (value.kind()) {
        case Kind::undefined:
        case Kind::none: json.null(); return;
        case Kind::boolean: json.boolean(value.boolean()); return;
        case Kind::integer: json.integer(value.integer()); return;
        case Kind::floating: json.number(value.floating()); return;
        case Kind::list:
        case Kind::tuple:
            json.begin_array();
            for (const Value& item : value.items()) write(item, json);
            json.end_array();
            return;
        case Kind::dict:
            json.begin_object();
            for (const auto& [key, item] : value.dict().entries()) {
                json.key(key.text());
                write(item, json);
            }
            json.end_object();
            return;
        case Kind::set:
            json.begin_array();
            for (const auto& [key, item] : value.set().members.entries()) write(key, json);
            json.end_array();
            return;
        default: json.text(value.text());
    }
}

// Whether an unquoted scalar of this text is no text.
bool looks_like_a_number_or_boolean(std::string_view text) {
    if (text == "true" || text == "false" || text == "null" || text == "~" || text.empty()) return true;
    double number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

}  // namespace

Result<Value> parse_json_value(std::string_view text) {
    if (trim(text).empty()) return Value(jinja::make<jinja::Dict>());
    return jinja::from_json(text);
}

std::string json_text_of(const Value& value) {
    JsonWriter json;
    write(value, json);
    return json.str();
}

Node node_of(const Value& value, const Place& place) {
    switch (value.kind()) {
        case Kind::undefined:
        case Kind::none: return Node::null(place);
        case Kind::list:
        case Kind::tuple: {
            std::vector<Node> items;
            for (const Value& item : value.items()) items.push_back(node_of(item, place));
            return Node::list(std::move(items), place);
        }
        case Kind::dict: {
            std::vector<Node::Entry> entries;
            for (const auto& [key, item] : value.dict().entries()) {
                entries.push_back({key.text(), place, node_of(item, place)});
            }
            return Node::map(std::move(entries), place);
        }
        case Kind::string: return Node::scalar(value.string(), looks_like_a_number_or_boolean(value.string()), place);
        default: return Node::scalar(json_text_of(value), false, place);
    }
}

Result<Value> value_at(const Value& value, std::string_view pointer) {
    if (pointer.empty()) return value;
    const auto missing = [&](std::string_view part) {
        return Error(ErrorKind::invalid_config,
                     "nothing is there in the JSON: " + std::string(pointer) + ", at " + std::string(part));
    };
    if (!pointer.starts_with('/')) return missing(pointer);
    Value at = value;
    for (const std::string_view raw : split(pointer.substr(1), '/')) {
        std::string part;
        for (size_t i = 0; i < raw.size(); ++i) {
            const bool is_escape = raw[i] == '~' && i + 1 < raw.size() && (raw[i + 1] == '0' || raw[i + 1] == '1');
            part += is_escape ? (raw[++i] == '0' ? '~' : '/') : raw[i];
        }
        if (at.kind() == Kind::dict) {
            const Value* found = at.dict().find(part);
            if (found == nullptr) return missing(part);
            at = Value(*found);
        } else if (at.kind() == Kind::list) {
            size_t index = 0;
            const auto parsed = std::from_chars(part.data(), part.data() + part.size(), index);
            const bool is_index = parsed.ec == std::errc{} && parsed.ptr == part.data() + part.size();
            if (!is_index || index >= at.items().size()) return missing(part);
            at = Value(at.items()[index]);
        } else {
            return missing(part);
        }
    }
    return at;
}

const Value* member_of(const Value& value, std::string_view key) {
    return value.kind() == Kind::dict ? value.dict().find(key) : nullptr;
}

int64_t integer_of(const Value* value) {
    if (value == nullptr || !value->is_number()) return 0;
    return value->kind() == Kind::floating ? static_cast<int64_t>(value->floating()) : value->whole();
}

std::string text_of(const Value* value) {
    return value != nullptr && value->is_string() ? value->string() : std::string();
}

}  // namespace shaduf
