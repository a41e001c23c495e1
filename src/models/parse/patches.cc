#include "models/parse/patches.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/text.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/yaml_builder.h"

namespace shaduf::models {
namespace {

struct Section {
    std::string_view key;
    ResourceType type;
};
constexpr std::array<Section, 6> kSections = {{{"models", ResourceType::model},
                                               {"seeds", ResourceType::seed},
                                               {"snapshots", ResourceType::snapshot},
                                               {"analyses", ResourceType::analysis},
                                               {"data_tests", ResourceType::test},
                                               {"functions", ResourceType::function}}};

// Configs that may stand beside `config:`.
constexpr std::array<std::string_view, 5> kBeside = {"meta", "docs", "group", "contract", "access"};

Error wrong(const PropertyFile& file, const YamlNode& at, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message))
        .at(Place::in_file(file.path, static_cast<int>(at.line())));
}

// Keys of maps one by one, lists joined with the new ones first, all else replaced.
void add_merged(const YamlNode& under, const YamlNode& over, YamlBuilder& builder) {
    builder.begin_map();
    for (const YamlEntry& entry : under.entries()) {
        builder.add(entry.key);
        const YamlNode* more = entry.key.is_text() ? over.find(entry.key.text()) : nullptr;
        if (more == nullptr) {
            builder.add(entry.value);
        } else if (more->is_map() && entry.value.is_map()) {
            add_merged(entry.value, *more, builder);
        } else if (more->is_list() && entry.value.is_list()) {
            builder.begin_list();
            for (const YamlNode& item : more->items()) builder.add(item);
            for (const YamlNode& item : entry.value.items()) builder.add(item);
            builder.end_list();
        } else {
            builder.add(*more);
        }
    }
    for (const YamlEntry& entry : over.entries()) {
        if (entry.key.is_text() && under.find(entry.key.text()) != nullptr) continue;
        builder.add(entry.key);
        builder.add(entry.value);
    }
    builder.end_map();
}

std::optional<ConfigSource> config_of(const PropertyFile& file, const YamlNode& entry, const YamlNode& version,
                                      Findings& findings) {
    const YamlNode& own = entry["config"];
    if (!own.is_null() && !own.is_map()) {
        findings.errors.push_back(wrong(
            file, own, "config takes a map, not " + std::string(to_string(own.kind())) + ": " + shown_value(own)));
        return std::nullopt;
    }
    YamlBuilder beside;
    beside.keep(file.tree);
    beside.begin_map();
    for (const YamlEntry& setting : own.entries()) {
        beside.add(setting.key);
        beside.add(setting.value);
    }
    bool any = !own.entries().empty();
    for (const std::string_view key : kBeside) {
        const YamlNode* value = entry.find(key);
        if (value == nullptr) continue;
        if (own.find(key) != nullptr) {
            findings.errors.push_back(wrong(file, *entry.find_key(key),
                                            std::string(key) + " is given twice: in config and beside "
                                                               "it; keep the one in config"));
        }
        beside.add(*entry.find_key(key));
        beside.add(*value);
        any = true;
    }
    beside.end_map();
    YamlTree tree = beside.finish();
    if (!version.is_null() && !version["config"].entries().empty()) {
        YamlBuilder merged;
        merged.keep(tree);
        add_merged(tree.root(), version["config"], merged);
        return ConfigSource{merged.finish(), file.path};
    }
    if (!any) return std::nullopt;
    return ConfigSource{std::move(tree), file.path};
}

std::string id_of(ResourceType type, std::string_view package, std::string_view name) {
    std::string id(to_string(type));
    id.append(".").append(package).append(".").append(name);
    return id;
}

// The names of snapshots that a file has blocks of.
std::vector<std::string> snapshot_names(std::string_view text) {
    std::vector<std::string> names;
    for (size_t at = text.find("{%"); at != std::string_view::npos; at = text.find("{%", at + 2)) {
        std::string_view rest = text.substr(at + 2);
        if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
        rest = rest.substr(std::min(rest.size(), rest.find_first_not_of(" \t\r\n")));
        if (!rest.starts_with("snapshot")) continue;
        rest.remove_prefix(8);
        const size_t begin = rest.find_first_not_of(" \t\r\n");
        if (begin == 0 || begin == std::string_view::npos) continue;
        const size_t end = rest.find_first_of(" \t\r\n-+%", begin);
        names.emplace_back(rest.substr(begin, end - begin));
    }
    return names;
}

// The later of two versions: by number where both are, else by text.
bool is_before(const std::string& a, const std::string& b) {
    char* end_a = nullptr;
    char* end_b = nullptr;
    const double number_a = std::strtod(a.c_str(), &end_a);
    const double number_b = std::strtod(b.c_str(), &end_b);
    const bool are_numbers = !a.empty() && !b.empty() && *end_a == '\0' && *end_b == '\0';
    return are_numbers ? number_a < number_b : a < b;
}

}  // namespace

std::string version_text(const YamlNode& version) {
    return version.is_text() ? std::string(version.text()) : to_python_json(version);
}

std::string versioned_name(const std::string& name, const std::string& version) { return name + ".v" + version; }

void NodeFileNames::add(ResourceType type, const std::string& package, const std::string& name) {
    packages_[{type, name}].push_back(package);
}

void NodeFileNames::add(const PackageFiles& package) {
    for (size_t i = 0; i < package.files.size(); ++i) {
        const SourceFile& file = package.files[i];
        const auto add_file = [&](ResourceType type) {
            add(type, package.project->name, std::string(name_of_file(file.path)));
        };
        switch (file.type) {
            case FileType::model: add_file(ResourceType::model); break;
            case FileType::seed: add_file(ResourceType::seed); break;
            case FileType::analysis: add_file(ResourceType::analysis); break;
            case FileType::singular_test: add_file(ResourceType::test); break;
            case FileType::function: add_file(ResourceType::function); break;
            case FileType::snapshot:
                for (const std::string& name : snapshot_names(package.bodies[i].contents)) {
                    add(ResourceType::snapshot, package.project->name, name);
                }
                break;
            default: break;
        }
    }
}

const std::string* NodeFileNames::package_of(ResourceType type, const std::string& package,
                                             const std::string& name) const {
    const auto found = packages_.find({type, name});
    if (found == packages_.end()) return nullptr;
    const auto own = std::find(found->second.begin(), found->second.end(), package);
    return own == found->second.end() ? &found->second.front() : &*own;
}

std::optional<ResourceType> NodeFileNames::other_type_of(ResourceType type, const std::string& name) const {
    for (const ResourceType other : {ResourceType::model, ResourceType::seed, ResourceType::snapshot}) {
        if (other != type && packages_.contains({other, name})) return other;
    }
    return std::nullopt;
}

void NodePatches::add(std::span<const PropertyFile> files, const NodeFileNames& names, Findings& findings) {
    for (const PropertyFile& file : files) {
        for (const Section& section : kSections) {
            for (const YamlNode& entry : file.tree.root()[section.key].items()) {
                if (entry.is_map() && entry["name"].is_text()) add_entry(section.type, file, entry, names, findings);
            }
        }
    }
}

void NodePatches::add_entry(ResourceType type, const PropertyFile& file, const YamlNode& entry,
                            const NodeFileNames& names, Findings& findings) {
    const std::string name(entry["name"].text());
    if (type == ResourceType::model && !entry["versions"].items().empty()) {
        add_versions(file, entry, names, findings);
        return;
    }
    const std::string* package = names.package_of(type, file.project->name, name);
    if (package == nullptr) {
        if (const auto other = names.other_type_of(type, name)) {
            findings.warnings.push_back(
                wrong(file, entry,
                      name + " is a " + std::string(to_string(*other)) + ", not a " + std::string(to_string(type)) +
                          ": its properties do not count; move them to " + std::string(to_string(*other)) + "s"));
            return;
        }
        package = &file.project->name;
    }
    NodePatch patch;
    patch.file = &file;
    patch.entry = entry;
    patch.config = config_of(file, entry, {}, findings);
    put(type, *package, name, std::move(patch), findings);
}

void NodePatches::add_versions(const PropertyFile& file, const YamlNode& entry, const NodeFileNames& names,
                               Findings& findings) {
    const std::string name(entry["name"].text());
    const std::string& package = file.project->name;
    std::vector<std::string> versions;
    for (const YamlNode& version : entry["versions"].items()) {
        if (!version.is_map() || version["v"].is_null()) {
            findings.errors.push_back(wrong(file, version, "a version of model " + name + " has no v"));
            return;
        }
        const std::string text = version_text(version["v"]);
        if (std::find(versions.begin(), versions.end(), text) != versions.end()) {
            findings.errors.push_back(
                wrong(file, version, "Found duplicate version: '" + text + "' in versions of model " + name));
            return;
        }
        versions.push_back(text);
    }
    std::string latest = *std::max_element(versions.begin(), versions.end(), is_before);
    if (const YamlNode& given = entry["latest_version"]; !given.is_null()) {
        latest = version_text(given);
        if (std::find(versions.begin(), versions.end(), latest) == versions.end()) {
            findings.errors.push_back(wrong(
                file, given,
                "latest_version " + latest + " is none of the versions of " + name + did_you_mean(latest, versions)));
            return;
        }
    }
    for (size_t i = 0; i < versions.size(); ++i) {
        const YamlNode& version = entry["versions"].items()[i];
        const YamlNode& defined_in = version["defined_in"];
        std::string stem = defined_in.is_text() ? std::string(defined_in.text()) : name + "_v" + versions[i];
        const auto is_own = [&](const std::string& wanted) {
            const std::string* owner = names.package_of(ResourceType::model, package, wanted);
            return owner != nullptr && *owner == package;
        };
        if (!is_own(stem) && versions[i] == latest && is_own(name)) stem = name;
        versions_[package + "." + stem] = {name, versions[i]};
        NodePatch patch;
        patch.file = &file;
        patch.entry = entry;
        patch.version = version;
        patch.latest_version = latest;
        patch.config = config_of(file, entry, version, findings);
        put(ResourceType::model, package, versioned_name(name, versions[i]), std::move(patch), findings);
    }
}

void NodePatches::put(ResourceType type, const std::string& package, const std::string& name, NodePatch patch,
                      Findings& findings) {
    const PropertyFile& file = *patch.file;
    const YamlNode at = patch.entry;
    const auto [known, is_new] = patches_.emplace(id_of(type, package, name), std::move(patch));
    if (is_new) return;
    const auto first = Place::in_file(known->second.file->path, static_cast<int>(known->second.entry.line()));
    findings.errors.push_back(wrong(file, at,
                                    "dbt found two schema.yml entries for the same resource named " + name +
                                        ": the other is at " + first.to_string() + "; keep one of them"));
}

const NodePatch* NodePatches::find(ResourceType type, std::string_view package, std::string_view name) const {
    const auto found = patches_.find(id_of(type, package, name));
    return found == patches_.end() ? nullptr : &found->second;
}

const NodePatch* NodePatches::find(const Node& node) const {
    if (node.test) return nullptr;
    return find(node.type, node.package, node.version ? versioned_name(node.name, *node.version) : node.name);
}

const ModelVersion* NodePatches::version_of(const std::string& package, const std::string& file_name) const {
    const auto found = versions_.find(package + "." + file_name);
    return found == versions_.end() ? nullptr : &found->second;
}

void NodePatches::warn_of_unused(Findings& findings) const {
    for (const auto& [id, patch] : patches_) {
        if (patch.is_used) continue;
        const std::string type = id.substr(0, id.find('.'));
        findings.warnings.push_back(wrong(*patch.file, patch.entry,
                                          "Did not find matching node for patch with name '" +
                                              id.substr(id.find('.', type.size() + 1) + 1) + "' in the " + type +
                                              "s of " + patch.file->path));
    }
}

}  // namespace shaduf::models
