#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "models/lineage/lineage.h"

// How the names of one query are resolved while it is traced. Values of one thread.
namespace shaduf::models {

// What a FROM clause can name: a table, a subquery, a CTE.
struct TracedRelation {
    std::vector<ColumnLineage> columns;
    // It has, or may have, more columns than those: all of `relations`, by their own names.
    struct More {
        std::vector<std::string> relations;
        bool has_others = false;  // of tables without a name as well: files, functions
        std::string why;
    };
    std::optional<More> more;
    std::string table;  // the one that it is; "": a query

    const ColumnLineage* find(std::string_view name) const;
    void add_more(const More& other);
};
using TracedRelationPtr = std::shared_ptr<const TracedRelation>;

// The names that an expression sees: those of its own query, then those of the queries around it.
class NameScope {
public:
    struct Entry {
        std::string catalog, schema, alias;
        TracedRelationPtr relation;
        std::set<std::string> hidden = {};                 // lower case: columns that USING took
        std::map<std::string, ColumnLineage> merged = {};  // lower case: what USING made of them
    };
    enum class Outcome : uint8_t {
        found,
        absent,   // all columns are known, and it is none of them
        unknown,  // the column's `unknown` says why
    };
    struct Found {
        Outcome outcome = Outcome::absent;
        ColumnLineage column;
        std::string relation;  // of an absent one: the table that the query names, if it does
    };

    explicit NameScope(const NameScope* outer) : outer_(outer) {}

    std::vector<Entry>& entries() { return entries_; }
    const std::vector<Entry>& entries() const { return entries_; }
    // Columns of the SELECT that stand before, which may be named as well.
    void name_columns(const std::vector<ColumnLineage>& columns) { aliases_ = &columns; }

    // `parts`: a column, with what qualifies it before it and fields of a struct behind it.
    Found find(const std::vector<std::string_view>& parts) const;
    // The column of one entry as SELECT * shows it; `name` in any case. nullopt: not among those that are known.
    static std::optional<ColumnLineage> column_of(const Entry& entry, std::string_view name);
    const Entry* entry(std::string_view alias) const;

private:
    std::optional<Found> find_qualified(const std::vector<std::string_view>& parts) const;
    Found find_plain(std::string_view name) const;
    std::optional<ColumnLineage> find_known(std::string_view name) const;
    const ColumnLineage* find_alias(std::string_view name) const;

    const NameScope* outer_;
    const std::vector<ColumnLineage>* aliases_ = nullptr;
    std::vector<Entry> entries_;
    mutable std::set<std::string> proven_;  // lower case: what a table of unknown columns was found to have
};

// Adds to a column what another one comes from, `at_least` so strong.
void add_sources(ColumnLineage& column, const ColumnLineage& from, LineageKind at_least);
void add_reason(std::string& reasons, std::string_view reason);

}  // namespace shaduf::models
