#include "models/parse/property_files.h"

#include <algorithm>
#include <array>
#include <optional>

#include "models/parse/parallel.h"
#include "models/parse/schema_scope.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/parse_yaml.h"
#include "models/yaml/render_tree.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

constexpr std::array<std::string_view, 20> kSections = {
    "version",   "models",    "seeds",   "snapshots",   "sources",         "macros",     "data_tests",
    "analyses",  "exposures", "metrics", "groups",      "semantic_models", "unit_tests", "saved_queries",
    "functions", "anchors",   "tests",   "metricsflow", "time_spines",     "catalogs"};

bool is_late(std::string_view key) {
    return key == "tests" || key == "data_tests" || key == "description" || key == "loaded_at_query";
}

// The keys of an entry, or of a table of a source.
bool is_rendered_later(std::span<const YamlNode> keys) {
    const auto key = [&](size_t at) { return keys[at].text(); };
    if (keys.empty()) return false;
    if (is_late(key(0))) return true;
    const bool is_list = key(0) == "columns" || key(0) == "dimensions" || key(0) == "measures" || key(0) == "entities";
    if (is_list) return keys.size() >= 2 && is_late(key(1)) && key(1) != "loaded_at_query";
    if (keys.size() >= 2 && key(0) == "config") {
        if (key(1) == "pre_hook" || key(1) == "post_hook" || key(1) == "loaded_at_query") return true;
        return keys.size() == 2 && is_late(key(1));
    }
    if (key(0) == "versions") return keys.size() == 3 && key(1) == "columns" && key(2) == "description";
    return keys.size() == 2 && is_late(key(1));
}

bool holds_filter(std::span<const YamlNode> keys) {
    const size_t count = keys.size();
    return count > 0 && (keys[count - 1].text() == "filter" || (count > 1 && keys[count - 2].text() == "filter"));
}

struct ReadFile {
    std::optional<PropertyFile> file;
    Findings findings;
};

Error wrong(const std::string& file, const YamlNode& at, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message)).at(Place::in_file(file, static_cast<int>(at.line())));
}

void check_sections(const PropertyFile& file, Findings& findings) {
    for (const YamlEntry& section : file.tree.root().entries()) {
        const std::string name(section.key.text());
        if (name == "version" || name == "anchors") continue;
        if (std::find(kSections.begin(), kSections.end(), name) == kSections.end()) {
            YamlFields fields(file.tree.root(), file.path, findings);
            fields.warn(section.key, "unknown key of properties: " + shown_value(section.key) + "; it is ignored");
            continue;
        }
        if (section.value.is_null()) continue;
        if (!section.value.is_list()) {
            findings.errors.push_back(wrong(file.path, section.key,
                                            name + " takes a list, not " +
                                                std::string(to_string(section.value.kind())) + ": " +
                                                shown_value(section.value)));
            continue;
        }
        for (const YamlNode& entry : section.value.items()) {
            if (!entry.is_map()) {
                findings.errors.push_back(wrong(file.path, entry,
                                                "an entry of " + name + " takes a map, not " +
                                                    std::string(to_string(entry.kind())) + ": " + shown_value(entry)));
            } else if (!entry["name"].is_text() && !entry["model"].is_text()) {
                findings.errors.push_back(wrong(file.path, entry, "an entry of " + name + " has no name"));
            }
        }
    }
}

// Errors of templates know their own lines; they become those of the text.
RenderText renderer(const SchemaScope& scope, const std::string& file) {
    return [&scope, &file](const YamlNode& text, std::span<const YamlNode>, YamlBuilder& out) -> Result<void> {
        auto rendered = scope.render(text.text(), file);
        if (!rendered.ok()) {
            const Error& error = rendered.error();
            return Error(error.kind(), error.message() + "; in: " + shown_value(text))
                .at(Place::in_file(file, static_cast<int>(text.line())));
        }
        add_value(rendered.value(), out);
        return {};
    };
}

ReadFile read_file(const PackageFiles& package, size_t index, const ContextServices& services) {
    ReadFile read;
    const SourceFile& source = package.files[index];
    const FileBody& body = package.bodies[index];
    std::string text(body.lines_before, '\n');
    text += body.contents;
    auto tree = parse_yaml(text, source.path);
    if (!tree.ok()) {
        read.findings.errors.push_back(tree.release_error());
        return read;
    }
    if (tree.value().root().is_null()) return read;
    if (!tree.value().root().is_map()) {
        read.findings.errors.push_back(
            wrong(source.path, tree.value().root(), "a file of properties takes a map: models:, sources:, ..."));
        return read;
    }
    warn_of_duplicates(tree.value(), source.path, read.findings);
    const SchemaScope scope(services, package.project->name);
    auto rendered = render_tree(tree.value(), renderer(scope, source.path), renders_in_properties);
    if (!rendered.ok()) {
        read.findings.errors.push_back(rendered.release_error());
        return read;
    }
    PropertyFile file;
    file.project = package.project;
    file.path = source.path;
    file.relative_path = std::string(source.relative_path());
    file.checksum = body.checksum;
    file.tree = rendered.release_value();
    if (tree.value().root()["sources"].is_list()) file.unrendered = tree.release_value();
    check_sections(file, read.findings);
    read.file = std::move(file);
    return read;
}

}  // namespace

bool renders_in_properties(std::span<const YamlNode> keys) {
    if (keys.empty()) return true;
    const std::string_view section = keys.front().text();
    const auto entry = keys.subspan(1);
    if (entry.empty()) return true;
    if (section == "sources") {
        const std::string_view first = entry[0].text();
        if (first == "description" || first == "loaded_at_query") return false;
        if (entry.size() >= 2 && first == "config" && entry[1].text() == "loaded_at_query") return false;
        return first != "tables" || !is_rendered_later(entry.subspan(1));
    }
    if (section == "macros" && entry[0].text() == "arguments") return !is_rendered_later(entry.subspan(1));
    if (section == "metrics" && holds_filter(entry)) return false;
    if (section == "saved_queries" && entry.size() > 1 && entry[0].text() == "query_params" &&
        entry[1].text() == "where") {
        return false;
    }
    return !is_rendered_later(entry);
}

std::vector<YamlNode> PropertyFile::entries(std::string_view section) const {
    std::vector<YamlNode> entries;
    for (const YamlNode& entry : tree.root()[section].items()) {
        if (entry.is_map() && (entry["name"].is_text() || entry["model"].is_text())) entries.push_back(entry);
    }
    return entries;
}

std::vector<PropertyFile> read_property_files(const PackageFiles& package, const ContextServices& services,
                                              size_t threads, Findings& findings) {
    std::vector<size_t> schemas;
    for (size_t i = 0; i < package.files.size(); ++i) {
        if (package.files[i].type == FileType::schema) schemas.push_back(i);
    }
    std::vector<ReadFile> read(schemas.size());
    in_parallel(schemas.size(), threads, [&](size_t i) { read[i] = read_file(package, schemas[i], services); });
    std::vector<PropertyFile> files;
    for (ReadFile& file : read) {
        findings.add(std::move(file.findings));
        if (file.file) files.push_back(std::move(*file.file));
    }
    return files;
}

}  // namespace shaduf::models
