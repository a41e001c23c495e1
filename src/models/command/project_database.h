#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/adapter/session.h"
#include "models/command/catalog_tables.h"
#include "models/command/invocation.h"
#include "models/lineage/project_lineage.h"

namespace shaduf::models {

// The database of a command that only looks: asked where it can be reached, and never made by looking.
struct ProjectDatabase {
    std::unique_ptr<Session> session;  // never null: one that is not there says so
    std::optional<Catalog> catalog;    // nullopt: the database could not be asked
    std::string why_not;               // the reason; "" where it could be

    // Asks unless --no-introspect is given.
    static ProjectDatabase open(Invocation& invocation);
};

// Compiles all models and snapshots and traces them.
struct TracedProject {
    std::vector<CompiledQuery> queries;
    ProjectLineage lineage;
};
Result<TracedProject> trace_columns(Invocation& invocation, ProjectDatabase& database);

}  // namespace shaduf::models
