#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "models/project/packages.h"

namespace shaduf::models {

// One version of a package of the hub.
struct HubVersion {
    std::string version;
    std::string project_name;
    std::string tarball_url;
    std::vector<std::string> require_dbt_version;
    std::vector<PackageSpec> packages;
};

// The index of packages at hub.getdbt.com, or another that speaks alike. Asks for each package once. One thread at a
// time.
class Hub {
public:
    explicit Hub(std::string url) : url_(std::move(url)) {}
    // Every version of a package, in the order of the hub. invalid_config for a name that it does not know, with the
    // nearest that it does.
    Result<const std::vector<HubVersion>*> versions(RunContext& run, const std::string& package);

private:
    Result<YamlTree> get(RunContext& run, const std::string& path);
    Error unknown(RunContext& run, const std::string& package);

    const std::string url_;
    std::map<std::string, std::vector<HubVersion>> known_;
};

// The body of a GET, tried again while the server fails, redirects followed wherever they lead. invalid_config for 404.
Result<std::string> download(RunContext& run, const std::string& url);

}  // namespace shaduf::models
