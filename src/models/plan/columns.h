#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/lineage/lineage.h"
#include "models/plan/plan.h"

namespace shaduf::models {

struct PlannedColumn {
    std::string name;
    std::string type;  // "": not known
};
using PlannedColumns = std::vector<PlannedColumn>;

// What becomes of columns; names are compared without case. Columns whose type is not known on one side do not change
// theirs.
std::vector<ColumnChange> compare_columns(const PlannedColumns& before, const PlannedColumns& after);

// Models, snapshots and tests that read a column which a planned node drops, and models that read one that is nowhere.
std::vector<PlanBreak> find_breaks(const Manifest& manifest, const ProjectLineage& lineage,
                                   const std::vector<PlannedNode>& planned);

}  // namespace shaduf::models
