#include "models/parse/macro_properties.h"

#include <unordered_map>

#include "base/text.h"
#include "models/parse/columns.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using jinja::Value;

Error wrong(const PropertyFile& file, const YamlNode& at, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message))
        .at(Place::in_file(file.path, static_cast<int>(at.line())));
}

std::string described(const YamlNode& written, const PropertyFile& file, const Descriptions& descriptions,
                      Findings& findings) {
    if (!written.is_text()) return "";
    auto description = descriptions.render(written.text(), file.project->name, file.path);
    if (description.ok()) return std::move(description.value().text);
    findings.errors.push_back(wrong(file, written, description.error().message()));
    return "";
}

Value docs_value(const YamlNode& docs) {
    auto dict = jinja::make<jinja::Dict>();
    dict->set("show", Value(!docs["show"].is_boolean() || docs["show"].boolean()));
    dict->set("node_color", value_of_yaml(docs["node_color"]));
    return Value(dict);
}

void apply(const PropertyFile& file, const YamlNode& entry, const Descriptions& descriptions, Macro& macro,
           Findings& findings) {
    macro.patch_path = file.id();
    macro.description = described(entry["description"], file, descriptions, findings);
    macro.meta = own_meta(entry);
    const YamlNode& inside = entry["config"]["docs"];
    macro.docs = docs_value(inside.is_null() ? entry["docs"] : inside);
    std::vector<Value> arguments;
    for (const YamlNode& argument : entry["arguments"].items()) {
        auto dict = jinja::make<jinja::Dict>();
        dict->set("name", value_of_yaml(argument["name"]));
        dict->set("type", value_of_yaml(argument["type"]));
        dict->set("description", Value(described(argument["description"], file, descriptions, findings)));
        arguments.emplace_back(dict);
    }
    macro.arguments = Value::list(std::move(arguments));
}

}  // namespace

void apply_macro_properties(std::span<const PropertyFile> files, const Descriptions& descriptions, Manifest& manifest,
                            Findings& findings) {
    std::unordered_map<std::string_view, Macro*> macros;
    for (const PropertyFile& file : files) {
        for (const YamlNode& entry : file.entries("macros")) {
            if (macros.empty()) {
                for (const auto& macro : manifest.macros) macros.emplace(macro->unique_id, macro.get());
            }
            const std::string name(entry["name"].text());
            const std::string& package = file.project->name;
            const auto found = macros.find("macro." + package + "." + name);
            if (found == macros.end()) {
                const auto near = nearest(name, manifest.macro_index.names_of(package));
                findings.warnings.push_back(wrong(file, entry,
                                                  "Found patch for macro \"" + name + "\" which was not found" +
                                                      (near ? "; did you mean " + *near + "?" : "")));
            } else if (!found->second->patch_path.empty()) {
                findings.errors.push_back(wrong(file, entry,
                                                "dbt found two entries for macro " + name + ": the other is in " +
                                                    found->second->patch_path + "; keep one of them"));
            } else {
                apply(file, entry, descriptions, *found->second, findings);
            }
        }
    }
}

}  // namespace shaduf::models
