#include "models/parse/state/partial_parse.h"

#include <algorithm>
#include <set>

#include "io/crypto.h"
#include "models/parse/access.h"
#include "models/parse/macro_files.h"
#include "models/parse/node_files.h"
#include "models/parse/node_properties.h"
#include "models/parse/parallel.h"
#include "models/parse/property_files.h"
#include "models/parse/references.h"
#include "models/parse/template_reads.h"
#include "models/yaml/parse_yaml.h"

namespace shaduf::models {
namespace {

constexpr int64_t kSettledNs = 2'000'000'000;  // the coarsest clock of a file system
constexpr size_t kChangesMax = 32;             // beyond it, a new state is worth its writing
constexpr size_t kSuspectsMax = 64;
constexpr size_t kHooks = SIZE_MAX;

bool is_untouched(const SourceFile& file, const KeptFile& kept, int64_t looked_at_ns) {
    const bool is_same = file.bytes == kept.bytes && file.inode == kept.inode && file.modified_ns == kept.modified_ns &&
                         file.changed_ns == kept.changed_ns;
    return is_same && std::max(file.modified_ns, file.changed_ns) < looked_at_ns - kSettledNs;
}

// Whether a change of its text touches its own node alone.
bool is_by_itself(const SourceFile& file) {
    const bool is_node = file.type == FileType::model || file.type == FileType::singular_test ||
                         file.type == FileType::analysis || file.type == FileType::seed;
    return is_node && file.extension() != ".py";
}

ResourceType resource_type(FileType type) {
    switch (type) {
        case FileType::singular_test: return ResourceType::test;
        case FileType::analysis: return ResourceType::analysis;
        case FileType::seed: return ResourceType::seed;
        default: return ResourceType::model;
    }
}

// All that other resources, or names that must be unique, see of a node.
bool looks_the_same(const Node& a, const Node& b) {
    return a.type == b.type && a.unique_id == b.unique_id && a.package == b.package && a.name == b.name &&
           a.alias == b.alias && a.database == b.database && a.schema == b.schema && a.fqn == b.fqn &&
           a.version == b.version && a.group == b.group && a.access == b.access && a.language == b.language &&
           a.place.original_path == b.place.original_path && a.config.flag("enabled") == b.config.flag("enabled") &&
           a.config.text("materialized") == b.config.text("materialized");
}

// Whether a var of the project may be read now, or not any more, which is told of.
bool reads_the_same_vars(const Node& a, const Node& b) {
    std::set<std::string, std::less<>> of_a, of_b;
    const bool are_written = collect_vars(a.raw_code, of_a) == collect_vars(b.raw_code, of_b);
    return are_written && of_a == of_b;
}

// What properties and tests gave to a node, whose files are as they were.
void keep_properties(const Node& before, Node& node) {
    node.patch_path = before.patch_path;
    node.description = before.description;
    node.doc_blocks = before.doc_blocks;
    node.columns = before.columns;
    node.constraints = before.constraints;
    node.latest_version = before.latest_version;
    node.deprecation_date = before.deprecation_date;
    node.time_spine = before.time_spine;
    node.primary_key = before.primary_key;
    if (node.type == ResourceType::model) add_foreign_keys(node);
}

PackageFiles read_part(const PackageFiles& package, const std::set<size_t>& files, Findings& findings) {
    PackageFiles part;
    part.project = package.project;
    for (const size_t file : files) part.files.push_back(package.files[file]);
    part.bodies = read_bodies(package.project->root, part.files, parse_threads(), findings);
    return part;
}

bool declares_versions(const std::vector<PropertyFile>& files) {
    for (const PropertyFile& file : files) {
        for (const YamlNode& entry : file.entries("models")) {
            if (!entry["versions"].items().empty()) return true;
        }
    }
    return false;
}

NodeFileNames names_of(const std::vector<PackageFiles>& packages) {
    NodeFileNames names;
    for (const PackageFiles& package : packages) {
        PackageFiles without_bodies;
        without_bodies.project = package.project;
        for (const SourceFile& file : package.files) {
            if (file.type != FileType::snapshot) without_bodies.files.push_back(file);
        }
        names.add(without_bodies);
    }
    return names;
}

void add_text(std::string& key, std::string_view text) {
    key += std::to_string(text.size());
    key += ':';
    key += text;
}

}  // namespace

std::string fingerprint_of(Invocation& invocation) {
    const ContextServices& services = invocation.services();
    std::string key;
    add_text(key, jinja::Value(services.target).repr());
    add_text(key, invocation.target().output ? jinja::Value(invocation.target().output).repr() : "");
    const jinja::Value* vars = services.invocation_args->find("vars");
    add_text(key, vars == nullptr ? "" : vars->repr());
    for (const std::string& type : invocation.adapter().lineage()) add_text(key, type);
    add_text(key, services.is_empty_run ? "empty" : "");
    add_text(key, services.sample ? "sample" : "");
    for (const Project& package : invocation.packages()) {
        add_text(key, package.name);
        add_text(key, package.root);
        const auto text = read_text_file(package.file(), std::string(kProjectFile));
        add_text(key, text.ok() ? text.value() : std::string());
    }
    return std::string(as_text(sha256(key)));
}

PartialParse::PartialParse(Invocation& invocation, std::string path) : invocation_(invocation) {
    loading_ = std::thread([this, path = std::move(path)] {
        state_ = ParseState::load(path);
        if (state_ == nullptr) return;
        is_loaded_ = knows_world() && state_->read_resources(parse_threads(), loaded_);
    });
}

PartialParse::~PartialParse() {
    if (loading_.joinable()) loading_.join();
}

bool PartialParse::knows_world() const {
    const StateHead& head = state_->head();
    if (head.fingerprint != fingerprint_of(invocation_)) return false;
    const auto& environment = invocation_.services().env;
    return std::all_of(head.variables.begin(), head.variables.end(), [&](const auto& variable) {
        return hashed_variable(environment(variable.first)) == variable.second;
    });
}

PartialParse::Outcome PartialParse::run(const std::vector<PackageFiles>& packages, Findings& findings) {
    Manifest& manifest = invocation_.manifest();
    const auto refuse = [&] {
        const std::string root = manifest.root_package;
        manifest = Manifest();
        manifest.root_package = root;
        return Outcome::refused;
    };
    if (loading_.joinable() && !add_macros_of(packages, manifest)) return refuse();
    loading_.join();
    if (!is_loaded_ || !compare(packages) || !state_->read_macros(manifest)) return refuse();
    if (!add_restless(packages) || warned_of_changes(packages)) return refuse();
    if (!changes_.empty() && !parse_changes(packages)) return refuse();
    manifest.nodes = std::move(loaded_.nodes);
    manifest.sources = std::move(loaded_.sources);
    manifest.declarations = std::move(loaded_.declarations);
    manifest.unit_tests = std::move(loaded_.unit_tests);
    manifest.docs = std::move(loaded_.docs);
    manifest.groups = std::move(loaded_.groups);
    manifest.disabled = std::move(loaded_.disabled);
    manifest.disabled_sources = std::move(loaded_.disabled_sources);
    manifest.disabled_declarations = std::move(loaded_.disabled_declarations);
    manifest.parse_id = loaded_.parse_id;
    manifest.index();
    if (!link_changes(manifest)) return refuse();
    for (const KeptFinding& warning : state_->head().warnings) {
        const Error error(warning.kind, warning.message);
        findings.warnings.push_back(warning.file.empty() ? error
                                                         : error.at(Place::in_file(warning.file, warning.line)));
    }
    if (!changes_.empty()) renewed_.reset();
    return Outcome::parsed;
}

// Macros are compiled from their files, whatever the state says.
bool PartialParse::add_macros_of(const std::vector<PackageFiles>& packages, Manifest& manifest) {
    Findings wrong;
    if (!add_builtin_macros(invocation_.adapter().lineage(), manifest).ok()) return false;
    for (const PackageFiles& package : packages) {
        std::set<size_t> files;
        for (size_t i = 0; i < package.files.size(); ++i) {
            const FileType type = package.files[i].type;
            if (type == FileType::macro || type == FileType::generic_test) files.insert(i);
        }
        add_macros(read_part(package, files, wrong), manifest, wrong);
    }
    return wrong.ok();
}

bool PartialParse::compare(const std::vector<PackageFiles>& packages) {
    const StateHead& head = state_->head();
    if (head.packages.size() != packages.size()) return false;
    size_t suspected = 0;
    for (size_t at = 0; at < packages.size(); ++at) {
        const auto& files = packages[at].files;
        const auto& kept = head.packages[at].files;
        if (files.size() != kept.size()) return false;
        std::vector<size_t> suspects;
        for (size_t i = 0; i < files.size(); ++i) {
            if (files[i].type != kept[i].type || files[i].path != kept[i].path) return false;
            if (!is_untouched(files[i], kept[i], head.looked_at_ns)) suspects.push_back(i);
        }
        if (suspected += suspects.size(); suspected > kSuspectsMax && !renewed_) renewed_ = head;
        if (!compare_contents(packages[at], at, suspects)) return false;
    }
    return changes_.size() <= kChangesMax;
}

bool PartialParse::compare_contents(const PackageFiles& package, size_t index, const std::vector<size_t>& suspects) {
    Findings wrong;
    const PackageFiles part = read_part(package, {suspects.begin(), suspects.end()}, wrong);
    if (!wrong.ok()) return false;
    const auto& kept = state_->head().packages[index].files;
    for (size_t i = 0; i < suspects.size(); ++i) {
        const KeptFile& before = kept[suspects[i]];
        const bool is_same =
            part.bodies[i].checksum == before.checksum && part.bodies[i].lines_before == before.lines_before;
        if (!is_same && !is_by_itself(part.files[i])) return false;
        if (!is_same) changes_.push_back({index, suspects[i]});
        if (changes_.size() > kChangesMax) return false;
        if (!renewed_) continue;
        KeptFile& now = renewed_->packages[index].files[suspects[i]];
        now.bytes = part.files[i].bytes;
        now.inode = part.files[i].inode;
        now.modified_ns = part.files[i].modified_ns;
        now.changed_ns = part.files[i].changed_ns;
    }
    return true;
}

bool PartialParse::add_restless(const std::vector<PackageFiles>& packages) {
    std::set<std::string_view> restless(state_->head().restless.begin(), state_->head().restless.end());
    if (restless.empty()) return true;
    for (auto* nodes : {&loaded_.nodes, &loaded_.disabled}) {
        for (const auto& node : *nodes) {
            if (!restless.contains(node->unique_id)) continue;
            const auto package = std::find_if(packages.begin(), packages.end(), [&](const PackageFiles& files) {
                return files.project->name == node->package;
            });
            if (package == packages.end()) return false;
            const size_t at = static_cast<size_t>(package - packages.begin());
            const auto file = std::find_if(package->files.begin(), package->files.end(), [&](const SourceFile& one) {
                return one.path == node->place.original_path && is_by_itself(one) &&
                       resource_type(one.type) == node->type;
            });
            if (node->type != ResourceType::operation && file == package->files.end()) return false;
            const bool is_hook = node->type == ResourceType::operation;
            changes_.push_back({at, is_hook ? kHooks : static_cast<size_t>(file - package->files.begin())});
        }
    }
    return true;
}

// A warning that a change may have ended.
bool PartialParse::warned_of_changes(const std::vector<PackageFiles>& packages) const {
    const auto& warnings = state_->head().warnings;
    return std::any_of(changes_.begin(), changes_.end(), [&](const Change& change) {
        if (change.file == kHooks) return false;
        const std::string& path = packages[change.package].files[change.file].path;
        return std::any_of(warnings.begin(), warnings.end(), [&](const auto& warning) { return warning.file == path; });
    });
}

// The files that changed and those with properties of their nodes.
std::vector<PackageFiles> PartialParse::parts_to_parse(const std::vector<PackageFiles>& packages) const {
    std::vector<std::set<size_t>> wanted(packages.size());
    std::set<std::pair<std::string_view, std::string_view>> changed;  // package, path
    std::set<std::string_view> properties;
    std::vector<bool> is_touched(packages.size());
    for (const Change& change : changes_) {
        is_touched[change.package] = true;
        if (change.file == kHooks) continue;
        wanted[change.package].insert(change.file);
        changed.emplace(packages[change.package].project->name, packages[change.package].files[change.file].path);
    }
    for (const auto* nodes : {&loaded_.nodes, &loaded_.disabled}) {
        for (const auto& node : *nodes) {
            if (!node->patch_path.empty() && changed.contains({node->package, node->place.original_path}))
                properties.insert(node->patch_path);
        }
    }
    Findings ignored;
    std::vector<PackageFiles> parts;
    for (size_t at = 0; at < packages.size(); ++at) {
        const std::string prefix = packages[at].project->name + "://";
        for (size_t i = 0; i < packages[at].files.size() && !properties.empty(); ++i) {
            const SourceFile& file = packages[at].files[i];
            if (file.type == FileType::schema && properties.contains(prefix + file.path)) wanted[at].insert(i);
        }
        if (is_touched[at] || !wanted[at].empty()) parts.push_back(read_part(packages[at], wanted[at], ignored));
    }
    return parts;
}

bool PartialParse::parse_changes(const std::vector<PackageFiles>& packages) {
    Findings wrong;
    const auto parts = parts_to_parse(packages);
    std::vector<PropertyFile> properties;
    for (const PackageFiles& part : parts) {
        for (PropertyFile& file : read_property_files(part, invocation_.services(), parse_threads(), wrong)) {
            properties.push_back(std::move(file));
        }
    }
    const bool needs_names = packages.size() > 1 || declares_versions(properties);
    NodePatches patches;
    patches.add(properties, needs_names ? names_of(packages) : NodeFileNames(), wrong);
    const NodeParser parser(invocation_, patches);
    std::vector<std::unique_ptr<Node>> nodes;
    for (const PackageFiles& part : parts) {
        for (auto& node : parse_nodes(part, parser, parse_threads(), wrong)) nodes.push_back(std::move(node));
    }
    if (!wrong.ok() || !parser.config_keys().all_known()) return false;
    return std::all_of(nodes.begin(), nodes.end(), [this](auto& node) { return take_place(std::move(node)); });
}

bool PartialParse::take_place(std::unique_ptr<Node> node) {
    const bool has_vars = !invocation_.root().vars().entries().empty();
    const bool has_unit_test = std::any_of(loaded_.unit_tests.begin(), loaded_.unit_tests.end(),
                                           [&](const auto& test) { return test->model == node->name; });
    if (has_unit_test) return false;
    for (auto* nodes : {&loaded_.nodes, &loaded_.disabled}) {
        for (auto& before : *nodes) {
            if (before->unique_id != node->unique_id || before->place.original_path != node->place.original_path)
                continue;
            const bool is_enabled = nodes == &loaded_.nodes;
            if (has_vars && !reads_the_same_vars(*before, *node)) return false;
            if (!looks_the_same(*before, *node) || node->config.flag("enabled") != is_enabled) return false;
            keep_properties(*before, *node);
            before = std::move(node);
            if (is_enabled) placed_.push_back(before.get());
            return true;
        }
    }
    return false;
}

bool PartialParse::link_changes(Manifest& manifest) const {
    Findings wrong;
    for (Node* node : placed_) {
        resolve_references(manifest, *node, wrong);
        check_access(*node, manifest, invocation_.packages(), wrong);
        if (!wrong.ok() || !wrong.warnings.empty() || is_in_cycle(manifest, *node)) return false;
    }
    return true;
}

}  // namespace shaduf::models
