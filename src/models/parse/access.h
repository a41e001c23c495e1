#pragma once

#include <span>

#include "models/manifest.h"
#include "models/project/findings.h"
#include "models/project/project.h"

namespace shaduf::models {

// Errors: a ref to a model that is private to another group, or protected in a package that restricts access; a group
// that nobody declared; a public model that is ephemeral.
// REQUIRES: references are resolved
void check_access(const Manifest& manifest, std::span<const Project> packages, Findings& findings);
// Of one node alone.
void check_access(const Node& node, const Manifest& manifest, std::span<const Project> packages, Findings& findings);

}  // namespace shaduf::models
