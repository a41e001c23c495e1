#include <algorithm>
#include <array>
#include <span>

#include "models/node_config.h"

#include "models/own_copy.h"

// The defaults of settings, by resource type, in the order in which dbt writes them.
namespace shaduf::models {
namespace {

using jinja::Value;

// What a default is, as a constant: values are made of it.
enum class Default : uint8_t { none, yes, no, empty_list, empty_dict, text, integer };
struct Setting {
    std::string_view name;
    Default kind = Default::none;
    std::string_view text = {};
    int64_t integer = 0;
};

constexpr std::array<Setting, 8> kAllHead = {{{"enabled", Default::yes},
                                              {"alias"},
                                              {"schema"},
                                              {"database"},
                                              {"tags", Default::empty_list},
                                              {"meta", Default::empty_dict},
                                              {"group"},
                                              {"static_analysis"}}};

constexpr std::array<Setting, 20> kNode = {{{"incremental_strategy"},
                                            {"batch_size"},
                                            {"lookback", Default::integer, {}, 1},
                                            {"begin"},
                                            {"persist_docs", Default::empty_dict},
                                            {"post-hook", Default::empty_list},
                                            {"pre-hook", Default::empty_list},
                                            {"quoting", Default::empty_dict},
                                            {"column_types", Default::empty_dict},
                                            {"full_refresh"},
                                            {"unique_key"},
                                            {"on_schema_change", Default::text, "ignore"},
                                            {"on_configuration_change", Default::text, "apply"},
                                            {"grants", Default::empty_dict},
                                            {"packages", Default::empty_list},
                                            {"docs"},
                                            {"contract"},
                                            {"event_time"},
                                            {"concurrent_batches"},
                                            {"static_analysis"}}};

constexpr std::array<Setting, 3> kModelHead = {{{"materialized", Default::text, "view"}}};
constexpr std::array<Setting, 2> kModelTail = {{{"access", Default::text, "protected"}, {"freshness"}}};
constexpr std::array<Setting, 1> kSeedHead = {{{"materialized", Default::text, "seed"}}};
constexpr std::array<Setting, 2> kSeedTail = {{{"delimiter", Default::text, ","}, {"quote_columns"}}};
constexpr std::array<Setting, 1> kSnapshotHead = {{{"materialized", Default::text, "snapshot"}}};
constexpr std::array<Setting, 8> kSnapshotTail = {{{"strategy"},
                                                   {"target_schema"},
                                                   {"target_database"},
                                                   {"updated_at"},
                                                   {"check_cols"},
                                                   {"snapshot_meta_column_names"},
                                                   {"dbt_valid_to_current"},
                                                   {"hard_deletes"}}};
constexpr std::array<Setting, 10> kTestTail = {{{"materialized", Default::text, "test"},
                                                {"severity", Default::text, "ERROR"},
                                                {"store_failures"},
                                                {"store_failures_as"},
                                                {"where"},
                                                {"limit"},
                                                {"fail_calc", Default::text, "count(*)"},
                                                {"warn_if", Default::text, "!= 0"},
                                                {"error_if", Default::text, "!= 0"},
                                                {"schema"}}};
constexpr std::array<Setting, 8> kSourceAll = {{{"enabled", Default::yes},
                                                {"event_time"},
                                                {"freshness"},
                                                {"loaded_at_field"},
                                                {"loaded_at_query"},
                                                {"meta", Default::empty_dict},
                                                {"tags", Default::empty_list},
                                                {"static_analysis"}}};

Value docs_default() {
    auto docs = jinja::make<jinja::Dict>();
    docs->set("show", true);
    docs->set("node_color", Value::none());
    return docs;
}

Value contract_default() {
    auto contract = jinja::make<jinja::Dict>();
    contract->set("enforced", false);
    contract->set("alias_types", true);
    return contract;
}

Value value_of(const Setting& setting) {
    if (setting.name == "docs") return docs_default();
    if (setting.name == "contract") return contract_default();
    switch (setting.kind) {
        case Default::none: return Value::none();
        case Default::yes: return Value(true);
        case Default::no: return Value(false);
        case Default::empty_list: return Value::list({});
        case Default::empty_dict: return jinja::make<jinja::Dict>();
        case Default::text: return Value(setting.text);
        case Default::integer: return Value(setting.integer);
    }
    return Value::none();
}

std::vector<Setting> settings_of(ResourceType type) {
    std::vector<Setting> all;
    const auto add = [&](std::span<const Setting> part) {
        for (const Setting& setting : part) {
            const bool known =
                std::any_of(all.begin(), all.end(), [&](const Setting& s) { return s.name == setting.name; });
            if (!setting.name.empty() && !known) all.push_back(setting);
        }
    };
    switch (type) {
        case ResourceType::source: add(kSourceAll); break;
        case ResourceType::test:
            add(kAllHead);
            add(kTestTail);
            break;
        case ResourceType::seed:
            add(kAllHead);
            add(kSeedHead);
            add(kNode);
            add(kSeedTail);
            break;
        case ResourceType::snapshot:
            add(kAllHead);
            add(kSnapshotHead);
            add(kNode);
            add(kSnapshotTail);
            break;
        case ResourceType::model:
        case ResourceType::analysis:
        case ResourceType::operation:
        case ResourceType::sql_operation:
            add(kAllHead);
            add(kModelHead);
            add(kNode);
            if (type == ResourceType::model) add(kModelTail);
            break;
        default: all = {{"enabled", Default::yes}}; break;
    }
    return all;
}

const std::vector<Setting>& known_settings(ResourceType type) {
    static const std::array<std::vector<Setting>, 17> kByType = [] {
        std::array<std::vector<Setting>, 17> by_type;
        for (size_t i = 0; i < by_type.size(); ++i) by_type.at(i) = settings_of(static_cast<ResourceType>(i));
        return by_type;
    }();
    return kByType.at(static_cast<size_t>(type));
}

std::string_view spelled(std::string_view name) {
    if (name == "pre_hook") return "pre-hook";
    if (name == "post_hook") return "post-hook";
    return name;
}

}  // namespace

Value NodeConfig::get(std::string_view name) const {
    const std::string_view key = spelled(name);
    if (settings_) {
        if (const Value* value = settings_->find(key)) return *value;
    }
    for (const Setting& setting : known_settings(type_)) {
        if (setting.name == key) return value_of(setting);
    }
    return {};
}

bool NodeConfig::is_set(std::string_view name) const { return settings_ && settings_->find(spelled(name)) != nullptr; }

std::string NodeConfig::text(std::string_view name) const {
    const Value value = get(name);
    return value.is_none() || value.is_undefined() ? std::string() : value.text();
}

bool NodeConfig::flag(std::string_view name) const { return get(name).truth(); }

Value NodeConfig::all() const {
    auto all = jinja::make<jinja::Dict>();
    for (const Setting& setting : known_settings(type_)) {
        const Value* value = settings_ ? settings_->find(setting.name) : nullptr;
        all->set(setting.name, own_copy(value == nullptr ? value_of(setting) : *value));
    }
    if (settings_) {
        for (const auto& [name, value] : settings_->entries()) {
            if (all->find(name) == nullptr) all->set(name, own_copy(value));
        }
    }
    return all;
}

}  // namespace shaduf::models
