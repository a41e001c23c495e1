#include "models/yaml/value.h"

#include "models/yaml/parse_yaml.h"

namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::Value;

constexpr int kDepthMax = 200;

// A text that would be read as something else, or not at all, is quoted.
std::string scalar_text(const std::string& text) {
    const bool has_lines = text.find('\n') != std::string::npos;
    const auto read = has_lines ? Result<YamlTree>(Error(ErrorKind::invalid_config, "")) : parse_yaml(text, "");
    if (read.ok() && read.value().root().is_text() && read.value().root().text() == text) return text;
    std::string quoted = "'";
    for (const char c : text) {
        if (c == '\'')
            quoted += "''";
        else if (c == '\n')
            quoted += "\n\n";
        else
            quoted += c;
    }
    return quoted + "'";
}

Result<void> append(const Value& value, int depth, std::string& out) {
    if (depth > kDepthMax) return Error(ErrorKind::invalid_config, "a value is nested too deep for YAML");
    const std::string indent(static_cast<size_t>(depth) * 2, ' ');
    const auto is_block = [](const Value& child) {
        return (child.kind() == Kind::dict && child.dict().size() > 0) ||
               (child.kind() == Kind::list && !child.items().empty());
    };
    switch (value.kind()) {
        case Kind::none: out += "null"; return {};
        case Kind::boolean: out += value.boolean() ? "true" : "false"; return {};
        case Kind::integer:
        case Kind::floating: out += value.text(); return {};
        case Kind::string: out += scalar_text(value.string()); return {};
        case Kind::list:
        case Kind::tuple:
            if (value.items().empty()) out += "[]";
            for (size_t i = 0; i < value.items().size(); ++i) {
                if (i > 0) out += "\n" + indent;
                out += "- ";
                TRY(append(value.items()[i], depth + 1, out));
            }
            return {};
        case Kind::dict: {
            if (value.dict().size() == 0) out += "{}";
            bool is_first = true;
            for (const auto& [key, child] : value.dict().entries()) {
                if (!std::exchange(is_first, false)) out += "\n" + indent;
                out += scalar_text(key.text()) + ":";
                if (!is_block(child)) {
                    out += " ";
                    TRY(append(child, depth + 1, out));
                } else if (child.kind() == Kind::list) {
                    out += "\n" + indent;
                    TRY(append(child, depth, out));
                } else {
                    out += "\n" + indent + "  ";
                    TRY(append(child, depth + 1, out));
                }
            }
            return {};
        }
        default: return Error(ErrorKind::invalid_config, "YAML has no place for a " + std::string(value.type_name()));
    }
}

}  // namespace

Value value_of_yaml(const YamlNode& node) {
    switch (node.kind()) {
        case YamlKind::null: return Value::none();
        case YamlKind::boolean: return Value(node.boolean());
        case YamlKind::integer: return Value(node.integer());
        case YamlKind::real: return Value(node.real());
        case YamlKind::list: {
            std::vector<Value> items;
            for (const YamlNode& item : node.items()) items.push_back(value_of_yaml(item));
            return Value::list(std::move(items));
        }
        case YamlKind::map: {
            auto dict = jinja::make<jinja::Dict>();
            for (const YamlEntry& entry : node.entries())
                dict->set(value_of_yaml(entry.key), value_of_yaml(entry.value));
            return dict;
        }
        default: return Value(node.text());
    }
}

void add_value(const Value& value, YamlBuilder& builder) {
    switch (value.kind()) {
        case Kind::none:
        case Kind::undefined: return builder.add_null();
        case Kind::boolean: return builder.add_boolean(value.boolean());
        case Kind::integer: return builder.add_integer(value.integer());
        case Kind::floating: return builder.add_real(value.floating());
        case Kind::list:
        case Kind::tuple:
            builder.begin_list();
            for (const Value& item : value.items()) add_value(item, builder);
            return builder.end_list();
        case Kind::dict:
            builder.begin_map();
            for (const auto& [key, item] : value.dict().entries()) {
                add_value(key, builder);
                add_value(item, builder);
            }
            return builder.end_map();
        default: return builder.add_text(value.text());
    }
}

Result<Value> value_of_yaml(std::string_view text) { return value_of_yaml(TRY(parse_yaml(text, "fromyaml")).root()); }

Result<std::string> yaml_of_value(const Value& value) {
    std::string out;
    TRY(append(value, 0, out));
    return out + "\n";
}

}  // namespace shaduf::models
