#include "models/lineage/query_tracer.h"

#include <algorithm>

#include "base/text.h"

// The tree is that of the engine: maps with `type` and, for expressions, `class`. What this does not know is told as
// unknown, never passed over.
namespace shaduf::models {
namespace {

// A recursive CTE adds sources and strengthens kinds only: it comes to rest after a few rounds.
constexpr int kRoundsMax = 8;

bool is_same(const TracedRelation& a, const TracedRelation& b) {
    const auto same_source = [](const ColumnSource& x, const ColumnSource& y) {
        return x.from == y.from && x.kind == y.kind;
    };
    const auto same_column = [&](const ColumnLineage& x, const ColumnLineage& y) {
        return x.sources.size() == y.sources.size() &&
               std::equal(x.sources.begin(), x.sources.end(), y.sources.begin(), same_source);
    };
    return a.columns.size() == b.columns.size() &&
           std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), same_column);
}

// Rows of `other` are added to those of `relation`, their columns matched by their place.
void add_by_position(TracedRelation& relation, const TracedRelation& other) {
    const bool is_open = relation.more || other.more;
    for (size_t i = 0; i < relation.columns.size(); ++i) {
        if (i < other.columns.size()) add_sources(relation.columns[i], other.columns[i], LineageKind::copied);
        if (other.more) add_reason(relation.columns[i].unknown, "a column of a UNION stands at an unknown place");
    }
    if (!is_open) return;
    if (other.more) relation.add_more(*other.more);
    relation.more->has_others = true;
    add_reason(relation.more->why, "columns of a UNION stand at unknown places");
}

void add_by_name(TracedRelation& relation, const TracedRelation& other) {
    for (const ColumnLineage& column : other.columns) {
        const auto known = std::find_if(relation.columns.begin(), relation.columns.end(),
                                        [&](const auto& own) { return equals_ignoring_case(own.name, column.name); });
        if (known == relation.columns.end())
            relation.columns.push_back(column);
        else
            add_sources(*known, column, LineageKind::copied);
    }
    if (other.more) relation.add_more(*other.more);
    if (relation.more) relation.more->has_others = true;
}

}  // namespace

void rename_columns(TracedRelation& relation, const YamlNode& names) {
    size_t i = 0;
    for (const YamlNode& name : names.items()) {
        if (i < relation.columns.size()) {
            relation.columns[i].name = name.text();
        } else if (relation.more) {
            relation.columns.push_back({std::string(name.text()), {}, relation.more->why});
        }
        ++i;
    }
}

TracedRelationPtr QueryTracer::Ctes::find(std::string_view name) const {
    const std::string key = to_lower(name);
    for (const Ctes* at = this; at != nullptr; at = at->outer) {
        if (const auto found = at->by_name.find(key); found != at->by_name.end()) return found->second;
    }
    return nullptr;
}

NodeLineage QueryTracer::trace(const YamlNode& query) {
    TracedRelation given = trace_query(query, nullptr, {});
    found_.columns = std::move(given.columns);
    if (given.more) found_.unknown = given.more->why;
    return std::move(found_);
}

TracedRelation QueryTracer::trace_query(const YamlNode& query, const NameScope* outer, const Ctes& ctes) {
    Ctes own;
    own.outer = &ctes;
    add_ctes(query, outer, own);
    const std::string_view type = query["type"].text();
    if (type == "SELECT_NODE") return trace_select(query, outer, own);
    if (type == "SET_OPERATION_NODE") return trace_set(query, outer, own);
    if (type == "RECURSIVE_CTE_NODE") return trace_recursive(query, outer, own);
    TracedRelation unknown;
    unknown.add_more({{}, true, "a kind of query that is not read: " + std::string(type)});
    return unknown;
}

void QueryTracer::add_ctes(const YamlNode& query, const NameScope* outer, Ctes& ctes) {
    for (const YamlNode& entry : query["cte_map"]["map"].items()) {
        const YamlNode& cte = entry["value"];
        TracedRelation relation = trace_query(cte["query"]["node"], outer, ctes);
        rename_columns(relation, cte["aliases"]);
        relation.table.clear();
        ctes.by_name[to_lower(entry["key"].text())] = std::make_shared<const TracedRelation>(std::move(relation));
    }
}

TracedRelation QueryTracer::trace_select(const YamlNode& select, const NameScope* outer, const Ctes& ctes) {
    NameScope scope(outer);
    add_from(select["from_table"], scope, ctes);
    SelectList list;
    // In PostgreSQL only GROUP BY and ORDER BY may name what SELECT gives.
    if (dialect_ == SqlDialect::duckdb) scope.name_columns(list.columns);
    for (const YamlNode& item : select["select_list"].items()) add_item(item, scope, ctes, list);
    scope.name_columns(list.columns);
    add_clauses(select, scope, ctes, list);
    TracedRelation relation;
    relation.columns = std::move(list.columns);
    relation.more = std::move(list.more);
    return relation;
}

// What chooses rows. An order counts where only the first rows are taken.
void QueryTracer::add_clauses(const YamlNode& select, const NameScope& scope, const Ctes& ctes,
                              const SelectList& list) {
    add_conditions(select["where_clause"], scope, ctes);
    for (const YamlNode& group : select["group_expressions"].items()) add_ordinal(group, scope, ctes, list);
    add_conditions(select["having"], scope, ctes);
    add_conditions(select["qualify"], scope, ctes);
    bool is_cut = false;
    for (const YamlNode& modifier : select["modifiers"].items()) {
        const std::string_view type = modifier["type"].text();
        is_cut = is_cut || type.starts_with("LIMIT") || !modifier["distinct_on_targets"].items().empty();
        if (type != "ORDER_MODIFIER") add_conditions(modifier, scope, ctes);
    }
    if (!is_cut) return;
    for (const YamlNode& modifier : select["modifiers"].items()) {
        for (const YamlNode& order : modifier["orders"].items()) add_ordinal(order["expression"], scope, ctes, list);
    }
}

// An expression, or the number of a column of the SELECT list.
void QueryTracer::add_ordinal(const YamlNode& expression, const NameScope& scope, const Ctes& ctes,
                              const SelectList& list) {
    const YamlNode& number = expression["value"]["value"];
    if (expression["class"].text() != "CONSTANT") return add_conditions(expression, scope, ctes);
    const bool is_known = number.is_integer() && number.integer() > 0 && !list.more &&
                          static_cast<size_t>(number.integer()) <= list.columns.size();
    if (is_known) add_conditions({list.columns[static_cast<size_t>(number.integer()) - 1]});
}

TracedRelation QueryTracer::trace_set(const YamlNode& operation, const NameScope* outer, const Ctes& ctes) {
    TracedRelation left = trace_query(operation["left"], outer, ctes);
    const std::string_view type = operation["setop_type"].text();
    const YamlNode& children = operation["children"];
    std::vector<TracedRelation> others;
    if (children.items().empty()) others.push_back(trace_query(operation["right"], outer, ctes));
    for (size_t i = 0; i < children.items().size(); ++i) {
        TracedRelation child = trace_query(children.items()[i], outer, ctes);
        if (i == 0)
            left = std::move(child);
        else
            others.push_back(std::move(child));
    }
    for (const TracedRelation& right : others) {
        if (type == "UNION_BY_NAME")
            add_by_name(left, right);
        else if (type == "UNION")
            add_by_position(left, right);
        else
            add_conditions(right.columns);
    }
    return left;
}

TracedRelation QueryTracer::trace_recursive(const YamlNode& cte, const NameScope* outer, const Ctes& ctes) {
    TracedRelation whole = trace_query(cte["left"], outer, ctes);
    rename_columns(whole, cte["aliases"]);
    const std::string name = to_lower(cte["cte_name"].text());
    for (int round = 0; round < kRoundsMax; ++round) {
        Ctes own;
        own.outer = &ctes;
        own.by_name[name] = std::make_shared<const TracedRelation>(whole);
        TracedRelation next = whole;
        add_by_position(next, trace_query(cte["right"], outer, own));
        const bool is_at_rest = is_same(next, whole);
        whole = std::move(next);
        if (is_at_rest) break;
    }
    return whole;
}

}  // namespace shaduf::models
