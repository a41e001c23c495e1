#include "models/parse/test_definition.h"
#include "models/context/test_arguments.h"

#include <algorithm>
#include <array>

#include "models/parse/node_parser.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using jinja::Dict;
using jinja::Ref;
using jinja::Value;

// Configs that may stand among the arguments.
constexpr std::array<std::string_view, 14> kConfigs = {
    "severity",  "tags",           "enabled",           "where", "limit",    "warn_if", "error_if",
    "fail_calc", "store_failures", "store_failures_as", "meta",  "database", "schema",  "alias"};

Error wrong(const std::string& file, const YamlNode& at, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message)).at(Place::in_file(file, static_cast<int>(at.line())));
}

bool begins_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// A word at `at`; moves behind it.
std::string_view take_word(std::string_view text, size_t& at) {
    if (at >= text.size() || !begins_word(text[at])) return {};
    const size_t begin = at;
    while (at < text.size() && (begins_word(text[at]) || (text[at] >= '0' && text[at] <= '9'))) ++at;
    return text.substr(begin, at - begin);
}

// "package.test" or "test"
Result<void> read_name(const YamlNode& at, const std::string& file, std::string_view name, TestDefinition& test) {
    size_t end = 0;
    const std::string_view first = take_word(name, end);
    if (first.empty()) return wrong(file, at, "not a name of a generic test: " + std::string(name));
    test.macro = first;
    if (end < name.size() && name[end] == '.') {
        ++end;
        const std::string_view second = take_word(name, end);
        if (!second.empty()) {
            test.macro_package = test.macro;
            test.macro = second;
        }
    }
    return {};
}

struct Parts {
    std::string name;
    YamlNode place;
    std::vector<YamlEntry> arguments;
    YamlNode nested;  // `arguments:`
};

Result<Parts> take_apart(const YamlNode& test, const std::string& file) {
    Parts parts;
    parts.place = test;
    if (test.is_text()) {
        parts.name = std::string(test.text());
        return parts;
    }
    if (!test.is_map()) {
        return wrong(file, test,
                     "a test is a name, or a map of its name to its arguments, not " +
                         std::string(to_string(test.kind())) + ": " + shown_value(test));
    }
    YamlNode arguments = test;
    std::string_view left_out = "test_name";
    if (const YamlNode* name = test.find("test_name")) {
        parts.name = std::string(name->text());
    } else {
        if (test.entries().size() != 1) {
            return wrong(file, test,
                         "a test is a map of one name to its arguments; this one has " +
                             std::to_string(test.entries().size()) + " keys: indent the arguments below the name");
        }
        parts.name = std::string(test.entries()[0].key.text());
        arguments = test.entries()[0].value;
        left_out = {};
        if (!arguments.is_map()) {
            return wrong(file, test,
                         "the arguments of test " + parts.name + " are a map, not " +
                             std::string(to_string(arguments.kind())) + ": " + shown_value(arguments) +
                             (arguments.is_null() ? "; remove the colon" : ""));
        }
    }
    for (const YamlEntry& entry : arguments.entries()) {
        if (!left_out.empty() && entry.key.text() == left_out) continue;
        if (entry.key.text() == "arguments") {
            parts.nested = entry.value;
        } else {
            parts.arguments.push_back(entry);
        }
    }
    return parts;
}

Value take(Dict& dict, std::string_view key) {
    const Value* found = dict.find(key);
    if (found == nullptr) return Value::none();
    Value value = *found;
    dict.erase(Value(key));
    return value;
}

// First those that may stand among the arguments, then what else `config:` has; nulls do not count.
Result<void> take_config(const std::string& file, const YamlNode& place, const SchemaScope& scope,
                         TestDefinition& test) {
    Ref<Dict> inside;
    if (const Value* config = test.arguments->find("config")) {
        if (config->kind() == jinja::Kind::dict) {
            inside = Ref<Dict>(&config->dict());
        } else if (!config->is_none()) {
            return wrong(file, place, "config of test " + test.macro + " takes a map, not " + config->repr());
        }
    }
    const auto add = [&](std::string key, Value value) -> Result<void> {
        if (value.is_string()) {
            auto rendered = scope.render(value.string(), file);
            if (!rendered.ok()) {
                return wrong(file, place,
                             "config " + key + " of test " + test.macro + ": " + rendered.error().message());
            }
            value = rendered.release_value();
        }
        if (!value.is_none()) test.config.emplace_back(std::move(key), std::move(value));
        return {};
    };
    for (const std::string_view key : kConfigs) {
        Value value = take(*test.arguments, key);
        if (value.truth() && inside && inside->find(key) != nullptr) {
            return wrong(file, place,
                         "Test cannot have the same key at the top-level and in config: " + std::string(key) +
                             " of test " + test.macro);
        }
        if (!value.truth() && inside) value = take(*inside, key);
        TRY(add(std::string(key), std::move(value)));
    }
    if (!inside) return {};
    for (const auto& [key, value] : inside->entries()) TRY(add(key.text(), value));
    test.arguments->erase(Value("config"));
    return {};
}

std::string config_text(const Value& value) {
    if (!value.is_string()) return value.text();
    std::string text = "\"";
    for (const char c : value.string()) text += c == '"' ? std::string("\\\"") : std::string(1, c);
    return text + "\"";
}

}  // namespace

std::string TestDefinition::raw_code() const {
    std::string code = "{{ ";
    if (macro_package) code += *macro_package + ".";
    code += "test_" + macro + "(**" + std::string(kTestArgumentsName) + ") }}";
    if (config.empty()) return code;
    std::string settings;
    for (const auto& [key, value] : config) settings += (settings.empty() ? "" : ",") + key + "=" + config_text(value);
    return code + "{{ config(" + settings + ") }}";
}

Result<TestDefinition> read_test(const YamlNode& test, const std::string& file,
                                 const std::optional<std::string>& column, const std::string& model,
                                 const SchemaScope& scope) {
    const Parts parts = TRY(take_apart(test, file));
    TestDefinition definition;
    TRY(read_name(test, file, parts.name, definition));
    definition.arguments = jinja::make<Dict>();
    Dict& arguments = *definition.arguments;
    for (const YamlEntry& entry : parts.arguments) arguments.set(value_of_yaml(entry.key), value_of_yaml(entry.value));
    if (column) arguments.set("column_name", Value(*column));
    for (const YamlEntry& entry : parts.nested.entries()) {
        arguments.set(value_of_yaml(entry.key), value_of_yaml(entry.value));
    }
    if (arguments.find("model") != nullptr) {
        return wrong(file, test, "test " + parts.name + " takes no argument `model`: it is what the test stands under");
    }
    arguments.set("model", Value(model));
    TRY(take_config(file, test, scope, definition));
    if (const Value text = take(arguments, "description"); text.is_string()) definition.description = text.string();
    if (const Value name = take(arguments, "name"); !name.is_none()) definition.name = name.text();
    return definition;
}

}  // namespace shaduf::models
