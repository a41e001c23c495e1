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
    std::set<std::string> absent;  // unique ids of those that should have a table: the database has none
};

// The models, seeds and snapshots that change, with their kind, reasons and old text, and those that are gone.
std::vector<PlannedNode> find_changes(const ChangeInputs& inputs);

}  // namespace shaduf::models
