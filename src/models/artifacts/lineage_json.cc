#include "models/artifacts/lineage_json.h"

#include "base/run_context.h"
#include "base/time.h"
#include "models/artifacts/artifact_file.h"
#include "models/context/services.h"

namespace shaduf::models {
namespace {

// Of the shape of the file; counted up when it changes so that readers must.
constexpr int64_t kVersion = 1;

void write_reason(const std::string& reason, JsonWriter& out) {
    out.field("unknown", reason.empty() ? std::nullopt : std::optional(reason));
}

void write_names(std::string_view key, const std::vector<ColumnName>& names, JsonWriter& out) {
    out.key(key);
    out.begin_list();
    for (const ColumnName& name : names) {
        out.begin_object();
        write_column_name(name, out);
        out.end_object();
    }
    out.end_list();
}

}  // namespace

void write_column_name(const ColumnName& name, JsonWriter& out) {
    out.field("relation", name.relation);
    out.field("column", name.column);
}

void write_lineage(const NodeLineage& lineage, JsonWriter& out) {
    out.begin_object();
    out.key("columns");
    out.begin_object();
    for (const ColumnLineage& column : lineage.columns) {
        out.key(column.name);
        out.begin_object();
        out.key("sources");
        out.begin_list();
        for (const ColumnSource& source : column.sources) {
            out.begin_object();
            write_column_name(source.from, out);
            out.field("kind", to_string(source.kind));
            out.end_object();
        }
        out.end_list();
        write_reason(column.unknown, out);
        out.end_object();
    }
    out.end_object();
    write_names("conditions", lineage.conditions, out);
    write_names("absent", lineage.absent, out);
    write_reason(lineage.unknown, out);
    out.end_object();
}

Result<void> write_column_lineage(const ContextServices& services, const ProjectLineage& lineage) {
    return write_artifact(artifact_path(services, "column_lineage.json"), [&](JsonWriter& out) {
        out.begin_object();
        out.key("metadata");
        out.begin_object();
        out.integer_field("version", kVersion);
        out.field("generated_at", format_timestamp(services.run.clock.now()));
        out.field("invocation_id", services.invocation_id);
        out.field("project_name", services.root_package);
        out.end_object();
        out.key("nodes");
        out.begin_object();
        for (const auto& [id, node] : lineage) {
            out.key(id);
            write_lineage(node, out);
        }
        out.end_object();
        out.end_object();
    });
}

}  // namespace shaduf::models
