#pragma once

#include <vector>

#include "base/registry.h"
#include "config/project.h"

namespace shaduf {

class Session;
struct FlowSet;
struct TaskTypeSpec;

// The project of the folder that was entered, with all errors, each for itself; then `out` is not to be used.
std::vector<Error> read_whole_project(const Session& session, const ProjectRequest& request, Project& out);

// A folder's project in the environment that the arguments name, and its flows: for processes that stay, at their
// start, at each change of a file, and for what files would be.
std::vector<Error> read_project_and_flows(Session& session, const Registry<TaskTypeSpec>& types,
                                          const std::string& folder, Project& project, FlowSet& flows);

}  // namespace shaduf
