#include "models/command/project_database.h"

#include <filesystem>

#include "models/run/query_compiler.h"

namespace shaduf::models {
namespace {

// The file of an embedded database that was not made yet: to connect would make it.
std::optional<std::string> missing_file(const Target& target) {
    const jinja::Value* path = target.type == "duckdb" ? target.output->find("path") : nullptr;
    if (path == nullptr || !path->is_string()) return std::nullopt;
    const std::string given = path->text();
    if (given.starts_with(":memory:") || given.find("://") != std::string::npos) return std::nullopt;
    const auto file = std::filesystem::path(target.project_root) / given;
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored)) return std::nullopt;
    return "there is no database yet: " + given;
}

LineageWorld world_of(const Invocation& invocation, const ProjectDatabase& database) {
    const Manifest& manifest = invocation.services().manifest;
    LineageWorld world = {manifest, invocation.target().type, invocation.target().schema, {}};
    if (!database.catalog) return world;
    const auto add = [&](const std::string& id, const CatalogTable* table) {
        if (table == nullptr) return;
        auto& names = world.known_columns[id];
        for (const CatalogRow& column : table->columns) names.push_back(text_of(column, "column_name"));
    };
    for (const auto& node : manifest.nodes) {
        if (has_relation(*node)) add(node->unique_id, database.catalog->find(*node));
    }
    for (const auto& source : manifest.sources) add(source->unique_id, database.catalog->find(*source));
    return world;
}

}  // namespace

ProjectDatabase ProjectDatabase::open(Invocation& invocation) {
    const ContextServices& services = invocation.services();
    ProjectDatabase database;
    if (!invocation.arguments().is_on("introspect", true)) {
        database.why_not = "--no-introspect was given";
    } else if (const auto missing = missing_file(invocation.target())) {
        database.why_not = *missing;
    } else if (auto session = invocation.adapter().connect(invocation.run(), "looking"); !session.ok()) {
        database.why_not = session.error().message();
    } else {
        database.session = session.release_value();
        auto catalog = Catalog::read(services, *database.session);
        if (auto rolled_back = database.session->rollback(); !rolled_back.ok() && catalog.ok()) {
            catalog = rolled_back.release_error();
        }
        if (catalog.ok())
            database.catalog = catalog.release_value();
        else
            database.why_not = catalog.error().message();
    }
    if (database.session == nullptr) database.session = make_absent_session(services, database.why_not);
    return database;
}

Result<TracedProject> trace_columns(Invocation& invocation, ProjectDatabase& database) {
    const ContextServices& services = invocation.services();
    std::vector<const Node*> nodes;
    for (const auto& node : services.manifest.nodes) nodes.push_back(node.get());
    TracedProject traced;
    traced.queries = compile_queries(services, *database.session, nodes);
    traced.lineage = TRY(trace_project(invocation.run(), world_of(invocation, database), traced.queries));
    return traced;
}

}  // namespace shaduf::models
