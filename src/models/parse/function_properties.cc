#include "models/parse/function_properties.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "models/manifest.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using jinja::Value;

constexpr std::array<std::string_view, 4> kArgumentKeys = {"name", "data_type", "description", "default_value"};
constexpr std::array<std::string_view, 2> kReturnsKeys = {"data_type", "description"};

// As dbt, which takes no other keys here.
void check_keys(std::span<const std::string_view> known, std::string_view what, YamlFields& fields) {
    for (const YamlEntry& entry : fields.node().entries()) {
        const std::string_view key = entry.key.text();
        if (std::find(known.begin(), known.end(), key) != known.end()) continue;
        const std::vector<std::string> names(known.begin(), known.end());
        fields.error(entry.key, "unknown key of " + std::string(what) + ": " + std::string(key) +
                                    did_you_mean(std::string(key), names));
    }
}

Value read_argument(const YamlNode& argument, const PropertyFile& file, Findings& findings) {
    YamlFields fields(argument, file.path, findings);
    check_keys(kArgumentKeys, "an argument of a function", fields);
    auto dict = jinja::make<jinja::Dict>();
    for (const std::string_view key : {"name", "data_type"}) {
        const auto text = fields.text(key);
        if (!text) fields.error(argument, "an argument of a function needs " + std::string(key));
        dict->set(key, Value(text.value_or("")));
    }
    const auto description = fields.text("description");
    dict->set("description", description ? Value(*description) : Value::none());
    dict->set("default_value", value_of_yaml(argument["default_value"]));
    return Value(dict);
}

}  // namespace

void apply_function_properties(const PropertyFile& file, const YamlNode& entry, Node& node, Findings& findings) {
    YamlFields fields(entry, file.path, findings);
    std::vector<Value> arguments;
    std::string defaulted;
    for (const YamlNode& argument : fields.list("arguments").items()) {
        arguments.push_back(read_argument(argument, file, findings));
        const std::string name(argument["name"].text());
        if (!argument["default_value"].is_null()) {
            defaulted = name;
        } else if (!defaulted.empty()) {
            fields.error(argument, "argument " + name + " of function " + node.name + " has no default, but " +
                                       defaulted + " before it has one; give it a default_value, or put it first");
        }
    }
    node.arguments = Value::list(std::move(arguments));

    const YamlNode& given = fields.map("returns");
    YamlFields returns(given, file.path, findings);
    const auto type = given.is_map() ? returns.text("data_type") : std::nullopt;
    if (!type) {
        fields.error(entry, "function " + node.name + " needs returns, with the data_type of what it gives");
        return;
    }
    check_keys(kReturnsKeys, "returns", returns);
    const auto description = returns.text("description");
    auto dict = jinja::make<jinja::Dict>();
    dict->set("data_type", Value(*type));
    dict->set("description", description ? Value(*description) : Value::none());
    node.returns = Value(dict);
}

}  // namespace shaduf::models
