#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/parse/node_parser.h"
#include "models/parse/property_files.h"

namespace shaduf::models {

// What a generic test is of: a model, seed or snapshot (one version of it), or a table of a source.
struct TestTarget {
    const PropertyFile* file = nullptr;
    std::string section;  // "models"
    std::string name;     // of a source: "source_table"
    std::string listed;   // the entry's name; of a source: the source's
    std::optional<std::string> version;
    std::optional<SourceRef> source;  // of a table of a source
    bool quotes_columns = false;      // quote_columns of the entry
};

// The lists under tests: and data_tests: of one thing. Errors: both are there.
std::vector<YamlNode> tests_of(const YamlNode& entry, const PropertyFile& file, Findings& findings);

// Collects the generic tests of all files, then makes nodes of them by several threads.
class GenericTests {
public:
    explicit GenericTests(const NodeParser& parser) : parser_(parser) {}
    // Tests of columns, then those of the whole. `tags` are those of a source's tables.
    void add(const TestTarget& target, const std::vector<YamlNode>& tests, const std::vector<YamlNode>& columns,
             const std::vector<std::string>& tags, Findings& findings);
    // A tree that tests stand in and nobody else holds.
    void keep(const YamlTree& tree) { kept_.push_back(tree); }
    // REQUIRES: the manifest was indexed
    void make_nodes(size_t threads, Manifest& manifest, Findings& findings);

private:
    struct Pending {
        TestTarget target;
        YamlNode test;
        std::optional<std::string> column;
        std::vector<std::string> tags;
    };
    Result<std::unique_ptr<Node>> make_node(const Pending& pending, const Manifest& manifest) const;

    const NodeParser& parser_;
    std::vector<Pending> pending_;
    std::vector<YamlTree> kept_;
};

// Which columns make a model's rows distinct, as far as constraints and tests say: primary_key of all models.
void infer_primary_keys(Manifest& manifest);

}  // namespace shaduf::models
