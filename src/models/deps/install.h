#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "models/deps/fetch.h"
#include "models/project/findings.h"
#include "models/project/project.h"

namespace shaduf::models {

struct DepsOptions {
    enum class Lock : uint8_t {
        when_stale,  // resolve anew only when packages.yml is not the one that the lock was made from
        renew,       // --upgrade
    };
    enum class Install : uint8_t {
        all,
        nothing,  // --lock: only the lock is written
    };
    std::string hub_url = "https://hub.getdbt.com/";  // or DBT_PACKAGE_HUB_URL
    Lock lock = Lock::when_stale;
    Install install = Install::all;
    VersionCheck check = VersionCheck::on;
};

struct DepsReport {
    std::vector<PinnedPackage> installed;
    bool lock_written = false;
};

// `deps`: settles packages, writes package-lock.yml, and puts all of the lock into the project's packages-install-path.
// What was installed before stays until all of the new is there: a failure changes nothing but the lock.
Result<DepsReport> install_dependencies(RunContext& run, const Project& project, const PackageList& wanted,
                                        const RenderText& render, const DepsOptions& options, Findings& findings);

}  // namespace shaduf::models
