#include <re2/re2.h>

#include <algorithm>

#include "base/text.h"
#include "models/lineage/query_tracer.h"

namespace shaduf::models {
namespace {

constexpr std::string_view kNoPattern = "";

bool is_true(const YamlNode& flag) { return flag.is_boolean() && flag.boolean(); }

// COLUMNS(...) somewhere inside of an expression: it stands for several columns.
bool holds_columns(const YamlNode& value) {
    if (value.is_map()) {
        if (value["class"].text() == "STAR" && is_true(value["columns"])) return true;
        const auto entries = value.entries();
        return std::any_of(entries.begin(), entries.end(),
                           [](const auto& entry) { return holds_columns(entry.value); });
    }
    const auto items = value.items();
    return std::any_of(items.begin(), items.end(), [](const YamlNode& item) { return holds_columns(item); });
}

// A pattern of LIKE as a regular expression.
std::string regex_of_like(std::string_view pattern) {
    std::string regex;
    for (const char c : pattern) {
        if (c == '%')
            regex += ".*";
        else if (c == '_')
            regex += ".";
        else
            regex += RE2::QuoteMeta(std::string(1, c));
    }
    return "(?s)" + regex;
}

std::string_view text_of(const YamlNode& constant) {
    return constant["class"].text() == "CONSTANT" ? constant["value"]["value"].text() : kNoPattern;
}

std::string_view last_name(const YamlNode& reference) {
    const auto names = reference["column_names"].items();
    return names.empty() ? std::string_view() : names.back().text();
}

}  // namespace

std::string QueryTracer::name_of(const YamlNode& item) {
    if (const std::string_view alias = item["alias"].text(); !alias.empty()) return std::string(alias);
    const std::string_view kind = item["class"].text();
    if (kind == "COLUMN_REF") return std::string(last_name(item));
    const YamlNode& constant = item["value"]["value"];
    if (dialect_ == SqlDialect::duckdb) {
        const bool is_number = kind == "CONSTANT" && constant.is_integer();
        return is_number ? std::to_string(constant.integer()) : parser_.name_of(item);
    }
    // As PostgreSQL names them: by the outermost function, through casts.
    if (kind == "CAST" && item["child"]["class"].text() != "CONSTANT") return name_of(item["child"]);
    const std::string_view function = item["function_name"].text();
    if (kind == "FUNCTION" && !is_true(item["is_operator"]))
        return function == "count_star" ? "count" : std::string(function);
    if (kind == "WINDOW") return std::string(function);
    if (kind == "CASE") return "case";
    if (item["type"].text() == "OPERATOR_COALESCE") return "coalesce";
    return "?column?";
}

void QueryTracer::add_item(const YamlNode& item, const NameScope& scope, const Ctes& ctes, SelectList& list) {
    const std::string_view kind = item["class"].text();
    if (kind == "STAR") return add_star(item, scope, ctes, list);
    const auto children = item["children"].items();
    const std::string_view function = item["function_name"].text();
    const bool is_choice = kind == "FUNCTION" && (function == "~~" || function == "!~~") && children.size() == 2 &&
                           children[0]["class"].text() == "STAR";
    if (is_choice && add_chosen(children[0], item, scope, list)) return;
    TracedRelation unknown;
    if (is_choice || holds_columns(item)) {
        unknown.add_more({{}, true, "columns that an expression over COLUMNS(...) makes are not followed"});
    } else if (function == "unnest" && children.size() > 1) {
        unknown.add_more({{}, true, "columns of an unnested struct are not known"});
    }
    if (unknown.more) {
        add_conditions(item, scope, ctes);
        if (list.more) unknown.add_more(*list.more);
        list.more = std::move(unknown.more);
        return;
    }
    ColumnLineage column = trace_expression(item, scope, ctes);
    column.name = name_of(item);
    list.columns.push_back(std::move(column));
}

void QueryTracer::add_star(const YamlNode& star, const NameScope& scope, const Ctes& ctes, SelectList& list) {
    if (!star["expr"].is_null()) {
        if (add_chosen(star, star["expr"], scope, list)) return;
        TracedRelation unknown;
        unknown.add_more({{}, true, "which columns COLUMNS(...) chooses is not known"});
        if (list.more) unknown.add_more(*list.more);
        list.more = std::move(unknown.more);
        return;
    }
    const std::string_view relation = star["relation_name"].text();
    TracedRelation more;
    if (list.more) more.more = list.more;
    std::set<std::string> left_out;
    for (const YamlNode& name : star["exclude_list"].items()) left_out.insert(to_lower(name.text()));
    std::map<std::string, const YamlNode*> replaced, renamed;
    for (const YamlNode& entry : star["replace_list"].items())
        replaced[to_lower(entry["key"].text())] = &entry["value"];
    for (const YamlNode& entry : star["rename_list"].items())
        renamed[to_lower(entry["key"]["column"].text())] = &entry["value"];
    bool is_found = false;
    for (const NameScope::Entry& entry : scope.entries()) {
        if (!relation.empty() && !equals_ignoring_case(entry.alias, relation)) continue;
        is_found = true;
        std::set<std::string> gone = left_out;
        for (const YamlNode& name : star["qualified_exclude_list"].items()) {
            if (equals_ignoring_case(name["table"].text(), entry.alias)) gone.insert(to_lower(name["column"].text()));
        }
        for (const ColumnLineage& own : entry.relation->columns) {
            const std::string key = to_lower(own.name);
            auto column = NameScope::column_of(entry, own.name);
            // A table named before the star shows its own column, whatever USING made of it.
            if (!relation.empty()) column = own;
            if (!column || gone.contains(key)) continue;
            if (const auto with = replaced.find(key); with != replaced.end())
                column = trace_expression(*with->second, scope, ctes);
            const auto as = renamed.find(key);
            column->name = as == renamed.end() ? own.name : std::string(as->second->text());
            list.columns.push_back(*std::move(column));
        }
        if (entry.relation->more) more.add_more(*entry.relation->more);
    }
    if (!is_found) more.add_more({{}, true, "columns of the struct " + std::string(relation) + " are not known"});
    list.more = std::move(more.more);
}

// Columns by a pattern or a list of names: COLUMNS('x.*'), COLUMNS(['a', 'b']), * LIKE 'x%'. False: another choice, or
// not all columns are known.
bool QueryTracer::add_chosen(const YamlNode& star, const YamlNode& choice, const NameScope& scope, SelectList& list) {
    const std::string_view function = choice["function_name"].text();
    const auto children = choice["children"].items();
    std::string regex;
    std::set<std::string> names;
    if (choice["class"].text() == "CONSTANT") {
        regex = text_of(choice);
    } else if (function == "list_value") {
        for (const YamlNode& child : children) names.insert(to_lower(text_of(child)));
    } else if ((function == "~~" || function == "!~~") && !text_of(children[1]).empty()) {
        regex = "^(?:" + regex_of_like(text_of(children[1])) + ")$";
    }
    if (regex.empty() && names.empty()) return false;
    const RE2 pattern(regex, RE2::Quiet);
    if (!pattern.ok()) return false;
    const std::string_view relation = star["relation_name"].text();
    std::vector<ColumnLineage> chosen;
    for (const NameScope::Entry& entry : scope.entries()) {
        if (!relation.empty() && !equals_ignoring_case(entry.alias, relation)) continue;
        if (entry.relation->more) return false;
        for (const ColumnLineage& own : entry.relation->columns) {
            const auto column = NameScope::column_of(entry, own.name);
            const bool fits = names.empty() ? RE2::PartialMatch(own.name, pattern) : names.contains(to_lower(own.name));
            if (column && fits != (function == "!~~")) chosen.push_back(*column);
        }
    }
    std::move(chosen.begin(), chosen.end(), std::back_inserter(list.columns));
    return true;
}

}  // namespace shaduf::models
