#pragma once

#include <vector>

#include "config/project.h"

namespace shaduf {

class Session;

// The project of the folder that was entered, with all errors, each for itself; then `out` is not to be used.
std::vector<Error> read_whole_project(const Session& session, const ProjectRequest& request, Project& out);

}  // namespace shaduf
