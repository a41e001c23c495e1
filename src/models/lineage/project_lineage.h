#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "models/lineage/lineage.h"
#include "models/manifest.h"

namespace shaduf {
struct RunContext;
}

namespace shaduf::models {

// The text of a model or snapshot as it runs.
struct CompiledQuery {
    const Node* node = nullptr;
    std::string sql;
    std::string not_compiled;  // why there is none; "": there is
};

struct LineageWorld {
    const Manifest& manifest;
    std::string adapter_type;    // "postgres": names of columns as it gives them
    std::string default_schema;  // of tables that a query names without one
    // All columns of tables that the database was asked for, by unique id: of sources, and of what cannot be traced.
    std::map<std::string, std::vector<std::string>, std::less<>> known_columns = {};
};

// Traces queries in the order of the graph, so that a star over a model has that model's columns: no database is
// needed but for the columns of sources. Seeds have those of their files; sources without known ones have those that
// are declared, and may have more.
Result<ProjectLineage> trace_project(RunContext& run, const LineageWorld& world,
                                     const std::vector<CompiledQuery>& queries);

}  // namespace shaduf::models
