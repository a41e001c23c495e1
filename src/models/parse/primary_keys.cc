#include <algorithm>
#include <unordered_map>

#include "models/parse/generic_tests.h"

namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::Value;

struct TestedColumns {
    std::vector<std::string> enabled_unique, disabled_unique, not_null;
};

bool holds(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

void add(std::vector<std::string>& names, const std::string& name) {
    if (!holds(names, name)) names.push_back(name);
}

std::vector<std::string> columns_of_test(const TestMetadata& test) {
    std::vector<std::string> columns;
    if (test.arguments.kind() != Kind::dict) return columns;
    const jinja::Dict& arguments = test.arguments.dict();
    if (const Value* column = arguments.find("column_name"); column != nullptr && column->is_string()) {
        columns.push_back(column->string());
    } else if (const Value* several = arguments.find("combination_of_columns");
               several != nullptr && several->kind() == Kind::list) {
        for (const Value& name : several->items()) {
            if (name.is_string()) columns.push_back(name.string());
        }
    }
    return columns;
}

bool is_primary_key(const Value& constraint) {
    const Value* type = constraint.kind() == Kind::dict ? constraint.dict().find("type") : nullptr;
    return type != nullptr && type->text() == "primary_key";
}

std::optional<std::vector<std::string>> declared_key(const Node& node) {
    if (node.constraints.kind() == Kind::list) {
        for (const Value& constraint : node.constraints.items()) {
            if (!is_primary_key(constraint)) continue;
            std::vector<std::string> columns;
            const Value* names = constraint.dict().find("columns");
            if (names != nullptr && names->kind() == Kind::list) {
                for (const Value& name : names->items()) columns.push_back(name.text());
            }
            return columns;
        }
    }
    for (const ColumnProperties& column : node.columns) {
        if (column.constraints.kind() != Kind::list) continue;
        const auto& constraints = column.constraints.items();
        if (std::any_of(constraints.begin(), constraints.end(), is_primary_key)) return std::vector{column.name};
    }
    return std::nullopt;
}

std::vector<std::string> tested_key(const TestedColumns& tested) {
    std::vector<std::string> both;
    for (const std::string& name : tested.not_null) {
        if (holds(tested.enabled_unique, name) || holds(tested.disabled_unique, name)) both.push_back(name);
    }
    if (!both.empty()) return both;
    return tested.enabled_unique.empty() ? tested.disabled_unique : tested.enabled_unique;
}

}  // namespace

void infer_primary_keys(Manifest& manifest) {
    std::unordered_map<std::string, TestedColumns> tested;
    const auto note = [&](const Node& node, bool is_enabled) {
        if (!node.test || node.test->attached_node.empty()) return;
        const std::string& name = node.test->name;
        const bool is_unique = name == "unique" || name == "unique_combination_of_columns";
        if (!is_unique && name != "not_null") return;
        TestedColumns& columns = tested[node.test->attached_node];
        for (const std::string& column : columns_of_test(*node.test)) {
            add(!is_unique ? columns.not_null : is_enabled ? columns.enabled_unique : columns.disabled_unique, column);
        }
    };
    for (const auto& node : manifest.nodes) note(*node, true);
    for (const auto& node : manifest.disabled) note(*node, false);
    for (auto& node : manifest.nodes) {
        if (node->type != ResourceType::model) continue;
        if (auto declared = declared_key(*node)) {
            node->primary_key = std::move(*declared);
        } else if (const auto found = tested.find(node->unique_id); found != tested.end()) {
            node->primary_key = tested_key(found->second);
        }
    }
}

}  // namespace shaduf::models
