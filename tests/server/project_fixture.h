#pragma once

#include "tests/server/serve_fixture.h"

namespace shaduf::server {

// A project with a warehouse in a file of its folder, that calls can read, try out and change.
class ProjectFixture : public ServeFixture {
protected:
    ProjectFixture() {
        serve->folder = folder.path().string();
        serve->read_folder = [this](const std::string& where, Project& project, FlowSet& found) {
            found = FlowSet();
            ProjectRequest request;
            request.folder = where;
            return load_project(request, outside(), project);
        };
        write("shaduf.yml",
              "name: acme\nenvironments:\n  dev: {warehouse: local, default: true}\n"
              "connections:\n  # the warehouse\n  local: {type: duckdb, path: " +
                  warehouse_path() + "}\n");
        reload();
    }
    std::string warehouse_path() const { return (folder.path() / "acme.duckdb").string(); }
    // Makes tables in the warehouse.
    void in_warehouse(const std::string& sql) {
        auto database = databases.open(warehouse_path(), {}).release_value();
        const auto result = database->connect(world.cancellation).release_value()->execute(sql);
        ASSERT_TRUE(result.ok()) << result.error().to_string();
    }
    int64_t count(const std::string& sql) {
        auto database = databases.open(warehouse_path(), {}).release_value();
        const auto rows = database->connect(world.cancellation).release_value()->query(sql);
        return rows.value().front().column(0).int64_at(0);
    }
    ProjectWorld outside() {
        ProjectWorld world_outside;
        world_outside.variable = [this](const std::string& name) -> std::optional<std::string> {
            const auto value = variables.find(name);
            return value == variables.end() ? std::nullopt : std::optional(value->second);
        };
        world_outside.connector_types = connectors.names();
        world_outside.connector = [this](std::string_view type) -> std::optional<ConnectorFields> {
            const ConnectorSpec* spec = connectors.find(type);
            if (spec == nullptr) return std::nullopt;
            return ConnectorFields{spec->fields,          spec->stream_fields,          spec->table_fields,
                                   spec->stream_defaults, spec->make_source != nullptr, spec->make_sink != nullptr};
        };
        return world_outside;
    }
};

inline std::string message_of(const nlohmann::json& answer) {
    return answer.contains("error") ? answer["error"].value("message", "") : answer.dump();
}

}  // namespace shaduf::server
