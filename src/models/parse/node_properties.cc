#include "models/parse/node_properties.h"

#include <algorithm>
#include <array>

#include "models/parse/columns.h"
#include "models/parse/function_properties.h"
#include "models/parse/parallel.h"
#include "models/parse/static_reference.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using jinja::Dict;
using jinja::Value;

constexpr std::array<std::string_view, 20> kNodeKeys = {
    "name",    "description", "meta",   "docs",        "config",           "columns",   "tests",
    "tags",    "data_tests",  "access", "constraints", "quote_columns",    "group",     "contract",
    "version", "data_type",   "v",      "primary_key", "deprecation_date", "time_spine"};
constexpr std::array<std::string_view, 3> kModelKeys = {"latest_version", "versions", "defined_in"};

Error wrong(const PropertyFile& file, const YamlNode& at, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message))
        .at(Place::in_file(file.path, static_cast<int>(at.line())));
}

// The version's own, else the model's.
const YamlNode& either(const NodePatch& patch, std::string_view key) {
    const YamlNode& own = patch.version[key];
    return own.is_null() ? patch.entry[key] : own;
}

Value time_spine_value(const YamlNode& spine) {
    auto dict = jinja::make<Dict>();
    dict->set("standard_granularity_column", value_of_yaml(spine["standard_granularity_column"]));
    std::vector<Value> custom;
    for (const YamlNode& item : spine["custom_granularities"].items()) {
        auto granularity = jinja::make<Dict>();
        granularity->set("name", value_of_yaml(item["name"]));
        granularity->set("column_name", value_of_yaml(item["column_name"]));
        custom.emplace_back(granularity);
    }
    dict->set("custom_granularities", Value::list(std::move(custom)));
    return Value(dict);
}

void check_time_spine(const Node& node, const NodePatch& patch, const YamlNode& spine, Findings& findings) {
    const auto column = [&](std::string_view name) {
        return std::find_if(node.columns.begin(), node.columns.end(), [&](const auto& c) { return c.name == name; });
    };
    const std::string standard(spine["standard_granularity_column"].text());
    const auto found = column(standard);
    if (found == node.columns.end()) {
        findings.errors.push_back(wrong(*patch.file, spine,
                                        "Time spine standard granularity column must be defined on the model: " +
                                            standard + " is no column of " + node.name));
    } else if (!found->granularity) {
        findings.errors.push_back(wrong(*patch.file, spine,
                                        "Time spine standard granularity column must have a granularity defined: add "
                                        "one to column " +
                                            standard + " of " + node.name));
    }
    for (const YamlNode& custom : spine["custom_granularities"].items()) {
        const YamlNode& name = custom["column_name"].is_null() ? custom["name"] : custom["column_name"];
        if (column(name.text()) == node.columns.end()) {
            findings.errors.push_back(
                wrong(*patch.file, custom,
                      "Time spine custom granularity columns do not exist in the model: " + std::string(name.text())));
        }
    }
}

void add_foreign_keys(const Value& constraints, Node& node) {
    if (constraints.kind() != jinja::Kind::list) return;
    for (const Value& constraint : constraints.items()) {
        const Value* to = constraint.dict().find("to");
        if (constraint.dict().find("type")->text() != "foreign_key" || to == nullptr || !to->is_string()) continue;
        if (const auto reference = read_reference(to->string())) {
            if (reference->ref) node.refs.push_back(*reference->ref);
            if (reference->source) node.sources.push_back(*reference->source);
        }
    }
}

void apply_to_model(const NodePatch& patch, Node& node, Findings& findings) {
    const YamlNode& constraints = either(patch, "constraints");
    if (!constraints.items().empty()) {
        auto read = read_constraints(constraints, ConstraintLevel::model, "model " + node.name, *patch.file);
        if (read.ok())
            node.constraints = read.release_value();
        else
            findings.errors.push_back(read.release_error());
    }
    add_foreign_keys(node);
    if (node.version) node.latest_version = patch.latest_version;
    const YamlNode& deprecation =
        patch.version.is_null() ? patch.entry["deprecation_date"] : patch.version["deprecation_date"];
    if (!deprecation.is_null()) node.deprecation_date = std::string(deprecation.text());
    const YamlNode& spine = patch.entry["time_spine"];
    if (patch.version.is_null() && spine.is_map()) {
        node.time_spine = time_spine_value(spine);
        check_time_spine(node, patch, spine, findings);
    }
}

void apply_patch(const NodePatch& patch, const Descriptions& descriptions, Node& node, Findings& findings) {
    const PropertyFile& file = *patch.file;
    patch.is_used = true;
    node.patch_path = file.id();
    if (const YamlNode& written = either(patch, "description"); written.is_text()) {
        auto description = descriptions.render(written.text(), node.package, file.path);
        if (description.ok()) {
            node.description = std::move(description.value().text);
            node.doc_blocks = std::move(description.value().doc_blocks);
        } else {
            findings.errors.push_back(wrong(file, written, description.error().message()));
        }
    }
    std::vector<std::string_view> known(kNodeKeys.begin(), kNodeKeys.end());
    if (node.type == ResourceType::model) known.insert(known.end(), kModelKeys.begin(), kModelKeys.end());
    if (node.type == ResourceType::snapshot) known.emplace_back("relation");
    if (node.type == ResourceType::function) known.insert(known.end(), {"arguments", "returns"});
    YamlFields(patch.entry, file.path, findings).warn_of_unknown(known, "a " + std::string(to_string(node.type)));
    if (node.type != ResourceType::test) {
        node.columns = read_columns(columns_of(patch.entry, patch.version), file, descriptions, findings);
    }
    if (node.type == ResourceType::model) apply_to_model(patch, node, findings);
    if (node.type == ResourceType::function) apply_function_properties(file, patch.entry, node, findings);
}

}  // namespace

void apply_patches(const NodePatches& patches, const Descriptions& descriptions, Manifest& manifest,
                   Findings& findings) {
    for (auto* nodes : {&manifest.nodes, &manifest.disabled}) {
        std::vector<Findings> found(nodes->size());
        in_parallel(nodes->size(), parse_threads(), [&](size_t i) {
            Node& node = *(*nodes)[i];
            if (const NodePatch* patch = patches.find(node)) apply_patch(*patch, descriptions, node, found[i]);
        });
        for (const Findings& one : found) findings.add(one);
    }
}

void add_foreign_keys(Node& node) {
    add_foreign_keys(node.constraints, node);
    for (const ColumnProperties& column : node.columns) add_foreign_keys(column.constraints, node);
}

void collect_tests(const PropertyFile& file, GenericTests& tests, Findings& findings) {
    for (const std::string_view section : {"models", "seeds", "snapshots"}) {
        for (const YamlNode& entry : file.entries(section)) {
            TestTarget target;
            target.file = &file;
            target.section = section;
            target.name = std::string(entry["name"].text());
            target.listed = target.name;
            target.quotes_columns = entry["quote_columns"].is_boolean() && entry["quote_columns"].boolean();
            const auto versions = entry["versions"].items();
            if (versions.empty() || section != "models") {
                tests.add(target, tests_of(entry, file, findings), columns_of(entry, {}), {}, findings);
                continue;
            }
            for (const YamlNode& version : versions) {
                target.version = version_text(version["v"]);
                const bool has_own = !version["tests"].is_null() || !version["data_tests"].is_null();
                tests.add(target, tests_of(has_own ? version : entry, file, findings), columns_of(entry, version), {},
                          findings);
            }
        }
    }
}

}  // namespace shaduf::models
