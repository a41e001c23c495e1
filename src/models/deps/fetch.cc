#include "models/deps/fetch.h"

#include <filesystem>

#include "io/url.h"
#include "models/deps/git.h"
#include "models/deps/tar.h"
#include "models/project/project.h"

namespace shaduf::models {
namespace {

namespace fs = std::filesystem;
using Kind = PackageSpec::Kind;

Error system_error(const std::string& what, const std::error_code& failure) {
    return Error(ErrorKind::exhausted, what + ": " + failure.message());
}

// Also to another file system.
Result<void> copy_folder(const fs::path& from, const fs::path& to) {
    std::error_code failure;
    fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::copy_symlinks, failure);
    return failure ? system_error("cannot copy " + from.string() + " to " + to.string(), failure) : Result<void>();
}

}  // namespace

Result<std::unique_ptr<PackageFetcher>> PackageFetcher::create(RunContext& run, std::string root, std::string hub_url,
                                                               const RenderText& render) {
    auto downloads = TRY(PrivateFolder::create());
    return std::make_unique<PackageFetcher>(Made{}, run, std::move(root), std::move(hub_url), render,
                                            std::move(downloads));
}

std::string PackageFetcher::new_folder() { return downloads_->path() + "/" + std::to_string(++folders_); }

std::string PackageFetcher::local_folder(const PinnedPackage& package) const {
    std::error_code ignored;
    std::string folder = fs::absolute(fs::path(root_) / package.location, ignored).lexically_normal().string();
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    return folder;
}

Result<const HubVersion*> PackageFetcher::hub_version(const PinnedPackage& package) {
    for (const HubVersion& version : *TRY(hub_.versions(run_, package.location))) {
        if (version.version == package.version) return &version;
    }
    return Error(ErrorKind::invalid_config, "the hub has no version " + package.version + " of " + package.location +
                                                "; run `shaduf dbt deps --upgrade`");
}

Result<const PackageFetcher::Checkout*> PackageFetcher::checkout(const PinnedPackage& package) {
    const auto key = std::pair(package.location, package.version);
    if (const auto known = checkouts_.find(key); known != checkouts_.end()) return &known->second;
    Checkout made{new_folder(), {}};
    made.commit = TRY(check_out(run_, {package.location, package.shown_location, package.version}, made.folder));
    // The lock file names the commit, so that it is asked for by this next.
    checkouts_[{package.location, made.commit}] = made;
    return &(checkouts_[key] = made);
}

Result<std::string> PackageFetcher::unpacked(const std::string& url) {
    if (const auto known = unpacked_.find(url); known != unpacked_.end()) return known->second;
    const std::string bytes = TRY(download(run_, url));
    const std::string folder = new_folder();
    std::error_code failure;
    fs::create_directory(folder, failure);
    if (failure) return system_error("cannot make " + folder, failure);
    auto done = unpack_tarball(bytes, folder);
    if (!done.ok()) return Error(done.error().kind(), printable_url(url) + ": " + done.error().message());
    std::vector<std::string> inside;
    for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure)) {
        inside.push_back(entry->path().string());
    }
    if (inside.size() != 1 || !fs::is_directory(inside[0], failure)) {
        return Error(ErrorKind::invalid_config, "not a package: " + printable_url(url) + " holds " +
                                                    std::to_string(inside.size()) +
                                                    " files at its top; it takes one folder with the project in it");
    }
    return unpacked_[url] = inside[0];
}

Result<PackageMetadata> PackageFetcher::metadata_of(const std::string& folder) {
    const YamlTree tree = TRY(load_project_file(folder));
    PackageMetadata metadata;
    metadata.name = tree.root()["name"].text();
    if (metadata.name.empty()) {
        return Error(ErrorKind::invalid_config, "the package has no name; add `name:` to its dbt_project.yml")
            .at(Place::in_file(folder + "/" + std::string(kProjectFile), 1));
    }
    Findings findings;
    metadata.packages = read_packages(folder, render_, findings).packages;
    if (!findings.ok()) return findings.errors.front();
    return metadata;
}

Result<PackageMetadata> PackageFetcher::metadata(PinnedPackage& package) {
    switch (package.kind) {
        case Kind::hub: {
            const HubVersion* version = TRY(hub_version(package));
            return PackageMetadata{version->project_name, version->packages};
        }
        case Kind::git: {
            const Checkout* made = TRY(checkout(package));
            package.version = made->commit;
            return metadata_of(package.subdirectory.empty() ? made->folder : made->folder + "/" + package.subdirectory);
        }
        case Kind::local: return metadata_of(local_folder(package));
        case Kind::tarball: {
            auto metadata = TRY(metadata_of(TRY(unpacked(package.location))));
            if (!package.name.empty()) metadata.name = package.name;
            return metadata;
        }
        case Kind::private_git: break;
    }
    return Error(ErrorKind::invalid_config, "private packages belong to dbt's cloud: " + package.location +
                                                "; give the repository with `git:` instead");
}

Result<void> PackageFetcher::install(const PinnedPackage& package, const std::string& folder) {
    switch (package.kind) {
        case Kind::hub: return copy_folder(TRY(unpacked(TRY(hub_version(package))->tarball_url)), folder);
        case Kind::tarball: return copy_folder(TRY(unpacked(package.location)), folder);
        case Kind::git: {
            const Checkout* made = TRY(checkout(package));
            const std::string from =
                package.subdirectory.empty() ? made->folder : made->folder + "/" + package.subdirectory;
            TRY(copy_folder(from, folder));
            std::error_code ignored;
            fs::remove_all(folder + "/.git", ignored);
            return {};
        }
        case Kind::local: {
            std::error_code failure;
            fs::create_directory_symlink(local_folder(package), folder, failure);
            if (!failure) return {};
            return copy_folder(local_folder(package), folder);
        }
        case Kind::private_git: break;
    }
    return Error(ErrorKind::invalid_config, "private packages belong to dbt's cloud: " + package.location);
}

}  // namespace shaduf::models
