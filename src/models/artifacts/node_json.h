#pragma once

#include <string>
#include <unordered_map>

#include "models/artifacts/json_writer.h"
#include "models/manifest.h"
#include "models/run/node_result.h"

namespace shaduf::models {

struct ContextServices;

// Writes resources as manifest.json has them, straight from what parsing left: keys and order are those of dbt's
// manifest v12. For one thread; outlived by the services.
class ResourceWriter {
public:
    ResourceWriter(const ContextServices& services, JsonWriter& out) : services_(services), out_(out) {}

    // `result`: what its run left, or nullptr.
    void write(const Node& node, const NodeResult* result);
    void write(const SourceTable& source);
    void write(const Declaration& declaration);
    void write(const UnitTest& test);
    void write(const Macro& macro);
    void write(const DocBlock& doc);
    void write(const Group& group);

private:
    void write_place(std::string_view type, std::string_view package, const FilePlace& place,
                     const std::string& unique_id);
    void write_config(const NodeConfig& config);
    void write_columns(const std::vector<ColumnProperties>& columns, const Node* compiled = nullptr);
    // Of a model that is compiled, foreign keys name relations, no longer models.
    void write_constraints(const jinja::Value& constraints, const Node* compiled);
    void write_refs(const std::vector<ModelRef>& refs);
    void write_sources(const std::vector<SourceRef>& sources);
    void write_lists(std::string_view key, const std::vector<std::vector<std::string>>& lists);
    void write_depends_on(const std::vector<std::string>& macros, const std::vector<std::string>* nodes);
    void write_settings(const std::vector<std::pair<std::string, jinja::Value>>& settings);
    void write_code(const Node& node, const NodeResult* result);
    void write_compiled(const NodeResult& result);
    void write_contract(const Node& node);
    void write_test(const TestMetadata& test);
    void write_rows(const UnitTestRows& rows);
    void write_key(const Declaration& declaration, std::string_view key);
    std::string folder_path(std::string_view folder, const Node& node) const;

    const ContextServices& services_;
    JsonWriter& out_;
    // Nodes with the same settings share them, so that most configs are written once.
    std::unordered_map<const jinja::Dict*, std::string> configs_;
};

// A version as it was given: a number, if it looks like one.
void write_version(std::string_view key, const std::optional<std::string>& version, JsonWriter& out);

}  // namespace shaduf::models
