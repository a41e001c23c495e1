#pragma once

#include <set>
#include <string>
#include <vector>

#include "models/plan/plan.h"
#include "models/select/members.h"
#include "models/select/previous_state.h"

namespace shaduf::models {

// What is known before columns and sizes: which nodes change and why.
struct ChangeInputs {
    const Members& members;
    const PreviousState& state;
    const StateComparison& comparison;
    std::set<std::string> selected;  // unique ids
    bool is_whole = true;            // nothing was left out: what is gone from the project counts
    std::set<std::string> absent;    // of those that should have a table: the database has none
};

// Nodes with their kind, reasons and texts; those that stay as they are come to `unchanged`. Models, seeds, snapshots.
std::vector<PlannedNode> find_changes(const ChangeInputs& inputs, size_t& unchanged);

}  // namespace shaduf::models
