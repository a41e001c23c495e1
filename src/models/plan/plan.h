#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/adapter/relation.h"
#include "models/manifest.h"

// What a run would change. Plain values; what was not known is empty, and says so where there is a place for it.
namespace shaduf::models {

enum class ChangeKind : uint8_t {
    added,     // new in the project
    changed,   // not as it was
    missing,   // as it was, but the database does not have its table
    upstream,  // as it was, but reads what changes
    removed,   // gone from the project; the database keeps its table
};
std::string_view to_string(ChangeKind kind);

// Why a node changes, and which ones.
struct ChangeReason {
    enum class What : uint8_t { own_sql, rows, config, relation, macro, contract, descriptions, properties, upstream };
    What what;
    std::vector<std::string> names = {};  // keys, macros, unique ids
};
std::string_view to_string(ChangeReason::What what);

// What a run does to the table.
enum class TableEffect : uint8_t {
    nothing,   // there is none: the text goes into what reads it
    view,      // its definition is replaced; no rows are stored
    created,   // it is not there yet
    rebuilt,   // all its rows anew
    extended,  // rows come to those that are there, or replace some
    versions,  // of a snapshot: rows that changed get a new version
    custom,    // what its materialization does
    kept,      // nothing runs: it stays as it is
};
std::string_view to_string(TableEffect effect);

struct TableSize {
    std::optional<int64_t> rows, bytes;  // as far as the database knows without counting
};

struct ColumnChange {
    enum class What : uint8_t { added, dropped, retyped };
    What what;
    std::string name;
    std::string before, after;  // types; "": not known
};

struct PlannedNode {
    std::string unique_id, name;
    ResourceType type = ResourceType::model;
    const Node* node = nullptr;  // nullptr: removed
    ChangeKind kind = ChangeKind::changed;
    std::vector<ChangeReason> reasons;
    std::string materialized;
    std::string relation;  // "main.orders"; "" where there is none
    RelationPath path;
    TableEffect effect = TableEffect::custom;
    std::optional<bool> exists;  // nullopt: the database was not asked
    TableSize size;
    std::vector<ColumnChange> columns;
    std::string columns_unknown;     // why columns were not compared; "": they were
    std::vector<std::string> notes;  // what follows from configuration
    std::string old_sql, new_sql;    // compiled, or as written where the state has none compiled
};

// Something that would not run, or not as before.
struct PlanBreak {
    std::string unique_id;  // who breaks
    std::string text;
    std::string cause = {};  // the node whose change breaks it; "": it would break without any
};

struct Plan {
    std::vector<PlannedNode> nodes;  // what matters most first
    std::vector<PlanBreak> breaks;
    size_t unchanged = 0;
    bool has_state = true;
    std::string state;          // where it is
    std::string state_time;     // when it was written; "" without one
    std::string database_lack;  // why the database was not asked; "": it was

    bool is_empty() const { return nodes.empty(); }
    size_t count(ChangeKind kind) const;
};

}  // namespace shaduf::models
