#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "models/lineage/project_lineage.h"
#include "models/lineage/query_tracer.h"

namespace shaduf::models {

// The tables of a project by the names that queries write, with the columns that are known so far. One thread.
class KnownTables final : public TableLookup {
public:
    explicit KnownTables(const LineageWorld& world);

    // A table of no project has its name as it is written, and unknown columns.
    TracedRelationPtr find(std::string_view catalog, std::string_view schema, std::string_view name) const override;
    // From here on, `unique_id` has these columns.
    void set(const std::string& unique_id, const NodeLineage& lineage);
    // What is known of seeds and sources without a query.
    const ProjectLineage& given() const { return given_; }

private:
    void name(const std::optional<std::string>& database, const std::string& schema, const std::string& identifier,
              const std::string& unique_id);
    void add_source_table(const SourceTable& source);

    const LineageWorld& world_;
    std::unordered_map<std::string, std::string> ids_;  // by "database.schema.name" and "schema.name", lower case
    std::unordered_map<std::string, TracedRelationPtr> relations_;  // by unique id
    ProjectLineage given_;
};

// The columns of a seed's file, by its first line.
NodeLineage seed_lineage(const Node& seed);
// Adds what a snapshot keeps beside the columns of its query.
void add_snapshot_columns(const Node& snapshot, NodeLineage& lineage);

}  // namespace shaduf::models
