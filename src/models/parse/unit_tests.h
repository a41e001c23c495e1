#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "models/parse/node_parser.h"
#include "models/parse/property_files.h"

namespace shaduf::models {

// Makes the unit tests of properties, one for each version of their model. The packages outlive it.
class UnitTestReader {
public:
    UnitTestReader(const NodeParser& parser, std::span<const PackageFiles> packages);
    // REQUIRES: the manifest was indexed. Errors: no such model or fixture, rows that are not of their format, an
    // incremental model without a word on is_incremental.
    void add(const PropertyFile& file, Manifest& manifest, Findings& findings) const;

private:
    Result<void> add_one(const PropertyFile& file, const YamlNode& entry, Manifest& manifest) const;
    Result<UnitTestRows> read_rows(const PropertyFile& file, const YamlNode& given, const std::string& test,
                                   const Manifest& manifest) const;
    Result<jinja::Value> seed_rows(const std::string& input, const PropertyFile& file, const YamlNode& at,
                                   const Manifest& manifest) const;
    Result<NodeConfig> configure(const PropertyFile& file, const YamlNode& entry,
                                 const std::vector<std::string>& fqn) const;

    struct Fixture {
        std::string_view contents;
        bool is_sql = false;
    };
    const NodeParser& parser_;
    std::map<std::string, Fixture> fixtures_;   // "package.name"
    std::map<std::string, std::string> roots_;  // folders of packages
};

}  // namespace shaduf::models
