#include "models/parse/parse_project.h"

#include <algorithm>

#include "models/command/invocation.h"
#include "models/parse/access.h"
#include "models/parse/macro_files.h"
#include "models/parse/node_files.h"
#include "models/parse/parallel.h"
#include "models/parse/properties.h"
#include "models/parse/references.h"
#include "models/parse/template_reads.h"

namespace shaduf::models {
namespace {

std::vector<PackageFiles> read_all(const Invocation& invocation, Findings& findings) {
    std::vector<PackageFiles> packages;
    for (const Project& project : invocation.packages()) {
        PackageFiles package;
        package.project = &project;
        package.files = find_source_files(project, findings);
        package.bodies = read_bodies(project.root, package.files, parse_threads(), findings);
        packages.push_back(std::move(package));
    }
    return packages;
}

template <typename Resource>
void sort_by_id(std::vector<std::unique_ptr<Resource>>& resources) {
    std::sort(resources.begin(), resources.end(),
              [](const auto& a, const auto& b) { return a->unique_id < b->unique_id; });
}

}  // namespace

Result<void> parse_project(Invocation& invocation, Findings& findings) {
    Manifest& manifest = invocation.manifest();
    const std::vector<PackageFiles> packages = read_all(invocation, findings);
    TRY(add_builtin_macros(invocation.adapter().lineage(), manifest));
    for (const PackageFiles& package : packages) add_macros(package, manifest, findings);
    resolve_macro_calls(manifest);
    if (!findings.ok()) return {};

    NodePatches patches;
    PropertiesReader properties(invocation, patches);
    properties.read(packages, findings);
    const NodeParser parser(invocation, patches);
    for (const PackageFiles& package : packages) add_nodes(package, parser, parse_threads(), manifest, findings);
    manifest.index();
    properties.apply(parser, findings);
    sort_by_id(manifest.nodes);
    sort_by_id(manifest.sources);
    sort_by_id(manifest.declarations);
    sort_by_id(manifest.unit_tests);
    manifest.index();
    parser.config_keys().note_project(invocation.root());
    parser.config_keys().warn([&](std::string_view key) { return is_config_read(packages, key); }, findings);
    warn_of_unused_vars(invocation, packages, findings);
    check_names(manifest, findings);
    resolve_references(manifest, findings);
    check_access(manifest, invocation.packages(), findings);
    return {};
}

}  // namespace shaduf::models
