#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "models/project/findings.h"
#include "models/project/project.h"
#include "models/yaml/render_tree.h"

namespace shaduf::models {

// One entry of packages.yml, dependencies.yml or package-lock.yml.
struct PackageSpec {
    enum class Kind : uint8_t { hub, git, local, tarball, private_git };
    Kind kind = Kind::hub;
    std::string location;  // dbt-labs/dbt_utils, a URL, a path
    std::vector<std::string> versions;
    bool install_prerelease = false;
    std::optional<std::string> revision;
    bool warn_unpinned = true;
    std::optional<std::string> subdirectory;
    std::optional<std::string> name;
    std::string unrendered_location;  // as written, Jinja and all: what a lock file may show
    // What dbt's hash of the list is made of: json.dumps of the entry, keys sorted.
    std::string hashed_json;
    std::string file;
    uint32_t line = 0;
};
std::string_view to_string(PackageSpec::Kind kind);  // the key: package, git, local, tarball, private

// The packages that a project asks for.
struct PackageList {
    std::string file_name = "packages.yml";  // or dependencies.yml
    std::vector<PackageSpec> packages;
    // SHA-1, in hex, as package-lock.yml keeps it: another one means that the lock is stale.
    std::string sha1() const;
};

// The entries of the list `packages` of a map; `raw` is the same map before it was rendered.
std::vector<PackageSpec> read_package_entries(const YamlNode& rendered, const YamlNode& raw, const std::string& file,
                                              Findings& findings);
// Both files of `root`; none is an empty list. Texts of packages.yml are rendered, those of dependencies.yml are not.
PackageList read_packages(const std::string& root, const RenderText& render, Findings& findings);
// package-lock.yml; nullopt when there is none.
struct PackageLock {
    std::vector<PackageSpec> packages;
    std::string sha1;
};
std::optional<PackageLock> read_package_lock(const std::string& root, const RenderText& render, Findings& findings);
// The text of package-lock.yml as dbt writes it. Each entry is a list of keys and values.
using LockEntry = std::vector<std::pair<std::string, std::string>>;
std::string package_lock_text(std::vector<LockEntry> entries, const std::string& sha1);

// A text as YAML writes it: quoted where it would be read as something else.
std::string yaml_scalar(std::string_view text);

// The folders of packages that are installed, by name; packages of the project itself (`local:`) need not be.
// invalid_config when there are fewer than the project asks for.
Result<std::vector<std::string>> installed_packages(const Project& project, const PackageList& wanted);

}  // namespace shaduf::models
