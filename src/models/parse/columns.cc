#include "models/parse/columns.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using jinja::Dict;
using jinja::Value;

constexpr std::array<std::string_view, 12> kKnown = {"name",        "description", "meta",   "data_type",
                                                     "constraints", "docs",        "config", "tests",
                                                     "data_tests",  "quote",       "tags",   "granularity"};
constexpr std::array<std::string_view, 6> kConstraintTypes = {"check",       "not_null",    "unique",
                                                              "primary_key", "foreign_key", "custom"};
std::vector<std::string> granularities() {
    return {"nanosecond", "microsecond", "millisecond", "second",  "minute", "hour",
            "day",        "week",        "month",       "quarter", "year"};
}

Error wrong(const PropertyFile& file, const YamlNode& at, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message))
        .at(Place::in_file(file.path, static_cast<int>(at.line())));
}

bool is_include(const YamlNode& column) {
    return column.find("name") == nullptr && (column.find("include") != nullptr || column.find("exclude") != nullptr);
}

bool names_column(const YamlNode& list, std::string_view name) {
    if (list.is_text()) return list.text() == "*" || list.text() == "all" || list.text() == name;
    return std::any_of(list.items().begin(), list.items().end(),
                       [&](const YamlNode& item) { return item.text() == name; });
}

// Of `include: all, exclude: [...]`; nothing said is all.
bool includes(const YamlNode& rule, std::string_view name) {
    const YamlNode& include = rule["include"];
    if (!include.is_null() && !names_column(include, name)) return false;
    return !names_column(rule["exclude"], name);
}

jinja::Ref<Dict> extra_of(const YamlNode& column) {
    jinja::Ref<Dict> extra;
    for (const YamlEntry& entry : column.entries()) {
        const std::string_view key = entry.key.text();
        if (std::find(kKnown.begin(), kKnown.end(), key) != kKnown.end()) continue;
        if (!extra) extra = jinja::make<Dict>();
        extra->set(Value(key), value_of_yaml(entry.value));
    }
    return extra;
}

void add_tags(const YamlNode& tags, std::vector<std::string>& all) {
    const auto add = [&](const YamlNode& tag) {
        if (tag.is_text() && std::find(all.begin(), all.end(), tag.text()) == all.end()) all.emplace_back(tag.text());
    };
    if (tags.is_text()) add(tags);
    for (const YamlNode& tag : tags.items()) add(tag);
}

Result<ColumnProperties> read_column(const YamlNode& entry, const PropertyFile& file,
                                     const Descriptions& descriptions) {
    ColumnProperties column;
    if (!entry["name"].is_text()) {
        return wrong(file, entry,
                     "the name of a column is a text, not " + std::string(to_string(entry["name"].kind())) + ": " +
                         shown_value(entry["name"]) + "; put it in quotes");
    }
    column.name = std::string(entry["name"].text());
    if (const YamlNode& text = entry["description"]; text.is_text()) {
        auto description = descriptions.render(text.text(), file.project->name, file.path);
        if (!description.ok()) {
            return Error(description.error().kind(), description.error().message())
                .at(Place::in_file(file.path, static_cast<int>(text.line())));
        }
        column.description = std::move(description.value().text);
        column.doc_blocks = std::move(description.value().doc_blocks);
    }
    if (const YamlNode& type = entry["data_type"]; !type.is_null()) {
        column.data_type = type.is_text() ? std::string(type.text()) : to_python_json(type);
    }
    if (entry["quote"].is_boolean()) column.quote = entry["quote"].boolean();
    if (const YamlNode& granularity = entry["granularity"]; granularity.is_text()) {
        column.granularity = std::string(granularity.text());
        const auto known = granularities();
        if (std::find(known.begin(), known.end(), *column.granularity) == known.end()) {
            return wrong(file, granularity,
                         "not a granularity of column " + column.name + ": " + *column.granularity +
                             did_you_mean(*column.granularity, known));
        }
    }
    column.tags = own_tags(entry);
    column.meta = own_meta(entry);
    if (!entry["constraints"].items().empty()) {
        column.constraints =
            TRY(read_constraints(entry["constraints"], ConstraintLevel::column, "column " + column.name, file));
    }
    if (auto extra = extra_of(entry)) column.extra = Value(extra);
    return column;
}

}  // namespace

std::vector<YamlNode> columns_of(const YamlNode& entry, const YamlNode& version) {
    std::vector<YamlNode> columns;
    YamlNode rule;
    for (const YamlNode& column : version["columns"].items()) {
        if (is_include(column)) rule = column;
    }
    for (const YamlNode& column : entry["columns"].items()) {
        if (column.is_map() && (version.is_null() || includes(rule, column["name"].text()))) columns.push_back(column);
    }
    for (const YamlNode& column : version["columns"].items()) {
        if (column.is_map() && !is_include(column)) columns.push_back(column);
    }
    return columns;
}

std::vector<ColumnProperties> read_columns(const std::vector<YamlNode>& columns, const PropertyFile& file,
                                           const Descriptions& descriptions, Findings& findings) {
    std::vector<ColumnProperties> read;
    read.reserve(columns.size());
    for (const YamlNode& entry : columns) {
        auto column = read_column(entry, file, descriptions);
        if (!column.ok()) {
            findings.errors.push_back(column.release_error());
            continue;
        }
        const auto same = std::find_if(read.begin(), read.end(),
                                       [&](const auto& other) { return other.name == column.value().name; });
        if (same == read.end())
            read.push_back(column.release_value());
        else
            *same = column.release_value();
    }
    return read;
}

std::vector<std::string> own_tags(const YamlNode& entry) {
    std::vector<std::string> tags;
    add_tags(entry["tags"], tags);
    add_tags(entry["config"]["tags"], tags);
    return tags;
}

Value own_meta(const YamlNode& entry) {
    const YamlNode& beside = entry["meta"];
    const YamlNode& inside = entry["config"]["meta"];
    if (!beside.is_map() && !inside.is_map()) return Value::none();
    auto meta = jinja::make<Dict>();
    for (const YamlNode* map : {&beside, &inside}) {
        for (const YamlEntry& item : map->entries()) meta->set(value_of_yaml(item.key), value_of_yaml(item.value));
    }
    return Value(meta);
}

Result<Value> read_constraints(const YamlNode& list, ConstraintLevel level, const std::string& of,
                               const PropertyFile& file) {
    std::vector<Value> constraints;
    for (const YamlNode& entry : list.items()) {
        const std::string_view type = entry["type"].text();
        if (std::find(kConstraintTypes.begin(), kConstraintTypes.end(), type) == kConstraintTypes.end()) {
            return wrong(
                file, entry,
                "Invalid constraint type on " + of + ": " + shown_value(entry["type"]) +
                    did_you_mean(type, std::vector<std::string>(kConstraintTypes.begin(), kConstraintTypes.end())));
        }
        auto constraint = jinja::make<Dict>();
        const auto set = [&](std::string_view key, Value fallback) {
            const YamlNode* given = entry.find(key);
            constraint->set(Value(key), given == nullptr ? std::move(fallback) : value_of_yaml(*given));
        };
        set("type", Value(type));
        set("name", Value::none());
        set("expression", Value::none());
        set("warn_unenforced", Value(true));
        set("warn_unsupported", Value(true));
        set("to", Value::none());
        set("to_columns", Value::list({}));
        if (level == ConstraintLevel::model) set("columns", Value::list({}));
        constraints.emplace_back(constraint);
    }
    return Value::list(std::move(constraints));
}

}  // namespace shaduf::models
