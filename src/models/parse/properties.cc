#include "models/parse/properties.h"

#include "models/parse/declarations.h"
#include "models/parse/doc_blocks.h"
#include "models/parse/generic_tests.h"
#include "models/parse/macro_properties.h"
#include "models/parse/node_properties.h"
#include "models/parse/parallel.h"
#include "models/parse/property_files.h"
#include "models/parse/sources.h"
#include "models/parse/unit_tests.h"
#include "models/parse/yaml_snapshots.h"

namespace shaduf::models {

struct PropertiesReader::State {
    State(Invocation& of, NodePatches& of_nodes)
        : invocation(of), patches(of_nodes), docs(of.root().name), descriptions(of.services(), docs) {}

    Invocation& invocation;
    NodePatches& patches;
    std::span<const PackageFiles> packages;
    std::vector<PropertyFile> files;  // the root project's first
    DocIndex docs;
    Descriptions descriptions;
};

PropertiesReader::PropertiesReader(Invocation& invocation, NodePatches& patches)
    : state_(std::make_unique<State>(invocation, patches)) {}
PropertiesReader::~PropertiesReader() = default;

void PropertiesReader::read(std::span<const PackageFiles> packages, Findings& findings) {
    const ContextServices& services = state_->invocation.services();
    NodeFileNames names;
    state_->packages = packages;
    for (const PackageFiles& package : packages) {
        names.add(package);
        state_->docs.add(package, state_->invocation.manifest(), findings);
        for (PropertyFile& file : read_property_files(package, services, parse_threads(), findings)) {
            state_->files.push_back(std::move(file));
        }
    }
    for (const PropertyFile& file : state_->files) add_snapshot_names(file, names);
    state_->patches.add(state_->files, names, findings);
}

void PropertiesReader::apply(const NodeParser& parser, Findings& findings) {
    Manifest& manifest = state_->invocation.manifest();
    const auto& files = state_->files;
    for (const PropertyFile& file : files) add_yaml_snapshots(file, parser, manifest, findings);
    apply_patches(state_->patches, state_->descriptions, manifest, findings);
    state_->patches.warn_of_unused(findings);
    apply_macro_properties(files, state_->descriptions, manifest, findings);
    GenericTests tests(parser);
    SourceReader sources(parser, state_->descriptions, tests);
    for (const PropertyFile& file : files) collect_tests(file, tests, findings);
    for (const PropertyFile& file : files) sources.add_overrides(file, findings);
    for (const PropertyFile& file : files) sources.add_sources(file, manifest, findings);
    sources.warn_of_unused(findings);
    manifest.index();
    tests.make_nodes(parse_threads(), manifest, findings);
    infer_primary_keys(manifest);
    const DeclarationReader declarations(parser, state_->descriptions);
    for (const PropertyFile& file : files) declarations.add(file, manifest, findings);
    DeclarationReader::resolve(manifest, findings);
    const UnitTestReader unit_tests(parser, state_->packages);
    for (const PropertyFile& file : files) unit_tests.add(file, manifest, findings);
}

}  // namespace shaduf::models
