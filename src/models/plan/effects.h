#pragma once

#include "models/plan/plan.h"

namespace shaduf::models {

struct EffectInputs {
    bool full_refresh = false;   // --full-refresh
    std::optional<bool> exists;  // nullopt: the database was not asked
    bool is_view = false;        // what is there is a view
};

// What a run does to the table of a planned node that is in the project: its effect, and notes that follow from its
// configuration and from how its columns change. REQUIRES: node.node is set; node.columns are known, if they can be
void add_effect(const EffectInputs& inputs, PlannedNode& planned);

}  // namespace shaduf::models
