#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/parse/doc_blocks.h"
#include "models/parse/generic_tests.h"
#include "models/parse/node_parser.h"
#include "models/parse/property_files.h"

namespace shaduf::models {

// Makes the tables of sources, with what overrides say of them from another package's file.
class SourceReader {
public:
    SourceReader(const NodeParser& parser, const Descriptions& descriptions, GenericTests& tests)
        : parser_(parser), descriptions_(descriptions), tests_(tests) {}
    // Entries with `overrides:`. Errors: two of one source.
    void add_overrides(const PropertyFile& file, Findings& findings);
    // The other entries, into the manifest; their tests are kept for later. After all overrides were added.
    void add_sources(const PropertyFile& file, Manifest& manifest, Findings& findings);
    void warn_of_unused(Findings& findings) const;

private:
    struct Override {
        const PropertyFile* file;
        YamlNode entry;
        bool is_used = false;
        std::vector<std::string> used_tables;
    };
    // A source or a table, with what overrides it key by key.
    struct Table {
        const PropertyFile& file;
        YamlNode source;
        YamlNode table;
        const PropertyFile* patch = nullptr;
        YamlTree merged;
    };
    Table table_of(const PropertyFile& file, const YamlNode& source, const YamlNode& table);
    Result<std::unique_ptr<SourceTable>> make(const Table& table, Findings& findings) const;
    Result<void> configure(const Table& table, SourceTable& made) const;
    void add_tests(const Table& table, const SourceTable& made, Findings& findings);

    const NodeParser& parser_;
    const Descriptions& descriptions_;
    GenericTests& tests_;
    std::map<std::pair<std::string, std::string>, Override> overrides_;  // package and name of the source
};

}  // namespace shaduf::models
