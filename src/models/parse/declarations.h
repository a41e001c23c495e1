#pragma once

#include "models/parse/doc_blocks.h"
#include "models/parse/node_parser.h"
#include "models/parse/property_files.h"

namespace shaduf::models {

// Makes what is declared in YAML alone and only kept: exposures, metrics, semantic models, saved queries, groups.
class DeclarationReader {
public:
    DeclarationReader(const NodeParser& parser, const Descriptions& descriptions)
        : parser_(parser), descriptions_(descriptions) {}
    void add(const PropertyFile& file, Manifest& manifest, Findings& findings) const;
    // What metrics and saved queries stand on: semantic models by their measures, other metrics. After all files.
    static void resolve(Manifest& manifest, Findings& findings);

private:
    Result<std::unique_ptr<Declaration>> make(ResourceType type, const PropertyFile& file, const YamlNode& entry) const;
    Result<std::unique_ptr<Group>> make_group(const PropertyFile& file, const YamlNode& entry) const;
    Result<NodeConfig> configure(ResourceType type, const PropertyFile& file, const YamlNode& entry,
                                 const std::vector<std::string>& fqn) const;

    const NodeParser& parser_;
    const Descriptions& descriptions_;
};

}  // namespace shaduf::models
