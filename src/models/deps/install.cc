#include "models/deps/install.h"

#include <filesystem>
#include <fstream>

#include "models/deps/resolve.h"

namespace shaduf::models {
namespace {

namespace fs = std::filesystem;
using Kind = PackageSpec::Kind;

Error write_error(const fs::path& path, const std::string& why) {
    return Error(ErrorKind::exhausted, "cannot write " + path.string() + ": " + why);
}

LockEntry lock_entry(const PinnedPackage& package) {
    LockEntry entry{{std::string(to_string(package.kind)), package.shown_location}, {"name", package.name}};
    if (package.kind == Kind::hub) entry.emplace_back("version", package.version);
    if (package.kind == Kind::git) entry.emplace_back("revision", package.version);
    if (!package.subdirectory.empty()) entry.emplace_back("subdirectory", package.subdirectory);
    return entry;
}

Result<void> write_lock(const Project& project, const std::vector<PinnedPackage>& packages, const std::string& sha1) {
    std::vector<LockEntry> entries;
    for (const PinnedPackage& package : packages) entries.push_back(lock_entry(package));
    const fs::path path = fs::path(project.root) / "package-lock.yml";
    const fs::path half = path.string() + ".new";
    std::ofstream out(half, std::ios::binary);
    out << package_lock_text(std::move(entries), sha1);
    out.close();
    if (!out) return write_error(half, "the disk may be full, or the folder is not yours");
    std::error_code failure;
    fs::rename(half, path, failure);
    return failure ? write_error(path, failure.message()) : Result<void>();
}

// A name that stays in the folder of packages.
bool is_folder_name(const std::string& name) {
    return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
           name.find('\0') == std::string::npos;
}

// The new folder of packages beside the old one, which it replaces at the end.
class NewPackages {
public:
    explicit NewPackages(const Project& project) {
        std::error_code ignored;
        folder_ = fs::absolute(fs::path(project.root) / project.packages_install_path, ignored).lexically_normal();
        if (folder_.filename().empty()) folder_ = folder_.parent_path();
        staging_ = folder_.string() + ".new";
    }
    ~NewPackages() {
        std::error_code ignored;
        fs::remove_all(staging_, ignored);
    }
    NewPackages(const NewPackages&) = delete;
    NewPackages& operator=(const NewPackages&) = delete;

    Result<void> begin() {
        std::error_code failure;
        fs::remove_all(staging_, failure);
        fs::create_directories(staging_, failure);
        return failure ? write_error(staging_, failure.message()) : Result<void>();
    }
    std::string place_of(const std::string& name) const { return (staging_ / name).string(); }
    Result<void> replace() {
        std::error_code failure;
        const fs::path old = folder_.string() + ".old";
        fs::remove_all(old, failure);
        if (fs::exists(fs::symlink_status(folder_, failure))) {
            fs::rename(folder_, old, failure);
            if (failure) return write_error(folder_, failure.message());
        }
        fs::rename(staging_, folder_, failure);
        if (failure) return write_error(folder_, failure.message());
        fs::remove_all(old, failure);
        return {};
    }

private:
    fs::path folder_;
    fs::path staging_;
};

Result<PinnedPackage> install_one(PackageFetcher& fetcher, const PackageSpec& spec, VersionCheck check,
                                  const NewPackages& place) {
    PinnedPackage package = TRY(pinned_of_lock(spec));
    if (package.kind == Kind::hub) {
        package.latest = latest_version(*TRY(fetcher.hub().versions(fetcher.run(), package.location)), check);
    }
    if (package.name.empty() || package.kind != Kind::tarball) package.name = TRY(fetcher.metadata(package)).name;
    const std::string folder = place.place_of(package.name);
    std::error_code ignored;
    if (!is_folder_name(package.name) || fs::exists(folder, ignored)) {
        return Error(ErrorKind::invalid_config,
                     "cannot install a package by that name: " + package.name + "; it is " +
                         (is_folder_name(package.name) ? "there twice" : "no name of a folder"))
            .at(Place::in_file(spec.file, static_cast<int>(spec.line)));
    }
    TRY(fetcher.install(package, folder));
    return package;
}

}  // namespace

Result<DepsReport> install_dependencies(RunContext& run, const Project& project, const PackageList& wanted,
                                        const RenderText& render, const DepsOptions& options, Findings& findings) {
    DepsReport report;
    const auto fetcher = TRY(PackageFetcher::create(run, project.root, options.hub_url, render));
    const std::string sha1 = wanted.sha1();
    Findings of_lock;
    auto lock = read_package_lock(project.root, render, of_lock);
    // A lock that cannot be read is as good as none.
    const bool fresh = lock && of_lock.ok() && lock->sha1 == sha1 && options.lock == DepsOptions::Lock::when_stale;
    if (!fresh) {
        if (wanted.packages.empty() && !lock) return report;
        const auto packages = TRY(resolve_packages(*fetcher, project.name, wanted, options.check, findings));
        TRY(write_lock(project, packages, sha1));
        report.lock_written = true;
        lock = read_package_lock(project.root, render, findings);
        if (!findings.ok()) return findings.errors.front();
    }
    if (options.install == DepsOptions::Install::nothing) return report;
    NewPackages place(project);
    TRY(place.begin());
    for (const PackageSpec& spec : lock->packages) {
        report.installed.push_back(TRY(install_one(*fetcher, spec, options.check, place)));
    }
    TRY(place.replace());
    return report;
}

}  // namespace shaduf::models
