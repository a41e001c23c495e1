#include "models/plan/columns.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace shaduf::models {
namespace {

using What = ColumnChange::What;

const PlannedColumn* find(const PlannedColumns& columns, std::string_view name) {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const PlannedColumn& column) {
        return equals_ignoring_case(column.name, name);
    });
    return found == columns.end() ? nullptr : &*found;
}

// By unique id, in lower case.
using Dropped = std::map<std::string, std::set<std::string>, std::less<>>;

bool is_dropped(const Dropped& dropped, std::string_view relation, std::string_view column) {
    const auto found = dropped.find(relation);
    return found != dropped.end() && found->second.contains(to_lower(column));
}

// The table that lost the column: the one that the query names, or the only one of those it reads.
std::optional<std::string> loser(const Dropped& dropped, const Node& reader, const ColumnName& absent) {
    if (!absent.relation.empty())
        return is_dropped(dropped, absent.relation, absent.column) ? std::optional(absent.relation) : std::nullopt;
    for (const std::string& id : reader.depends_on_nodes) {
        if (is_dropped(dropped, id, absent.column)) return id;
    }
    return std::nullopt;
}

std::string name_of(const Manifest& manifest, const std::string& id) {
    if (const Node* node = manifest.node(id)) return node->name;
    const SourceTable* source = manifest.source(id);
    return source == nullptr ? id : source->source_name + "." + source->name;
}

// Generic tests name their column.
void add_tests(const Manifest& manifest, const Dropped& dropped, std::vector<PlanBreak>& breaks) {
    for (const auto& node : manifest.nodes) {
        if (!node->test || !node->test->column_name) continue;
        const std::string& tested = node->test->attached_node;
        if (!is_dropped(dropped, tested, *node->test->column_name)) continue;
        breaks.push_back({node->unique_id,
                          "tests " + name_of(manifest, tested) + "." + *node->test->column_name + ", which is dropped",
                          tested});
    }
}

}  // namespace

std::vector<ColumnChange> compare_columns(const PlannedColumns& before, const PlannedColumns& after) {
    std::vector<ColumnChange> changes;
    for (const PlannedColumn& column : before) {
        const PlannedColumn* now = find(after, column.name);
        if (now == nullptr)
            changes.push_back({What::dropped, column.name, column.type, ""});
        else if (!column.type.empty() && !now->type.empty() && !equals_ignoring_case(column.type, now->type))
            changes.push_back({What::retyped, column.name, column.type, now->type});
    }
    for (const PlannedColumn& column : after) {
        if (find(before, column.name) == nullptr) changes.push_back({What::added, column.name, "", column.type});
    }
    return changes;
}

std::vector<PlanBreak> find_breaks(const Manifest& manifest, const ProjectLineage& lineage,
                                   const std::vector<PlannedNode>& planned) {
    Dropped dropped;
    for (const PlannedNode& node : planned) {
        for (const ColumnChange& column : node.columns) {
            if (column.what == What::dropped) dropped[node.unique_id].insert(to_lower(column.name));
        }
    }
    std::vector<PlanBreak> breaks;
    for (const auto& [id, node] : lineage) {
        const Node* reader = manifest.node(id);
        if (reader == nullptr) continue;
        for (const ColumnName& absent : node.absent) {
            if (const auto from = loser(dropped, *reader, absent)) {
                breaks.push_back(
                    {id, "reads " + name_of(manifest, *from) + "." + absent.column + ", which is dropped", *from});
            } else if (absent.relation.empty()) {
                breaks.push_back({id, "reads " + absent.column + ", which none of its tables has"});
            } else {
                breaks.push_back(
                    {id, "reads " + name_of(manifest, absent.relation) + "." + absent.column + ", which is not there"});
            }
        }
    }
    add_tests(manifest, dropped, breaks);
    return breaks;
}

}  // namespace shaduf::models
