#include "models/parse/yaml_snapshots.h"

#include "models/parse/node_files.h"
#include "models/parse/static_reference.h"
#include "models/project/yaml_fields.h"

namespace shaduf::models {

void add_snapshot_names(const PropertyFile& file, NodeFileNames& names) {
    for (const YamlNode& entry : file.entries("snapshots")) {
        if (entry["relation"].is_null()) continue;
        names.add(ResourceType::snapshot, file.project->name, std::string(entry["name"].text()));
    }
}

void add_yaml_snapshots(const PropertyFile& file, const NodeParser& parser, Manifest& manifest, Findings& findings) {
    for (const YamlNode& entry : file.entries("snapshots")) {
        const YamlNode& relation = entry["relation"];
        if (relation.is_null()) continue;
        if (!relation.is_text() || !read_reference(relation.text())) {
            findings.errors.push_back(
                Error(ErrorKind::invalid_config,
                      "the relation of snapshot " + std::string(entry["name"].text()) +
                          " is neither ref('...') nor source('...', '...'): " + shown_value(relation))
                    .at(Place::in_file(file.path, static_cast<int>(relation.line()))));
            continue;
        }
        NodeParser::Subject subject;
        subject.type = ResourceType::snapshot;
        subject.project = file.project;
        subject.name = std::string(entry["name"].text());
        subject.place = {file.relative_path + "/" + subject.name + ".sql", file.path, entry.line()};
        subject.fqn = {file.project->name};
        for (std::string& folder : folders_of(file.relative_path)) subject.fqn.push_back(std::move(folder));
        subject.fqn.push_back(subject.name);
        subject.raw_code = "select * from {{ " + std::string(relation.text()) + " }}";
        subject.checksum = {"sha256", file.checksum};
        auto node = parser.parse(std::move(subject));
        if (node.ok())
            add_node(node.release_value(), manifest);
        else
            findings.errors.push_back(node.release_error());
    }
}

}  // namespace shaduf::models
