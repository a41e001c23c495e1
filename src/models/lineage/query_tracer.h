#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/lineage/name_scope.h"
#include "models/lineage/sql_parser.h"

namespace shaduf::models {

// What the names in FROM stand for. Never null.
class TableLookup {
public:
    virtual ~TableLookup() = default;
    // "" for what the query leaves out.
    virtual TracedRelationPtr find(std::string_view catalog, std::string_view schema, std::string_view name) const = 0;
};

enum class SqlDialect : uint8_t { duckdb, postgres };

// Traces the columns of one query to the tables that it reads. One thread, one use.
class QueryTracer {
public:
    QueryTracer(const TableLookup& tables, SqlParser& parser, SqlDialect dialect)
        : tables_(tables), parser_(parser), dialect_(dialect) {}

    // `query`: of ParsedSql
    NodeLineage trace(const YamlNode& query);

private:
    // The CTEs that a query sees, by name in lower case.
    struct Ctes {
        const Ctes* outer = nullptr;
        std::map<std::string, TracedRelationPtr> by_name = {};
        TracedRelationPtr find(std::string_view name) const;
    };
    // One column of the SELECT list that is not a star, or several that are.
    struct SelectList {
        std::vector<ColumnLineage> columns;
        std::optional<TracedRelation::More> more;
    };

    // Queries (query_tracer.cc)
    TracedRelation trace_query(const YamlNode& query, const NameScope* outer, const Ctes& ctes);
    TracedRelation trace_select(const YamlNode& select, const NameScope* outer, const Ctes& ctes);
    TracedRelation trace_set(const YamlNode& operation, const NameScope* outer, const Ctes& ctes);
    TracedRelation trace_recursive(const YamlNode& cte, const NameScope* outer, const Ctes& ctes);
    void add_ctes(const YamlNode& query, const NameScope* outer, Ctes& ctes);
    void add_clauses(const YamlNode& select, const NameScope& scope, const Ctes& ctes, const SelectList& list);
    void add_ordinal(const YamlNode& expression, const NameScope& scope, const Ctes& ctes, const SelectList& list);

    // FROM (from_clause.cc)
    void add_from(const YamlNode& from, NameScope& scope, const Ctes& ctes);
    void add_join(const YamlNode& join, NameScope& scope, const Ctes& ctes);
    void merge_columns(const std::vector<std::string>& names, std::string_view join_type, size_t left, size_t right,
                       NameScope& scope);
    TracedRelation trace_function(const YamlNode& from, const NameScope& scope, const Ctes& ctes);
    TracedRelation trace_values(const YamlNode& from, const NameScope& scope, const Ctes& ctes);
    TracedRelation trace_pivot(const YamlNode& from, const NameScope& scope, const Ctes& ctes);

    // The SELECT list (select_list.cc)
    void add_item(const YamlNode& item, const NameScope& scope, const Ctes& ctes, SelectList& list);
    void add_star(const YamlNode& star, const NameScope& scope, const Ctes& ctes, SelectList& list);
    bool add_chosen(const YamlNode& star, const YamlNode& choice, const NameScope& scope, SelectList& list);
    std::string name_of(const YamlNode& item);

    // Expressions (expressions.cc)
    ColumnLineage trace_expression(const YamlNode& expression, const NameScope& scope, const Ctes& ctes);
    void add_sources_of(const YamlNode& value, const NameScope& scope, const Ctes& ctes, LineageKind kind,
                        ColumnLineage& column);
    void add_reference(const YamlNode& reference, const NameScope& scope, LineageKind kind, ColumnLineage& column);
    void add_subquery(const YamlNode& subquery, const NameScope& scope, const Ctes& ctes, LineageKind kind,
                      ColumnLineage& column);
    void add_lambda(const YamlNode& lambda, const NameScope& scope, const Ctes& ctes, LineageKind kind,
                    ColumnLineage& column);
    void add_conditions(const YamlNode& value, const NameScope& scope, const Ctes& ctes);
    void add_conditions(const std::vector<ColumnLineage>& columns);

    const TableLookup& tables_;
    SqlParser& parser_;
    const SqlDialect dialect_;
    NodeLineage found_;
};

// Gives the first columns other names, as `t(a, b)` does.
void rename_columns(TracedRelation& relation, const YamlNode& names);

}  // namespace shaduf::models
