#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// Column lineage: which columns of which tables each column of a query comes from. Plain values.
namespace shaduf::models {

// The most that happened to a value on its way.
enum class LineageKind : uint8_t { copied, transformed, aggregated };
std::string_view to_string(LineageKind kind);

// A column of a table: a unique id of the project, or the name as the query writes it where the project has none.
struct ColumnName {
    std::string relation;
    std::string column;
    bool operator==(const ColumnName&) const = default;
};

struct ColumnSource {
    ColumnName from;
    LineageKind kind = LineageKind::copied;
};

struct ColumnLineage {
    std::string name;
    std::vector<ColumnSource> sources;
    std::string unknown;  // why `sources` may lack some; "": all are there
};

// What is known of one node. Nothing in it is guessed: what could not be told has its reason.
struct NodeLineage {
    std::vector<ColumnLineage> columns;  // in the order of the query
    std::string unknown;                 // why columns may be missing; "": all are there
    // Columns that choose the rows and give no value: of WHERE, ON, GROUP BY, HAVING, QUALIFY, DISTINCT ON, LIMIT.
    std::vector<ColumnName> conditions;
    // Columns that are read and that their tables, all of whose columns are known, do not have. `relation` is "" where
    // the query does not say which of its tables it means.
    std::vector<ColumnName> absent;

    // Names are compared without case. nullptr: none.
    const ColumnLineage* find(std::string_view column) const;
};

// By unique id: models, snapshots and seeds, and sources whose columns are known from elsewhere.
using ProjectLineage = std::map<std::string, NodeLineage, std::less<>>;

// Adds what is not there yet; of the same column, the stronger kind stays.
void add_source(std::vector<ColumnSource>& sources, ColumnName from, LineageKind kind);
void add_name(std::vector<ColumnName>& names, ColumnName name);

}  // namespace shaduf::models
