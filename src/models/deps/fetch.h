#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "io/private_folder.h"
#include "models/deps/hub.h"
#include "models/project/packages.h"

namespace shaduf::models {

// A package settled on one version.
struct PinnedPackage {
    PackageSpec::Kind kind = PackageSpec::Kind::hub;
    std::string location;
    std::string shown_location;  // as written, without what Jinja made of it
    std::string subdirectory;
    std::string version;  // of the hub; the commit of git; "" of others
    std::string latest;   // of the hub: the highest that may be installed
    std::string name;     // of its project: the folder that it is installed in
};

// What a package says of itself.
struct PackageMetadata {
    std::string name;
    std::vector<PackageSpec> packages;  // that it asks for
};

// Brings packages here, each once, into a temporary folder that goes away with this. One thread at a time.
class PackageFetcher {
    struct Made {};  // so that only `create` makes one

public:
    // `root`: the root project's folder, which local paths begin at, those of packages too.
    static Result<std::unique_ptr<PackageFetcher>> create(RunContext& run, std::string root, std::string hub_url,
                                                          const RenderText& render);

    PackageFetcher(Made, RunContext& run, std::string root, std::string hub_url, const RenderText& render,
                   std::unique_ptr<PrivateFolder> downloads)
        : run_(run),
          root_(std::move(root)),
          hub_(std::move(hub_url)),
          render_(render),
          downloads_(std::move(downloads)) {}

    Hub& hub() { return hub_; }
    RunContext& run() { return run_; }
    // Of git, the revision in `version` becomes the commit.
    Result<PackageMetadata> metadata(PinnedPackage& package);
    // Puts it into `folder`, which does not exist: a link for a local package, files otherwise.
    Result<void> install(const PinnedPackage& package, const std::string& folder);

private:
    struct Checkout {
        std::string folder;
        std::string commit;
    };
    Result<const HubVersion*> hub_version(const PinnedPackage& package);
    Result<const Checkout*> checkout(const PinnedPackage& package);
    Result<std::string> unpacked(const std::string& url);
    Result<PackageMetadata> metadata_of(const std::string& folder);
    std::string local_folder(const PinnedPackage& package) const;
    std::string new_folder();

    RunContext& run_;
    const std::string root_;
    Hub hub_;
    const RenderText& render_;
    const std::unique_ptr<PrivateFolder> downloads_;
    size_t folders_ = 0;
    std::map<std::pair<std::string, std::string>, Checkout> checkouts_;  // by URL and revision
    std::map<std::string, std::string> unpacked_;                        // by URL
};

}  // namespace shaduf::models
