#pragma once

#include "base/result.h"
#include "config/project.h"
#include "models/project/profile.h"

namespace shaduf {

// The environment's warehouse as a target that models run on, named like the environment: where a project has no
// profiles.yml. invalid_config: there is no warehouse, or none that models can run on.
Result<models::ProfileTarget> warehouse_target(const Project& project);

}  // namespace shaduf
