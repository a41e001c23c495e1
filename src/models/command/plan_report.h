#pragma once

#include <string>

#include "models/plan/plan.h"

namespace shaduf::models {

// A plan for people: what breaks, then what changes, then the sums. `with_diff`: the SQL of each node as it differs.
std::string plan_text(const Plan& plan, const Manifest& manifest, const std::string& target, bool with_diff);

}  // namespace shaduf::models
