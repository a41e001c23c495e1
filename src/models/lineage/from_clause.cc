#include <algorithm>

#include "base/text.h"
#include "models/lineage/query_tracer.h"

namespace shaduf::models {
namespace {

NameScope::Entry entry_of(std::string_view alias, TracedRelation relation) {
    NameScope::Entry entry;
    entry.alias = alias;
    entry.relation = std::make_shared<const TracedRelation>(std::move(relation));
    return entry;
}

TracedRelation unknown_relation(std::string why) {
    TracedRelation relation;
    relation.add_more({{}, true, std::move(why)});
    return relation;
}

// Of entries [begin, end): the one that has the column, else the only one that may have it.
NameScope::Entry* find_holder(std::vector<NameScope::Entry>& entries, size_t begin, size_t end, std::string_view name) {
    NameScope::Entry* open = nullptr;
    for (size_t i = begin; i < end; ++i) {
        if (NameScope::column_of(entries[i], name)) return &entries[i];
        if (entries[i].relation->more) open = &entries[i];
    }
    return open;
}

ColumnLineage held_column(const NameScope::Entry& entry, std::string_view name) {
    if (auto column = NameScope::column_of(entry, name)) return *std::move(column);
    const TracedRelation::More& more = *entry.relation->more;
    ColumnLineage column = {std::string(name), {}, ""};
    if (more.relations.size() == 1 && !more.has_others)
        add_source(column.sources, {more.relations[0], std::string(name)}, LineageKind::copied);
    else
        column.unknown = more.why;
    return column;
}

}  // namespace

void QueryTracer::add_from(const YamlNode& from, NameScope& scope, const Ctes& ctes) {
    const std::string_view type = from["type"].text();
    const std::string_view alias = from["alias"].text();
    if (type.empty() || type == "EMPTY") return;
    if (type == "JOIN") return add_join(from, scope, ctes);
    if (type == "BASE_TABLE") {
        const std::string_view catalog = from["catalog_name"].text(), schema = from["schema_name"].text();
        const std::string_view name = from["table_name"].text();
        TracedRelationPtr found = catalog.empty() && schema.empty() ? ctes.find(name) : nullptr;
        if (found == nullptr) found = tables_.find(catalog, schema, name);
        NameScope::Entry entry = {std::string(catalog), std::string(schema), std::string(alias.empty() ? name : alias),
                                  std::move(found)};
        if (!from["column_name_alias"].items().empty()) {
            TracedRelation renamed = *entry.relation;
            rename_columns(renamed, from["column_name_alias"]);
            entry.relation = std::make_shared<const TracedRelation>(std::move(renamed));
        }
        scope.entries().push_back(std::move(entry));
        return;
    }
    TracedRelation relation;
    if (type == "SUBQUERY")
        relation = trace_query(from["subquery"]["node"], &scope, ctes);
    else if (type == "TABLE_FUNCTION")
        relation = trace_function(from, scope, ctes);
    else if (type == "EXPRESSION_LIST")
        relation = trace_values(from, scope, ctes);
    else if (type == "PIVOT")
        relation = trace_pivot(from, scope, ctes);
    else
        relation = unknown_relation("columns of " + std::string(type) + " are not known");
    rename_columns(relation, from["column_name_alias"]);
    scope.entries().push_back(entry_of(alias, std::move(relation)));
}

void QueryTracer::add_join(const YamlNode& join, NameScope& scope, const Ctes& ctes) {
    const size_t left = scope.entries().size();
    add_from(join["left"], scope, ctes);
    const size_t right = scope.entries().size();
    add_from(join["right"], scope, ctes);
    add_conditions(join["condition"], scope, ctes);
    std::vector<std::string> shared;
    for (const YamlNode& name : join["using_columns"].items()) shared.emplace_back(name.text());
    if (join["ref_type"].text() == "NATURAL") {
        for (size_t i = left; i < right; ++i) {
            for (const ColumnLineage& column : scope.entries()[i].relation->columns) {
                for (size_t other = right; other < scope.entries().size(); ++other) {
                    if (scope.entries()[other].relation->find(column.name)) shared.push_back(column.name);
                }
            }
        }
    }
    const std::string_view type = join["join_type"].text();
    merge_columns(shared, type, left, right, scope);
    const bool is_left_only = type == "SEMI" || type == "ANTI";
    if (is_left_only) scope.entries().resize(right, {"", "", "", nullptr});
}

// Each column of USING is there once: at the place of the left one, with the value of that side that always has one.
void QueryTracer::merge_columns(const std::vector<std::string>& names, std::string_view join_type, size_t left,
                                size_t right, NameScope& scope) {
    auto& entries = scope.entries();
    for (const std::string& name : names) {
        NameScope::Entry* of_left = find_holder(entries, left, right, name);
        NameScope::Entry* of_right = find_holder(entries, right, entries.size(), name);
        if (of_left == nullptr || of_right == nullptr) {
            for (const NameScope::Entry* entry : {of_left, of_right}) {
                if (entry == nullptr) add_name(found_.absent, {"", name});
            }
            continue;
        }
        const ColumnLineage l = held_column(*of_left, name), r = held_column(*of_right, name);
        add_conditions({l, r});
        ColumnLineage merged = {name, {}, ""};
        const bool is_full = join_type == "FULL" || join_type == "OUTER";
        const LineageKind kind = is_full ? LineageKind::transformed : LineageKind::copied;
        if (join_type != "RIGHT") add_sources(merged, l, kind);
        if (join_type == "RIGHT" || is_full) add_sources(merged, r, kind);
        of_left->merged[to_lower(name)] = std::move(merged);
        of_right->hidden.insert(to_lower(name));
    }
}

// Of functions, those whose columns are known by their name alone.
TracedRelation QueryTracer::trace_function(const YamlNode& from, const NameScope& scope, const Ctes& ctes) {
    const YamlNode& function = from["function"];
    const std::string name(function["function_name"].text());
    const bool is_column = name == "unnest" || name == "generate_series" || name == "range";
    const bool is_one = function["children"].items().size() == 1 || name != "unnest";
    if (!is_column || !is_one) {
        ColumnLineage arguments;
        add_conditions(function["children"], scope, ctes);
        return unknown_relation("columns of the function " + name + " are not known");
    }
    ColumnLineage column = {name, {}, ""};
    add_sources_of(function["children"], scope, ctes, LineageKind::transformed, column);
    const std::string_view alias = from["alias"].text();
    if (dialect_ == SqlDialect::postgres && !alias.empty()) column.name = alias;
    TracedRelation relation;
    relation.columns.push_back(std::move(column));
    return relation;
}

TracedRelation QueryTracer::trace_values(const YamlNode& from, const NameScope& scope, const Ctes& ctes) {
    TracedRelation relation;
    for (const YamlNode& row : from["values"].items()) {
        const size_t count = row.items().size();
        for (size_t i = relation.columns.size(); i < count; ++i) {
            const bool is_postgres = dialect_ == SqlDialect::postgres;
            const std::string name = is_postgres ? "column" + std::to_string(i + 1) : "col" + std::to_string(i);
            relation.columns.push_back({name, {}, ""});
        }
        for (size_t i = 0; i < count; ++i)
            add_sources(relation.columns[i], trace_expression(row.items()[i], scope, ctes), LineageKind::copied);
    }
    return relation;
}

// Its groups are named; the columns that it makes depend on rows.
TracedRelation QueryTracer::trace_pivot(const YamlNode& from, const NameScope& scope, const Ctes& ctes) {
    NameScope own(&scope);
    add_from(from["source"], own, ctes);
    TracedRelation relation = unknown_relation("columns of a PIVOT or UNPIVOT are not followed");
    for (const YamlNode& group : from["groups"].items()) {
        NameScope::Found found = own.find({group.text()});
        found.column.name = group.text();
        relation.columns.push_back(std::move(found.column));
    }
    add_conditions(from["aggregates"], own, ctes);
    add_conditions(from["pivots"], own, ctes);
    return relation;
}

}  // namespace shaduf::models
