#include "models/select/previous_state.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.h"
#include "models/context/services.h"
#include "models/select/members.h"
#include "models/yaml/json_tree.h"
#include "models/yaml/parse_yaml.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::Value;

constexpr std::array<std::string_view, 8> kSections = {"nodes",           "sources",       "exposures",  "metrics",
                                                       "semantic_models", "saved_queries", "unit_tests", "functions"};
constexpr std::array<std::string_view, 10> kWords = {"new",
                                                     "old",
                                                     "modified",
                                                     "unmodified",
                                                     "modified.body",
                                                     "modified.configs",
                                                     "modified.persisted_descriptions",
                                                     "modified.relation",
                                                     "modified.macros",
                                                     "modified.contract"};

Result<YamlTree> load_if_there(const std::filesystem::path& path) {
    std::error_code failure;
    if (!std::filesystem::is_regular_file(path, failure)) return YamlTree();
    auto tree = parse_json(TRY(read_text_file(path.string(), path.string())));
    if (tree.ok() && tree.value().root().is_map()) return tree;
    return Error(ErrorKind::invalid_config,
                 "not an artifact of dbt's: " + (tree.ok() ? "it is no JSON object" : tree.error().message()))
        .at(Place::in_file(path.string(), 0));
}

bool same(const Value& now, const YamlNode& then) {
    const Value old = value_of_yaml(then);
    const bool is_nothing = now.is_none() || now.is_undefined();
    return is_nothing || old.is_none() ? is_nothing && old.is_none() : now.equals(old);
}

bool same(const std::optional<std::string>& now, const YamlNode& then) {
    if (!now || then.is_null()) return !now && then.is_null();
    return *now == value_of_yaml(then).text();
}

bool same(const std::vector<std::string>& now, const YamlNode& then) {
    return same(Value::list(std::vector<Value>(now.begin(), now.end())), then);
}

using Settings = std::vector<std::pair<std::string, Value>>;

const Value* find(const Settings& settings, std::string_view key) {
    for (const auto& [name, value] : settings) {
        if (name == key) return &value;
    }
    return nullptr;
}

bool same_setting(const Settings& now, const YamlNode& then, std::string_view key) {
    const Value* own = find(now, key);
    const YamlNode* old = then.find(key);
    if (own == nullptr || old == nullptr) return own == nullptr && old == nullptr;
    return same(*own, *old);
}

// What is as it was written, not as it was rendered; what only names or marks a node does not count.
std::vector<std::string> changed_keys(const Settings& now, const YamlNode& old) {
    constexpr std::array<std::string_view, 5> kIgnored = {"alias", "schema", "database", "tags", "group"};
    const auto counts = [&](std::string_view key) {
        return std::find(kIgnored.begin(), kIgnored.end(), key) == kIgnored.end();
    };
    const YamlNode& then = old["unrendered_config"];
    std::vector<std::string> keys;
    for (const auto& [key, value] : now) {
        if (counts(key) && !same_setting(now, then, key)) keys.push_back(key);
    }
    for (const YamlEntry& entry : then.entries()) {
        if (counts(entry.key.text()) && find(now, entry.key.text()) == nullptr) keys.emplace_back(entry.key.text());
    }
    return keys;
}

bool same_config(const Settings& now, const YamlNode& old) { return changed_keys(now, old).empty(); }

bool same_body(const Node& node, const YamlNode& old) {
    if (node.type != ResourceType::seed) return node.raw_code == old["raw_code"].text();
    return node.checksum.name == old["checksum"]["name"].text() &&
           node.checksum.value == old["checksum"]["checksum"].text();
}

bool same_relation(const Settings& now, const YamlNode& old) {
    for (const std::string_view key : {"database", "schema", "alias"}) {
        const Value* own = find(now, key);
        if (!same(own == nullptr ? Value::none() : *own, old["unrendered_config"][key])) return false;
    }
    return true;
}

bool same_descriptions(const Node& node, const YamlNode& old) {
    const Value persisted = node.config.get("persist_docs");
    const auto persists = [&](std::string_view what) {
        const Value* value = persisted.kind() == Kind::dict ? persisted.dict().find(what) : nullptr;
        return value != nullptr && value->truth();
    };
    if (persists("relation") && node.description != old["description"].text()) return false;
    if (!persists("columns")) return true;
    const YamlNode& columns = old["columns"];
    if (columns.entries().size() != node.columns.size()) return false;
    return std::all_of(node.columns.begin(), node.columns.end(), [&](const ColumnProperties& column) {
        const YamlNode* then = columns.find(column.name);
        return then != nullptr && (*then)["description"].text() == column.description;
    });
}

bool enforces_contract(const Node& node) {
    const Value contract = node.config.get("contract");
    const Value* enforced = contract.kind() == Kind::dict ? contract.dict().find("enforced") : nullptr;
    return enforced != nullptr && enforced->truth();
}

// Columns by name with their types and constraints.
bool same_contract(const Node& node, const YamlNode& old) {
    if (node.type != ResourceType::model) return true;
    const YamlNode& enforced = old["contract"]["enforced"];
    const bool was_enforced = enforced.is_boolean() && enforced.boolean();
    if (!enforces_contract(node) || !was_enforced) return enforces_contract(node) == was_enforced;
    const YamlNode& columns = old["columns"];
    const auto same_list = [](const Value& now, const YamlNode& then) {
        return now.is_none() || now.is_undefined() ? then.items().empty() : same(now, then);
    };
    if (columns.entries().size() != node.columns.size()) return false;
    for (const ColumnProperties& column : node.columns) {
        const YamlNode* then = columns.find(column.name);
        if (then == nullptr || !same(column.data_type, (*then)["data_type"])) return false;
        if (!same_list(column.constraints, (*then)["constraints"])) return false;
    }
    return same_list(node.constraints, old["constraints"]);
}

bool same_node(const Node& node, const YamlNode* old) {
    if (old == nullptr) return false;
    const bool is_same_place = same_config(node.unrendered_config, *old) && same(node.fqn, (*old)["fqn"]);
    if (node.test) return is_same_place;
    const bool is_same = is_same_place && same_body(node, *old) && same_descriptions(node, *old) &&
                         same_relation(node.unrendered_config, *old) && same_contract(node, *old);
    if (node.type == ResourceType::function) {
        return is_same && same(node.arguments, (*old)["arguments"]) && same(node.returns, (*old)["returns"]);
    }
    if (node.type != ResourceType::model) return is_same;
    return is_same && same(node.latest_version, (*old)["latest_version"]) && node.access == (*old)["access"].text() &&
           same(node.deprecation_date, (*old)["deprecation_date"]);
}

bool same_source_relation(const SourceTable& source, const YamlNode& old) {
    return same(source.database, old["database"]) && source.schema == old["schema"].text() &&
           source.identifier == old["identifier"].text();
}

bool same_source(const SourceTable& source, const YamlNode* old) {
    if (old == nullptr) return true;
    const auto same_quoting = [&](std::string_view part) {
        const Value* own = source.quoting.kind() == Kind::dict ? source.quoting.dict().find(part) : nullptr;
        return same(own == nullptr ? Value::none() : *own, (*old)["quoting"][part]);
    };
    return same_source_relation(source, *old) && same(source.fqn, (*old)["fqn"]) &&
           same_config(source.unrendered_config, *old) && same_quoting("database") && same_quoting("schema") &&
           same_quoting("identifier") && same_quoting("column") && same(source.freshness, (*old)["freshness"]) &&
           same(source.loaded_at_field, (*old)["loaded_at_field"]) && same(source.external, (*old)["external"]);
}

// Of what is declared, all counts but where it stands.
bool same_declaration(const Declaration& declaration, const YamlNode* old) {
    if (old == nullptr) return true;
    if (declaration.properties.kind() == Kind::dict) {
        for (const auto& [key, value] : declaration.properties.dict().entries()) {
            const std::string name = key.text();
            if (name == "meta" || name == "metadata" || name == "created_at") continue;
            if (!same(value, (*old)[name])) return false;
        }
    }
    const bool is_exposure = declaration.type == ResourceType::exposure;
    return !is_exposure ||
           (same(declaration.fqn, (*old)["fqn"]) && same(declaration.depends_on_nodes, (*old)["depends_on"]["nodes"]));
}

bool same_contents(const Member& member, const YamlNode* old) {
    if (member.node != nullptr) return same_node(*member.node, old);
    if (member.source != nullptr) return same_source(*member.source, old);
    if (member.declaration != nullptr) return same_declaration(*member.declaration, old);
    return old != nullptr && (*old)["checksum"].text() == member.unit_test->checksum;
}

bool is_built_in(std::string_view package) {
    return package == "dbt" || package == "dbt_duckdb" || package == "dbt_postgres";
}

}  // namespace

Result<PreviousState> PreviousState::load(const ContextServices& services, const std::string& folder) {
    PreviousState state;
    state.folder_ = folder;
    const auto root = std::filesystem::path(services.project_root) / folder;
    state.manifest_ = TRY(load_if_there(root / "manifest.json"));
    state.results_ = TRY(load_if_there(root / "run_results.json"));
    state.sources_ = TRY(load_if_there(root / "sources.json"));
    const auto target = std::filesystem::path(services.project_root) / services.target_path;
    state.current_sources_ = TRY(load_if_there(target / "sources.json"));
    return state;
}

const YamlNode* PreviousState::find(std::string_view unique_id) const {
    for (const std::string_view section : kSections) {
        if (const YamlNode* found = manifest_.root()[section].find(unique_id)) return found;
    }
    return nullptr;
}

StateComparison::StateComparison(const Manifest& manifest, const PreviousState& state) : state_(state) {
    const YamlNode& old_macros = state.manifest()["macros"];
    std::unordered_map<std::string_view, std::vector<std::string_view>> callers;
    std::vector<std::string> open;
    const auto mark = [&](std::string_view id, const std::string& edited) {
        if (modified_macros_.emplace(id, edited).second) open.emplace_back(id);
    };
    for (const auto& macro : manifest.macros) {
        for (const std::string& called : macro->depends_on_macros) callers[called].push_back(macro->unique_id);
        if (is_built_in(macro->package)) continue;
        const YamlNode* old = old_macros.find(macro->unique_id);
        if (old == nullptr || (*old)["macro_sql"].text() != macro->text()) mark(macro->unique_id, macro->unique_id);
    }
    while (!open.empty()) {
        const std::string id = std::move(open.back());
        open.pop_back();
        for (const std::string_view caller : callers[id]) mark(caller, modified_macros_.at(id));
    }
}

std::vector<std::string> StateComparison::words() { return {kWords.begin(), kWords.end()}; }

bool StateComparison::has_modified_macro(const Member& member) const {
    return member.macros != nullptr && std::any_of(member.macros->begin(), member.macros->end(),
                                                   [&](const auto& id) { return modified_macros_.contains(id); });
}

std::vector<std::string> StateComparison::edited_macros(const Member& member) const {
    std::vector<std::string> edited;
    if (member.macros == nullptr) return edited;
    for (const std::string& id : *member.macros) {
        const auto found = modified_macros_.find(id);
        if (found != modified_macros_.end()) edited.push_back(found->second);
    }
    std::sort(edited.begin(), edited.end());
    edited.erase(std::unique(edited.begin(), edited.end()), edited.end());
    return edited;
}

std::vector<std::string> StateComparison::changed_settings(const Member& member) const {
    const YamlNode* old = state_.find(member.unique_id);
    if (old == nullptr || (member.node == nullptr && member.source == nullptr)) return {};
    return changed_keys(member.node != nullptr ? member.node->unrendered_config : member.source->unrendered_config,
                        *old);
}

bool StateComparison::is_modified(const Member& member, const YamlNode* old) const {
    return !same_contents(member, old) || has_modified_macro(member);
}

std::optional<bool> StateComparison::is(std::string_view what, const Member& member) const {
    const YamlNode* old = state_.find(member.unique_id);
    if (what == "new") return old == nullptr;
    if (what == "old") return old != nullptr;
    if (what == "modified") return is_modified(member, old);
    if (what == "unmodified") return !is_modified(member, old);
    if (what == "modified.macros") return has_modified_macro(member);
    const Node* node = member.node;
    const Settings* settings = node != nullptr            ? &node->unrendered_config
                               : member.source != nullptr ? &member.source->unrendered_config
                                                          : nullptr;
    if (what == "modified.body") return node != nullptr && (old == nullptr || !same_body(*node, *old));
    if (what == "modified.configs") return settings != nullptr && (old == nullptr || !same_config(*settings, *old));
    if (what == "modified.persisted_descriptions")
        return node != nullptr && (old == nullptr || !same_descriptions(*node, *old));
    if (what == "modified.contract") return node != nullptr && (old == nullptr || !same_contract(*node, *old));
    if (what != "modified.relation") return std::nullopt;
    if (old == nullptr) return settings != nullptr;
    if (member.source != nullptr) return !same_source_relation(*member.source, *old);
    return node != nullptr && !same_relation(node->unrendered_config, *old);
}

}  // namespace shaduf::models
