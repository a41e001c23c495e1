#include "config/options.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <variant>

#include "base/assert.h"
#include "base/text.h"
#include "base/time.h"

namespace shaduf {

// What a field holds; which alternative follows from the field's type.
struct Options::Value {
    bool given = false;
    Place place;
    Node node;
    std::vector<std::string> referenced;
    std::variant<std::monostate, std::string, int64_t, double, bool, std::chrono::milliseconds, uint64_t,
                 std::vector<std::string>, std::vector<std::pair<std::string, std::string>>, Options,
                 std::vector<Options>, std::vector<std::pair<std::string, Options>>>
        data;
};

namespace {

std::string_view expected_text(FieldType type) {
    switch (type) {
        case FieldType::text: return "a text";
        case FieldType::integer: return "a whole number";
        case FieldType::number: return "a number";
        case FieldType::boolean: return "true or false";
        case FieldType::duration: return "a duration such as 90s, 5m or 28d";
        case FieldType::bytes: return "a size such as 256MB";
        case FieldType::text_list: return "a list of texts";
        case FieldType::text_map: return "a map of texts";
        case FieldType::object: return "a map";
        case FieldType::object_list: return "a list of maps";
        case FieldType::object_map: return "a map of maps";
        case FieldType::any:
        case FieldType::json: return "a value";
    }
    return "a value";
}

Error config_error(const Place& place, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message)).at(place);
}

std::string found_text(const FieldSpec& field, const Node& node) {
    switch (node.kind()) {
        case Node::Kind::null: return "nothing";
        case Node::Kind::list: return "a list";
        case Node::Kind::map: return "a map";
        case Node::Kind::scalar: break;
    }
    if (field.secret) return "another text";
    return (node.is_quoted() ? "the text \"" : "") + node.text() + (node.is_quoted() ? "\"" : "");
}

Error wrong_type(const FieldSpec& field, const Node& node) {
    return config_error(node.place(), std::string(field.name) + ": expected " + std::string(expected_text(field.type)) +
                                          ", found " + found_text(field, node));
}

template <typename T>
std::optional<T> parse_number(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    T value{};
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<bool> parse_boolean(std::string_view text) {
    const std::string lower = to_lower(text);
    if (lower == "true" || lower == "yes" || lower == "on") return true;
    if (lower == "false" || lower == "no" || lower == "off") return false;
    return std::nullopt;
}

}  // namespace

// Reads the values of one table of fields; collects errors, stops at none.
class OptionsReader {
public:
    OptionsReader(const ValueResolver& resolve, std::vector<Error>& errors) : resolve_(resolve), errors_(errors) {}

    Options read(std::span<const FieldSpec> fields, const Node& node) {
        Options out;
        out.fields_ = fields;
        out.place_ = node.place();
        if (!node.is_null() && !node.is_map()) {
            errors_.push_back(config_error(node.place(), "expected a map of options"));
            return out;
        }
        report_unknown_keys(fields, node);
        for (const FieldSpec& field : fields) read_field(field, node, out);
        return out;
    }

private:
    void report_unknown_keys(std::span<const FieldSpec> fields, const Node& node) {
        std::vector<std::string> names;
        for (const FieldSpec& field : fields) names.emplace_back(field.name);
        for (const auto& entry : node.entries()) {
            bool known = false;
            for (const std::string& name : names) known = known || name == entry.key;
            if (known) continue;
            errors_.push_back(
                config_error(entry.key_place, "unknown key: " + entry.key + did_you_mean(entry.key, names)));
        }
    }

    void read_field(const FieldSpec& field, const Node& node, Options& out) {
        const Node& given = node[field.name];
        auto value = std::make_shared<Options::Value>();
        value->given = !given.is_null();
        value->node = given;
        if (value->given) {
            value->place = node.place_of_key(field.name);
            read_value(field, given, *value);
        } else if (field.required) {
            errors_.push_back(
                config_error(node.place(), "missing key: " + std::string(field.name) + "; " + std::string(field.help)));
        } else if (!field.default_value.empty()) {
            read_default(field, *value);
        } else if (field.type == FieldType::object) {
            value->data = defaults_of(field, node.place());
        } else {
            return;
        }
        out.values_.emplace(std::string(field.name), std::move(value));
    }

    void read_default(const FieldSpec& field, Options::Value& value) {
        const bool is_flow = field.type != FieldType::text &&
                             (field.default_value.starts_with('[') || field.default_value.starts_with('{'));
        auto node = is_flow ? Node::parse_yaml(field.default_value, "default")
                            : Result<Node>(Node::scalar(std::string(field.default_value), false, {}));
        SHADUF_ASSERT(node.ok());
        const size_t errors_before = errors_.size();
        value.node = node.value();
        read_value(field, node.value(), value);
        SHADUF_ASSERT(errors_.size() == errors_before);  // a default that its own field refuses is a bug
    }

    // Required children of an object that is not there are not missed.
    Options defaults_of(const FieldSpec& field, const Place& place) {
        std::vector<Error> ignored;
        return OptionsReader(resolve_, ignored).read(field.children, Node::null(place));
    }

    void read_value(const FieldSpec& field, const Node& node, Options::Value& value) {
        switch (field.type) {
            case FieldType::any: return;
            case FieldType::json: value.node = resolve_all(node, value.referenced); return;
            case FieldType::text_list: return read_text_list(field, node, value);
            case FieldType::text_map: return read_text_map(field, node, value);
            case FieldType::object:
                if (!node.is_map()) return errors_.push_back(wrong_type(field, node));
                value.data = read(field.children, node);
                return;
            case FieldType::object_list: return read_object_list(field, node, value);
            case FieldType::object_map: return read_object_map(field, node, value);
            default: break;
        }
        if (!node.is_scalar()) return errors_.push_back(wrong_type(field, node));
        read_scalar(field, node, value);
    }

    void read_scalar(const FieldSpec& field, const Node& node, Options::Value& value) {
        const auto resolved = resolve(node);
        if (!resolved) return;
        const std::string& text = *resolved;
        // A quoted scalar is a text, unless what it stands for comes from elsewhere.
        const bool is_text = node.is_quoted() && text == node.text();
        switch (field.type) {
            case FieldType::text: value.data = text; break;
            case FieldType::integer:
                if (const auto number = parse_number<int64_t>(text); number && !is_text) value.data = *number;
                break;
            case FieldType::number:
                if (const auto number = parse_number<double>(text); number && !is_text && std::isfinite(*number)) {
                    value.data = *number;
                }
                break;
            case FieldType::boolean:
                if (const auto flag = parse_boolean(text); flag && !is_text) value.data = *flag;
                break;
            case FieldType::duration:
                if (const auto duration = parse_duration(text)) value.data = *duration;
                break;
            case FieldType::bytes:
                if (const auto bytes = parse_bytes(text)) value.data = *bytes;
                break;
            default: break;
        }
        if (std::holds_alternative<std::monostate>(value.data)) return errors_.push_back(wrong_type(field, node));
        check_choice(field, text, node.place());
    }

    void read_text_list(const FieldSpec& field, const Node& node, Options::Value& value) {
        std::vector<std::string> texts;
        const auto add = [&](const Node& item) {
            if (!item.is_scalar()) return errors_.push_back(wrong_type(field, item));
            if (auto text = resolve(item)) {
                check_choice(field, *text, item.place());
                texts.push_back(std::move(*text));
            }
        };
        if (node.is_list()) {
            for (const Node& item : node.items()) add(item);
        } else {
            add(node);
        }
        value.data = std::move(texts);
    }

    void read_text_map(const FieldSpec& field, const Node& node, Options::Value& value) {
        if (!node.is_map()) return errors_.push_back(wrong_type(field, node));
        std::vector<std::pair<std::string, std::string>> texts;
        for (const auto& entry : node.entries()) {
            if (!entry.value.is_scalar()) {
                errors_.push_back(config_error(entry.key_place, std::string(field.name) + "." + entry.key +
                                                                    ": expected a text, found " +
                                                                    found_text(field, entry.value)));
            } else if (auto text = resolve(entry.value)) {
                if (*text != entry.value.text()) value.referenced.push_back(*text);
                texts.emplace_back(entry.key, std::move(*text));
            }
        }
        value.data = std::move(texts);
    }

    void read_object_list(const FieldSpec& field, const Node& node, Options::Value& value) {
        std::vector<Options> objects;
        const auto add = [&](const Node& item) {
            if (!item.is_map()) return errors_.push_back(wrong_type(field, item));
            objects.push_back(read(field.children, item));
        };
        if (node.is_list()) {
            for (const Node& item : node.items()) add(item);
        } else {
            add(node);
        }
        value.data = std::move(objects);
    }

    void read_object_map(const FieldSpec& field, const Node& node, Options::Value& value) {
        if (!node.is_map()) return errors_.push_back(wrong_type(field, node));
        std::vector<std::pair<std::string, Options>> objects;
        for (const auto& entry : node.entries()) {
            if (entry.value.is_map() || entry.value.is_null()) {
                objects.emplace_back(entry.key, read(field.children, entry.value));
            } else {
                errors_.push_back(wrong_type(field, entry.value));
            }
        }
        value.data = std::move(objects);
    }

    Node resolve_all(const Node& node, std::vector<std::string>& referenced) {
        if (node.is_list()) {
            std::vector<Node> items;
            for (const Node& item : node.items()) items.push_back(resolve_all(item, referenced));
            return Node::list(std::move(items), node.place());
        }
        if (node.is_map()) {
            std::vector<Node::Entry> entries;
            for (const auto& entry : node.entries()) {
                entries.push_back({entry.key, entry.key_place, resolve_all(entry.value, referenced)});
            }
            return Node::map(std::move(entries), node.place());
        }
        if (!node.is_scalar()) return node;
        std::string text = resolve(node).value_or("");
        if (text != node.text()) referenced.push_back(text);
        return Node::scalar(std::move(text), node.is_quoted(), node.place());
    }

    std::optional<std::string> resolve(const Node& node) {
        if (node.text().find("${") == std::string::npos || !resolve_) return node.text();
        auto resolved = resolve_(node.text(), node.place());
        if (resolved.ok()) return resolved.release_value();
        errors_.push_back(resolved.error().at(node.place()));
        return std::nullopt;
    }

    void check_choice(const FieldSpec& field, const std::string& text, const Place& place) {
        if (field.choices.empty()) return;
        const std::vector<std::string> choices(field.choices.begin(), field.choices.end());
        for (const std::string& choice : choices) {
            if (choice == text) return;
        }
        errors_.push_back(config_error(place, std::string(field.name) + ": not one of the choices: " +
                                                  (field.secret ? "a secret" : text) + did_you_mean(text, choices)));
    }

    const ValueResolver& resolve_;
    std::vector<Error>& errors_;
};

std::vector<Error> Options::create(std::span<const FieldSpec> fields, const Node& node, const ValueResolver& resolve,
                                   Options& out) {
    std::vector<Error> errors;
    out = OptionsReader(resolve, errors).read(fields, node);
    return errors;
}

const Options::Value* Options::find(std::string_view name, FieldType type) const {
    const FieldSpec* spec = nullptr;
    for (const FieldSpec& field : fields_) {
        if (field.name == name) spec = &field;
    }
    SHADUF_ASSERT(spec != nullptr && spec->type == type);
    const auto found = values_.find(name);
    return found == values_.end() ? nullptr : found->second.get();
}

namespace {

// The value of a field, or a lasting empty one. A field whose value was refused holds nothing.
template <typename T, typename Value>
const T& get_or_empty(const Value* value) {
    static const T kEmpty{};
    const T* data = value == nullptr ? nullptr : std::get_if<T>(&value->data);
    return data == nullptr ? kEmpty : *data;
}

}  // namespace

bool Options::has(std::string_view name) const {
    const auto found = values_.find(name);
    return found != values_.end() && found->second->given;
}

std::string Options::text(std::string_view name) const {
    return get_or_empty<std::string>(find(name, FieldType::text));
}
int64_t Options::integer(std::string_view name) const { return get_or_empty<int64_t>(find(name, FieldType::integer)); }
double Options::number(std::string_view name) const { return get_or_empty<double>(find(name, FieldType::number)); }
bool Options::boolean(std::string_view name) const { return get_or_empty<bool>(find(name, FieldType::boolean)); }
std::chrono::milliseconds Options::duration(std::string_view name) const {
    return get_or_empty<std::chrono::milliseconds>(find(name, FieldType::duration));
}
uint64_t Options::bytes(std::string_view name) const { return get_or_empty<uint64_t>(find(name, FieldType::bytes)); }
std::vector<std::string> Options::text_list(std::string_view name) const {
    return get_or_empty<std::vector<std::string>>(find(name, FieldType::text_list));
}
std::vector<std::pair<std::string, std::string>> Options::text_map(std::string_view name) const {
    return get_or_empty<std::vector<std::pair<std::string, std::string>>>(find(name, FieldType::text_map));
}
const Options& Options::object(std::string_view name) const {
    return get_or_empty<Options>(find(name, FieldType::object));
}
const std::vector<Options>& Options::object_list(std::string_view name) const {
    return get_or_empty<std::vector<Options>>(find(name, FieldType::object_list));
}
const std::vector<std::pair<std::string, Options>>& Options::object_map(std::string_view name) const {
    return get_or_empty<std::vector<std::pair<std::string, Options>>>(find(name, FieldType::object_map));
}
const Node& Options::node(std::string_view name) const {
    static const Node kNone;
    const auto found = values_.find(name);
    return found == values_.end() ? kNone : found->second->node;
}

std::vector<std::string> Options::referenced_texts(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::vector<std::string>() : found->second->referenced;
}

Place Options::place_of(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() || found->second->place.empty() ? place_ : found->second->place;
}

Error Options::error(std::string_view name, std::string message) const {
    return config_error(place_of(name), std::string(name) + ": " + std::move(message));
}

}  // namespace shaduf
