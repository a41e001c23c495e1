#include "models/command/project_command.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "models/context/yaml_scope.h"
#include "models/deps/add_package.h"
#include "models/deps/install.h"
#include "models/project/packages.h"
#include "models/project/version.h"
#include "models/yaml/parse_yaml.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

namespace fs = std::filesystem;

// The root project alone: no profile is needed for its files.
struct RootProject {
    Project project;
    std::unique_ptr<YamlScope> scope;
};

Result<RootProject> open_root(const InvocationWorld& world, const DbtArguments& arguments, Console& console) {
    RootProject root;
    const std::string folder = TRY(project_folder(world, arguments));
    root.scope =
        std::make_unique<YamlScope>(TRY(read_cli_vars(arguments)), world.environment, YamlScope::Secrets::allowed);
    YamlTree raw = TRY(load_project_file(folder));
    YamlTree rendered = TRY(render_tree(raw, root.scope->renderer(folder + "/dbt_project.yml"), renders_in_project));
    Findings findings;
    const auto check = arguments.is_on("version-check", true) ? VersionCheck::on : VersionCheck::off;
    root.project = read_project(folder, std::move(raw), std::move(rendered), check, findings);
    for (const Error& warning : findings.warnings) console.message(MessageSink::Level::warning, warning.to_string());
    if (!findings.ok()) return findings.errors.front();
    if (const std::string path = arguments.text("packages-install-path"); !path.empty()) {
        root.project.packages_install_path = path;
    }
    return root;
}

bool is_within(const fs::path& path, const fs::path& folder) {
    const auto [end, ignored] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    return end == folder.end() && path != folder;
}

// Into the file that has packages, else packages.yml, which is made.
Result<void> write_new_package(const std::string& root, const DbtArguments& arguments, Console& console) {
    const NewPackage package = TRY(read_new_package(arguments.text("add-package"), arguments.text("source")));
    std::error_code ignored;
    fs::path path = fs::path(root) / "packages.yml";
    const fs::path other = fs::path(root) / "dependencies.yml";
    if (!fs::exists(path, ignored) && fs::exists(other, ignored)) path = other;
    const bool is_new = !fs::exists(path, ignored);
    const std::string text = is_new ? "" : TRY(read_text_file(path.string(), path.string()));
    const AddedPackage added = TRY(add_package(text, package, path.string()));
    if (is_new) console.line("Created packages.yml");
    for (const std::string& removed : added.removed)
        console.line("Found duplicate package in packages.yml, removing: " + removed);
    const fs::path half = path.string() + ".new";
    std::ofstream out(half, std::ios::binary);
    out << added.text;
    out.close();
    std::error_code failure;
    if (out) fs::rename(half, path, failure);
    if (!out || failure) return Error(ErrorKind::exhausted, "cannot write " + path.string() + ": " + failure.message());
    console.line("Added new package " + package.name + "@" + package.version + " to " + path.string());
    return {};
}

}  // namespace

Result<int> run_deps(const InvocationWorld& world, const DbtArguments& arguments, Console& console) {
    const RootProject root = TRY(open_root(world, arguments, console));
    if (arguments.has("add-package")) TRY(write_new_package(root.project.root, arguments, console));
    Findings findings;
    const auto render = root.scope->renderer(root.project.root + "/packages.yml");
    const PackageList wanted = read_packages(root.project.root, render, findings);
    if (!findings.ok()) return findings.errors.front();
    DepsOptions options;
    if (const auto hub = world.environment("DBT_PACKAGE_HUB_URL"); hub && !hub->empty()) options.hub_url = *hub;
    if (arguments.is_on("upgrade")) options.lock = DepsOptions::Lock::renew;
    if (arguments.is_on("lock")) options.install = DepsOptions::Install::nothing;
    if (!arguments.is_on("version-check", true)) options.check = VersionCheck::off;
    const DepsReport report = TRY(install_dependencies(world.run, root.project, wanted, render, options, findings));
    for (const Error& warning : findings.warnings) console.message(MessageSink::Level::warning, warning.to_string());
    if (!findings.ok()) return findings.errors.front();
    if (wanted.packages.empty()) console.line("No packages are asked for: there is no packages.yml, or it is empty.");
    if (report.lock_written) console.line("Updated package-lock.yml");
    if (!report.installed.empty()) {
        console.line("Installed " + std::to_string(report.installed.size()) + " packages into " +
                     root.project.packages_install_path);
    }
    return 0;
}

Result<int> run_clean(const InvocationWorld& world, const DbtArguments& arguments, Console& console) {
    const RootProject root = TRY(open_root(world, arguments, console));
    const fs::path folder = fs::path(root.project.root).lexically_normal();
    const auto sources = root.project.all_source_paths();
    std::vector<fs::path> targets;
    for (const std::string& target : root.project.clean_targets) {
        fs::path path = (folder / target).lexically_normal();
        if (!path.has_filename()) path = path.parent_path();
        const auto is_it = [&](const std::string& source) { return (folder / source).lexically_normal() == path; };
        if (std::any_of(sources.begin(), sources.end(), is_it)) {
            return Error(ErrorKind::invalid_config,
                         "clean-targets names a folder of sources: " + target + "; take it out, nothing was deleted")
                .at(Place::in_file(root.project.file(), 0));
        }
        const bool may_be_outside = !arguments.is_on("clean-project-files-only", true);
        if (!is_within(path, folder) && (!may_be_outside || is_within(folder, path) || path == folder)) {
            return Error(ErrorKind::invalid_config, "clean-targets names a folder outside of the project: " + target +
                                                        "; nothing was deleted, --no-clean-project-files-only deletes "
                                                        "it")
                .at(Place::in_file(root.project.file(), 0));
        }
        targets.push_back(std::move(path));
    }
    for (const fs::path& path : targets) {
        std::error_code failure;
        fs::remove_all(path, failure);
        if (failure) {
            return Error(ErrorKind::exhausted, "cannot delete: " + path.string() + ": " + failure.message());
        }
        console.line("Cleaned " + path.string());
    }
    console.line("Finished cleaning all paths.");
    return 0;
}

int run_debug(const InvocationWorld& world, const DbtArguments& arguments, Console& console) {
    console.line("dbt version: " + std::string(kDbtVersion) + " (shaduf)");
    auto invocation = Invocation::open(world, arguments);
    if (!invocation.ok()) {
        console.error("error: " + invocation.error().to_string());
        console.line("1 check failed: the project or its profile");
        return 1;
    }
    const Invocation& opened = *invocation.value();
    console.line("project: " + opened.root().name + " (" + opened.root().root + ") [OK found and valid]");
    console.line("profile: " + opened.target().profile + ", target " + opened.target().name + " [OK found and valid]");
    const auto facts = opened.services().target;
    for (const auto& [key, value] : facts->entries()) console.line("  " + key.text() + ": " + value.text());
    auto session = invocation.value()->adapter().connect(invocation.value()->run(), "debug");
    Result<void> asked;
    if (!session.ok())
        asked = session.error();
    else if (const auto answer = session.value()->execute({.sql = "select 1 as id"}); !answer.ok())
        asked = answer.error();
    if (!asked.ok()) {
        console.error("error: " + asked.error().to_string());
        console.line("1 check failed: Connection test: [ERROR]");
        return 1;
    }
    console.line("Connection test: [OK connection ok]");
    console.line("All checks passed!");
    return 0;
}

}  // namespace shaduf::models
