#include "models/parse/node_files.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/text.h"
#include "io/crypto.h"
#include "models/parse/macro_files.h"
#include "models/parse/parallel.h"
#include "models/yaml/parse_yaml.h"

namespace shaduf::models {
namespace {

using Subject = NodeParser::Subject;

std::vector<std::string> fqn_of(const Project& project, std::string_view path, const std::string& name) {
    std::vector<std::string> fqn = {project.name};
    for (std::string& folder : folders_of(path)) fqn.push_back(std::move(folder));
    fqn.push_back(name);
    return fqn;
}

// One version of a model has the model's name, whatever its file is called.
void name_version(const ModelVersion& version, Subject& subject) {
    subject.name = version.model;
    subject.version = version.version;
    subject.unique_id = "model." + subject.project->name + "." + version.model + ".v" + version.version;
    subject.fqn.back() = version.model;
    subject.fqn.push_back("v" + version.version);
}

Subject subject_of(const PackageFiles& package, size_t index, ResourceType type) {
    const SourceFile& file = package.files[index];
    const FileBody& body = package.bodies[index];
    Subject subject;
    subject.type = type;
    subject.project = package.project;
    subject.name = std::string(name_of_file(file.path));
    subject.place = {.path = std::string(file.relative_path()), .original_path = file.path};
    if (type == ResourceType::analysis) subject.place.path = "analysis/" + subject.place.path;
    subject.fqn = fqn_of(*package.project, subject.place.path, subject.name);
    subject.checksum = {std::string(body.checksum_name), body.checksum};
    if (type != ResourceType::seed) subject.raw_code = std::string(body.contents);
    subject.lines_before = body.lines_before;
    if (file.extension() == ".py") subject.language = "python";
    return subject;
}

// A file may hold several snapshots, each a block.
void add_snapshots(const PackageFiles& package, size_t index, std::vector<Subject>& subjects, Findings& findings) {
    const SourceFile& file = package.files[index];
    const FileBody& body = package.bodies[index];
    auto code = jinja::Template::compile(std::string(body.contents), file.path, macro_syntax());
    if (!code.ok()) {
        findings.errors.push_back(code.release_error());
        return;
    }
    for (const jinja::Definition& definition : code.value()->definitions()) {
        if (definition.tag != "snapshot") continue;
        Subject subject = subject_of(package, index, ResourceType::snapshot);
        subject.fqn = {package.project->name};
        for (std::string& folder : folders_of(subject.place.path)) subject.fqn.push_back(std::move(folder));
        subject.fqn.emplace_back(name_of_file(subject.place.path));
        subject.fqn.push_back(definition.name);
        subject.name = definition.name;
        subject.raw_code =
            std::string(body.contents.substr(definition.body.begin, definition.body.end - definition.body.begin));
        subject.lines_before = body.lines_before + definition.body.line - 1;
        subjects.push_back(std::move(subject));
    }
}

// That of the file they stand in, as dbt has it.
Checksum hooks_checksum(const Project& project) {
    const auto text = read_text_file(project.file(), std::string(kProjectFile));
    if (!text.ok()) return {};
    return {"sha256", to_hex(sha256(trim(text.value())))};
}

void add_hooks(const PackageFiles& package, std::vector<Subject>& subjects) {
    if (package.project->on_run_start.empty() && package.project->on_run_end.empty()) return;
    const Checksum checksum = hooks_checksum(*package.project);
    const auto add = [&](const std::vector<std::string>& hooks, const std::string& kind) {
        for (size_t i = 0; i < hooks.size(); ++i) {
            Subject subject;
            subject.type = ResourceType::operation;
            subject.project = package.project;
            subject.name = package.project->name + "-" + kind + "-" + std::to_string(i);
            subject.place = {.path = "hooks/" + subject.name + ".sql", .original_path = "./dbt_project.yml"};
            subject.fqn = {package.project->name, "hooks", subject.name};
            subject.raw_code = hooks[i];
            subject.checksum = checksum;
            subjects.push_back(std::move(subject));
        }
    };
    add(package.project->on_run_start, "on-run-start");
    add(package.project->on_run_end, "on-run-end");
}

Subject model_of(const PackageFiles& package, size_t index, const NodePatches& patches) {
    Subject subject = subject_of(package, index, ResourceType::model);
    if (const ModelVersion* version = patches.version_of(package.project->name, subject.name)) {
        name_version(*version, subject);
    }
    return subject;
}

std::vector<Subject> subjects_of(const PackageFiles& package, const NodePatches& patches, Findings& findings) {
    std::vector<Subject> subjects;
    for (size_t i = 0; i < package.files.size(); ++i) {
        switch (package.files[i].type) {
            case FileType::model: subjects.push_back(model_of(package, i, patches)); break;
            case FileType::seed: subjects.push_back(subject_of(package, i, ResourceType::seed)); break;
            case FileType::singular_test: subjects.push_back(subject_of(package, i, ResourceType::test)); break;
            case FileType::analysis: subjects.push_back(subject_of(package, i, ResourceType::analysis)); break;
            case FileType::function: subjects.push_back(subject_of(package, i, ResourceType::function)); break;
            case FileType::snapshot: add_snapshots(package, i, subjects, findings); break;
            default: break;
        }
    }
    add_hooks(package, subjects);
    return subjects;
}

bool is_named(const Node& node) {
    return node.type == ResourceType::model || node.type == ResourceType::seed || node.type == ResourceType::snapshot;
}

}  // namespace

void add_node(std::unique_ptr<Node> node, Manifest& manifest) {
    auto& place = node->config.flag("enabled") ? manifest.nodes : manifest.disabled;
    place.push_back(std::move(node));
}

std::vector<std::unique_ptr<Node>> parse_nodes(const PackageFiles& package, const NodeParser& parser, size_t threads,
                                               Findings& findings) {
    std::vector<Subject> subjects = subjects_of(package, parser.patches(), findings);
    std::vector<std::optional<Result<std::unique_ptr<Node>>>> parsed(subjects.size());
    in_parallel(subjects.size(), threads, [&](size_t i) { parsed[i] = parser.parse(std::move(subjects[i])); });
    std::vector<std::unique_ptr<Node>> nodes;
    nodes.reserve(parsed.size());
    for (auto& result : parsed) {
        if (!result->ok()) {
            findings.errors.push_back(result->release_error());
            continue;
        }
        std::unique_ptr<Node> node = result->release_value();
        if (node->type == ResourceType::operation) {
            const bool is_start = node->name.find("-on-run-start-") != std::string::npos;
            node->tags.emplace_back(is_start ? "on-run-start" : "on-run-end");
            node->hook_index = static_cast<size_t>(std::atoll(node->name.c_str() + node->name.rfind('-') + 1));
        }
        nodes.push_back(std::move(node));
    }
    return nodes;
}

void add_nodes(const PackageFiles& package, const NodeParser& parser, size_t threads, Manifest& manifest,
               Findings& findings) {
    for (auto& node : parse_nodes(package, parser, threads, findings)) add_node(std::move(node), manifest);
}

void check_names(const Manifest& manifest, Findings& findings) {
    std::unordered_map<std::string, const Node*> by_name, by_relation;
    by_name.reserve(manifest.nodes.size());
    by_relation.reserve(manifest.nodes.size());
    for (const auto& node : manifest.nodes) {
        if (!is_named(*node)) continue;
        const auto place = Place::in_file(node->place.original_path, 1);
        const std::string name = node->package + "." + node->name + (node->version ? ".v" + *node->version : "");
        const auto [same, is_new] = by_name.emplace(name, node.get());
        if (!is_new) {
            findings.errors.push_back(Error(ErrorKind::invalid_config, "dbt found two resources with the name \"" +
                                                                           node->name + "\": the other is in " +
                                                                           same->second->place.original_path +
                                                                           "; rename one of them")
                                          .at(place));
            continue;
        }
        if (node->config.text("materialized") == "ephemeral") continue;
        const std::string relation = to_lower(node->database.value_or("") + "." + node->schema + "." + node->alias);
        const auto [other, is_alone] = by_relation.emplace(relation, node.get());
        if (is_alone) continue;
        findings.errors.push_back(
            Error(ErrorKind::invalid_config, "dbt found two resources with the database representation \"" + relation +
                                                 "\": the other is " + other->second->unique_id + " (" +
                                                 other->second->place.original_path +
                                                 "); give one of them another alias or schema")
                .at(place));
    }
}

}  // namespace shaduf::models
