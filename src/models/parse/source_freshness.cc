#include "models/parse/source_freshness.h"

#include <algorithm>
#include <array>
#include <optional>

#include "models/parse/columns.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using jinja::Dict;
using jinja::Ref;
using jinja::Value;

constexpr std::array<std::string_view, 5> kMerged = {"freshness", "loaded_at_field", "loaded_at_query", "meta", "tags"};

// count and period after which data is stale.
struct Threshold {
    Value count = Value::none();
    Value period = Value::none();
    bool is_set() const { return !count.is_none() && !period.is_none(); }
};
struct Freshness {
    std::optional<Threshold> warn_after = Threshold{}, error_after = Threshold{};  // nullopt: null
    Value filter = Value::none();
    bool is_set() const { return (warn_after && warn_after->is_set()) || (error_after && error_after->is_set()); }
};

std::optional<Threshold> read_threshold(const YamlNode* node) {
    if (node == nullptr) return Threshold{};
    if (node->is_null()) return std::nullopt;
    return Threshold{value_of_yaml((*node)["count"]), value_of_yaml((*node)["period"])};
}

// nullopt: null, which says that there is none.
std::optional<Freshness> read_freshness(const YamlNode* node) {
    if (node == nullptr) return Freshness{};
    if (node->is_null()) return std::nullopt;
    Freshness freshness;
    freshness.warn_after = read_threshold(node->find("warn_after"));
    freshness.error_after = read_threshold(node->find("error_after"));
    freshness.filter = value_of_yaml((*node)["filter"]);
    return freshness;
}

Value either(const Value& update, const Value& base) { return update.is_none() ? base : update; }

std::optional<Threshold> merge(const std::optional<Threshold>& base, const std::optional<Threshold>& update) {
    if (!update) return std::nullopt;
    if (base && base->is_set() && update->is_set()) {
        return Threshold{either(update->count, base->count), either(update->period, base->period)};
    }
    if (update->is_set()) return update;
    return base;
}

std::optional<Freshness> merge(const std::optional<Freshness>& base, const std::optional<Freshness>& update) {
    if (base && update) {
        Freshness merged;
        merged.warn_after = merge(base->warn_after, update->warn_after);
        merged.error_after = merge(base->error_after, update->error_after);
        merged.filter = either(update->filter, base->filter);
        return merged;
    }
    if (!base && update && update->is_set()) return update;
    return std::nullopt;
}

Value value_of(const std::optional<Threshold>& threshold) {
    if (!threshold) return Value::none();
    auto dict = jinja::make<Dict>();
    dict->set("count", threshold->count);
    dict->set("period", threshold->period);
    return dict;
}

Value value_of(const Freshness& freshness) {
    auto dict = jinja::make<Dict>();
    dict->set("warn_after", value_of(freshness.warn_after));
    dict->set("error_after", value_of(freshness.error_after));
    dict->set("filter", freshness.filter);
    return dict;
}

bool is_given(const YamlNode& node) { return !node.is_null() && !(node.is_text() && node.text().empty()); }

YamlNode first_given(const YamlNode& a, const YamlNode& b) { return is_given(a) ? a : b; }

struct LoadedAt {
    YamlNode field, query;
};

Result<LoadedAt> loaded_at(const YamlNode& source, const YamlNode& table, const PropertyFile& file) {
    const YamlNode source_field = first_given(source["loaded_at_field"], source["config"]["loaded_at_field"]);
    const YamlNode source_query = first_given(source["loaded_at_query"], source["config"]["loaded_at_query"]);
    const YamlNode table_field = first_given(table["loaded_at_field"], table["config"]["loaded_at_field"]);
    const YamlNode table_query = first_given(table["loaded_at_query"], table["config"]["loaded_at_query"]);
    // A null of the table says that the source's does not count for it.
    const bool says_field = table.find("loaded_at_field") != nullptr || is_given(table["config"]["loaded_at_field"]);
    const auto both = [&](const YamlNode& at, const std::string& level) {
        return Error(ErrorKind::invalid_config,
                     "Cannot specify both loaded_at_field and loaded_at_query at " + level + " level; keep one")
            .at(Place::in_file(file.path, static_cast<int>(at.line())));
    };
    if (says_field && is_given(table_query)) return both(table, "table");
    if (is_given(source_field) && is_given(source_query)) return both(source, "source");
    LoadedAt loaded;
    loaded.field = says_field ? table_field : source_field;
    loaded.query = is_given(table_query) ? table_query : says_field ? YamlNode() : source_query;
    return loaded;
}

void add_meta(const YamlNode& source, const YamlNode& table, YamlBuilder& builder) {
    auto meta = jinja::make<Dict>();
    for (const YamlNode* level : {&source, &table}) {
        const Value own = own_meta(*level);
        if (own.kind() != jinja::Kind::dict) continue;
        for (const auto& [key, value] : own.dict().entries()) meta->set(key, value);
    }
    add_value(Value(meta), builder);
}

void add_tags(const YamlNode& source, const YamlNode& table, YamlBuilder& builder) {
    std::vector<std::string> tags = own_tags(source);
    for (std::string& tag : own_tags(table)) tags.push_back(std::move(tag));
    std::sort(tags.begin(), tags.end());
    tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
    builder.begin_list();
    for (const std::string& tag : tags) builder.add_text(tag);
    builder.end_list();
}

}  // namespace

Result<YamlTree> source_config(const YamlNode& source, const YamlNode& table, const PropertyFile& file) {
    const LoadedAt loaded = TRY(loaded_at(source, table, file));
    std::optional<Freshness> freshness = read_freshness(source.find("freshness"));
    for (const YamlNode* next :
         {source["config"].find("freshness"), table.find("freshness"), table["config"].find("freshness")}) {
        freshness = merge(freshness, read_freshness(next));
    }
    YamlBuilder builder;
    builder.keep(file.tree);
    builder.begin_map();
    for (const YamlNode* level : {&source, &table}) {
        for (const YamlEntry& entry : (*level)["config"].entries()) {
            if (std::find(kMerged.begin(), kMerged.end(), entry.key.text()) != kMerged.end()) continue;
            builder.add(entry.key);
            builder.add(entry.value);
        }
    }
    if (!freshness || freshness->is_set()) {
        builder.key("freshness");
        add_value(freshness ? value_of(*freshness) : Value::none(), builder);
    }
    builder.key("loaded_at_field");
    builder.add(loaded.field);
    builder.key("loaded_at_query");
    builder.add(loaded.query);
    builder.key("meta");
    add_meta(source, table, builder);
    builder.key("tags");
    add_tags(source, table, builder);
    builder.end_map();
    return builder.finish();
}

}  // namespace shaduf::models
