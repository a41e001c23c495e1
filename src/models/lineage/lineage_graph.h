#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "models/lineage/lineage.h"

namespace shaduf::models {

// The columns of a project with who reads whom, to walk in both directions. Outlived by the lineage. Immutable.
class LineageGraph {
public:
    explicit LineageGraph(const ProjectLineage& lineage);

    struct Step {
        ColumnName column;
        LineageKind kind = LineageKind::copied;
        bool is_condition = false;  // of readers: it chooses rows of `column.relation`, and `column.column` is ""
    };
    // What a column comes from directly.
    std::vector<Step> sources(const ColumnName& column) const;
    // The columns that read it directly, then the relations whose rows it chooses.
    std::vector<Step> readers(const ColumnName& column) const;

    struct Branch {
        Step step;
        std::vector<Branch> branches;
        bool is_cut = false;  // there is more below, left out
    };
    enum class Direction : uint8_t { upstream, downstream };
    // A column that is met twice is unfolded where it is met first.
    std::vector<Branch> walk(const ColumnName& from, Direction direction, std::optional<size_t> depth) const;

private:
    static std::string key(const ColumnName& column);

    const ProjectLineage& lineage_;
    std::unordered_map<std::string, std::vector<Step>> readers_;
};

}  // namespace shaduf::models
