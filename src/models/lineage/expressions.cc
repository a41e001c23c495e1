#include <algorithm>
#include <array>

#include "base/text.h"
#include "models/lineage/query_tracer.h"

namespace shaduf::models {
namespace {

// Names without parentheses that are functions, and columns that every table has.
constexpr std::array<std::string_view, 20> kNoColumns = {"current_date",
                                                         "current_time",
                                                         "current_timestamp",
                                                         "localtime",
                                                         "localtimestamp",
                                                         "current_user",
                                                         "session_user",
                                                         "user",
                                                         "current_schema",
                                                         "current_catalog",
                                                         "current_role",
                                                         "current_database",
                                                         "rowid",
                                                         "ctid",
                                                         "xmin",
                                                         "xmax",
                                                         "cmin",
                                                         "cmax",
                                                         "tableoid",
                                                         "filename"};

bool is_no_column(std::string_view name) {
    return std::any_of(kNoColumns.begin(), kNoColumns.end(),
                       [&](const auto known) { return equals_ignoring_case(known, name); });
}

}  // namespace

ColumnLineage QueryTracer::trace_expression(const YamlNode& expression, const NameScope& scope, const Ctes& ctes) {
    ColumnLineage column;
    const std::string_view kind = expression["class"].text();
    const bool is_plain = kind == "COLUMN_REF" || kind == "SUBQUERY";
    add_sources_of(expression, scope, ctes, is_plain ? LineageKind::copied : LineageKind::transformed, column);
    return column;
}

// Any part of the tree: of what is no expression, the expressions in it.
void QueryTracer::add_sources_of(const YamlNode& value, const NameScope& scope, const Ctes& ctes, LineageKind kind,
                                 ColumnLineage& column) {
    for (const YamlNode& item : value.items()) add_sources_of(item, scope, ctes, kind, column);
    if (!value.is_map()) return;
    const std::string_view type = value["class"].text();
    if (type == "CONSTANT") return;
    if (type == "COLUMN_REF") return add_reference(value, scope, kind, column);
    if (type == "SUBQUERY") return add_subquery(value, scope, ctes, kind, column);
    if (type == "LAMBDA") return add_lambda(value, scope, ctes, kind, column);
    if (type == "STAR") {
        SelectList all;
        add_star(value, scope, ctes, all);
        for (const ColumnLineage& own : all.columns) add_sources(column, own, kind);
        if (all.more) add_reason(column.unknown, all.more->why);
        return;
    }
    const bool is_aggregate = type == "FUNCTION" && parser_.is_aggregate(value["function_name"].text());
    const bool is_window_aggregate = value["type"].text() == "WINDOW_AGGREGATE";
    LineageKind below = type.empty() ? kind : std::max(kind, LineageKind::transformed);
    for (const YamlEntry& entry : value.entries()) {
        const YamlNode& part = entry.value;
        if (!part.is_map() && !part.is_list()) continue;
        const bool is_argument = entry.key.text() == "children" || entry.key.text() == "filter";
        const bool is_aggregated = is_aggregate || (is_window_aggregate && is_argument);
        add_sources_of(part, scope, ctes, is_aggregated ? LineageKind::aggregated : below, column);
    }
}

void QueryTracer::add_reference(const YamlNode& reference, const NameScope& scope, LineageKind kind,
                                ColumnLineage& column) {
    std::vector<std::string_view> parts;
    for (const YamlNode& name : reference["column_names"].items()) parts.push_back(name.text());
    if (parts.empty()) return;
    const NameScope::Found found = scope.find(parts);
    if (found.outcome != NameScope::Outcome::absent) return add_sources(column, found.column, kind);
    const std::string name(parts.size() == 1 ? parts[0] : found.column.name);
    if (is_no_column(parts.back())) return;
    add_name(found_.absent, {found.relation, name});
    add_reason(column.unknown,
               "there is no column " + name + (found.relation.empty() ? " in what is read" : " in " + found.relation));
}

// Of EXISTS, only whether there are rows counts.
void QueryTracer::add_subquery(const YamlNode& subquery, const NameScope& scope, const Ctes& ctes, LineageKind kind,
                               ColumnLineage& column) {
    const std::string_view type = subquery["subquery_type"].text();
    const TracedRelation given = trace_query(subquery["subquery"]["node"], &scope, ctes);
    if (!subquery["child"].is_null())
        add_sources_of(subquery["child"], scope, ctes, std::max(kind, LineageKind::transformed), column);
    if (type == "EXISTS" || type == "NOT_EXISTS") return add_conditions(given.columns);
    const LineageKind below = type == "SCALAR" ? kind : std::max(kind, LineageKind::transformed);
    for (const ColumnLineage& own : given.columns) add_sources(column, own, below);
    if (given.more) add_reason(column.unknown, given.more->why);
}

// Its parameters stand for items of what it is applied to, whose sources are there already.
void QueryTracer::add_lambda(const YamlNode& lambda, const NameScope& scope, const Ctes& ctes, LineageKind kind,
                             ColumnLineage& column) {
    TracedRelation parameters;
    const auto add = [&](const YamlNode& name) {
        for (const YamlNode& part : name["column_names"].items())
            parameters.columns.push_back({std::string(part.text()), {}, ""});
    };
    add(lambda["lhs"]);
    for (const YamlNode& child : lambda["lhs"]["children"].items()) add(child);
    NameScope own(&scope);
    own.entries().push_back({"", "", "", std::make_shared<const TracedRelation>(std::move(parameters))});
    add_sources_of(lambda["expr"], own, ctes, std::max(kind, LineageKind::transformed), column);
}

void QueryTracer::add_conditions(const YamlNode& value, const NameScope& scope, const Ctes& ctes) {
    ColumnLineage column;
    add_sources_of(value, scope, ctes, LineageKind::transformed, column);
    add_conditions({column});
}

void QueryTracer::add_conditions(const std::vector<ColumnLineage>& columns) {
    for (const ColumnLineage& column : columns) {
        for (const ColumnSource& source : column.sources) add_name(found_.conditions, source.from);
    }
}

}  // namespace shaduf::models
