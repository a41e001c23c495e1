#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "models/deps/fetch.h"
#include "models/project/findings.h"
#include "models/project/project.h"

namespace shaduf::models {

// Settles every package that is asked for, and what these ask for in turn, on one version, as dbt does: the highest of
// the hub that all askers accept. Errors name the askers: versions or revisions that exclude each other, one name for
// two packages. Revisions that move (HEAD, main, master) are warnings.
Result<std::vector<PinnedPackage>> resolve_packages(PackageFetcher& fetcher, const std::string& project_name,
                                                    const PackageList& wanted, VersionCheck check, Findings& findings);

// The highest version that may be installed here, or "".
std::string latest_version(const std::vector<HubVersion>& versions, VersionCheck check);

// An entry of a lock file as it stands. invalid_config when it is not settled on one version.
Result<PinnedPackage> pinned_of_lock(const PackageSpec& spec);

}  // namespace shaduf::models
