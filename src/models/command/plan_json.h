#pragma once

#include <string>

#include "models/artifacts/json_writer.h"
#include "models/plan/plan.h"

namespace shaduf::models {

// A plan as one object, with the SQL before and after of each node.
void write_plan(const Plan& plan, const std::string& target, JsonWriter& out);

}  // namespace shaduf::models
