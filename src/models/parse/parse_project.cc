#include "models/parse/parse_project.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "models/artifacts/artifact_file.h"
#include "models/command/invocation.h"
#include "models/context/read_notes.h"
#include "models/parse/access.h"
#include "models/parse/macro_files.h"
#include "models/parse/node_files.h"
#include "models/parse/parallel.h"
#include "models/parse/properties.h"
#include "models/parse/references.h"
#include "models/parse/state/partial_parse.h"
#include "models/parse/template_reads.h"

namespace shaduf::models {
namespace {

std::vector<PackageFiles> find_all(const Invocation& invocation, Findings& findings) {
    std::vector<PackageFiles> packages;
    for (const Project& project : invocation.packages()) {
        PackageFiles& package = packages.emplace_back();
        package.project = &project;
        package.files = find_source_files(project, findings);
    }
    return packages;
}

template <typename Resource>
void sort_by_id(std::vector<std::unique_ptr<Resource>>& resources) {
    std::sort(resources.begin(), resources.end(),
              [](const auto& a, const auto& b) { return a->unique_id < b->unique_id; });
}

Result<void> parse_all(Invocation& invocation, std::vector<PackageFiles>& packages, Findings& findings) {
    Manifest& manifest = invocation.manifest();
    for (PackageFiles& package : packages) {
        package.bodies = read_bodies(package.project->root, package.files, parse_threads(), findings);
    }
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

StateHead head_of(Invocation& invocation, const std::vector<PackageFiles>& packages, const Findings& findings) {
    StateHead head;
    head.binary = binary_identity();
    head.fingerprint = fingerprint_of(invocation);
    for (const auto& [name, value] : invocation.notes().variables()) {
        head.variables.emplace_back(name, hashed_variable(value));
    }
    for (const PackageFiles& package : packages) {
        KeptPackage& kept = head.packages.emplace_back();
        kept.name = package.project->name;
        kept.root = package.project->root;
        for (size_t i = 0; i < package.files.size(); ++i) {
            const SourceFile& file = package.files[i];
            const FileBody& body = package.bodies[i];
            kept.files.push_back({file.type, file.path, file.bytes, file.modified_ns, file.changed_ns, file.inode,
                                  body.checksum, body.lines_before});
        }
    }
    for (const Error& warning : findings.warnings) {
        head.warnings.push_back({warning.kind(), warning.message(), warning.place().file, warning.place().line});
    }
    for (const std::string& id : invocation.notes().restless()) head.restless.push_back(id);
    return head;
}

// The texts of a head are those of the files, which stay until it is written.
void save(Invocation& invocation, std::shared_ptr<const void> texts, StateHead head) {
    head.parse_id = invocation.services().invocation_id;
    number_records(invocation.manifest(), head.parse_id);
    invocation.run_beside([path = partial_parse_path(invocation.services()), texts = std::move(texts),
                           head = std::move(head),
                           &manifest = invocation.manifest()] { save_parse_state(path, head, manifest); });
}

bool can_be_kept(const Findings& findings) {
    return findings.ok() && std::all_of(findings.warnings.begin(), findings.warnings.end(),
                                        [](const Error& warning) { return !warning.cause(); });
}

}  // namespace

std::string partial_parse_path(const ContextServices& services) {
    return artifact_path(services, "partial_parse.shaduf");
}

Result<void> parse_project(Invocation& invocation, Findings& findings) {
    std::shared_ptr<PartialParse> partial;
    if (invocation.parses_partially()) {
        partial = std::make_shared<PartialParse>(invocation, partial_parse_path(invocation.services()));
    }
    const int64_t looked_at = std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
    auto packages = std::make_shared<std::vector<PackageFiles>>(find_all(invocation, findings));
    const bool is_clean = findings.ok() && findings.warnings.empty();
    if (partial && is_clean && partial->run(*packages, findings) == PartialParse::Outcome::parsed) {
        const std::string count = std::to_string(partial->changes());
        invocation.messages().message(MessageSink::Level::debug, "Parsed again, of what the last parse left: " + count);
        if (const StateHead* head = partial->renewed()) {
            StateHead renewed = *head;
            renewed.looked_at_ns = looked_at;
            save(invocation, partial, std::move(renewed));
        }
        return {};
    }
    partial.reset();
    invocation.messages().message(MessageSink::Level::debug, "Parsed from nothing");
    TRY(parse_all(invocation, *packages, findings));
    if (!invocation.parses_partially() || !is_clean || !can_be_kept(findings) || !invocation.notes().is_lasting()) {
        return {};
    }
    StateHead head = head_of(invocation, *packages, findings);
    head.looked_at_ns = looked_at;
    save(invocation, packages, std::move(head));
    return {};
}

}  // namespace shaduf::models
