#include "models/lineage/lineage_graph.h"

#include <unordered_set>

#include "base/text.h"

namespace shaduf::models {

std::string LineageGraph::key(const ColumnName& column) { return column.relation + "\n" + to_lower(column.column); }

LineageGraph::LineageGraph(const ProjectLineage& lineage) : lineage_(lineage) {
    for (const auto& [id, node] : lineage) {
        for (const ColumnLineage& column : node.columns) {
            for (const ColumnSource& source : column.sources)
                readers_[key(source.from)].push_back({{id, column.name}, source.kind, false});
        }
    }
    for (const auto& [id, node] : lineage) {
        for (const ColumnName& condition : node.conditions)
            readers_[key(condition)].push_back({{id, ""}, LineageKind::copied, true});
    }
}

std::vector<LineageGraph::Step> LineageGraph::sources(const ColumnName& column) const {
    std::vector<Step> steps;
    const auto node = lineage_.find(column.relation);
    const ColumnLineage* own = node == lineage_.end() ? nullptr : node->second.find(column.column);
    if (own == nullptr) return steps;
    for (const ColumnSource& source : own->sources) steps.push_back({source.from, source.kind, false});
    return steps;
}

std::vector<LineageGraph::Step> LineageGraph::readers(const ColumnName& column) const {
    const auto found = readers_.find(key(column));
    return found == readers_.end() ? std::vector<Step>() : found->second;
}

std::vector<LineageGraph::Branch> LineageGraph::walk(const ColumnName& from, Direction direction,
                                                     std::optional<size_t> depth) const {
    std::unordered_set<std::string> met = {key(from)};
    const auto unfold = [&](const auto& self, const ColumnName& at, size_t level) -> std::vector<Branch> {
        std::vector<Branch> branches;
        for (Step& step : direction == Direction::upstream ? sources(at) : readers(at))
            branches.push_back({std::move(step), {}, false});
        for (Branch& branch : branches) {
            const ColumnName& column = branch.step.column;
            if (branch.step.is_condition) continue;
            const bool has_more = !(direction == Direction::upstream ? sources(column) : readers(column)).empty();
            const bool is_deep = depth && level >= *depth;
            if (is_deep || !met.insert(key(column)).second)
                branch.is_cut = has_more;
            else
                branch.branches = self(self, column, level + 1);
        }
        return branches;
    };
    if (depth && *depth == 0) return {};
    return unfold(unfold, from, 1);
}

}  // namespace shaduf::models
