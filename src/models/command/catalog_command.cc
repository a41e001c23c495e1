#include "models/command/catalog_command.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "models/artifacts/artifact_file.h"
#include "models/command/catalog_tables.h"

namespace shaduf::models {
namespace {

using jinja::Value;

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kMetadata = {{{"type", "table_type"},
                                                                                     {"schema", "table_schema"},
                                                                                     {"name", "table_name"},
                                                                                     {"database", "table_database"},
                                                                                     {"comment", "table_comment"},
                                                                                     {"owner", "table_owner"}}};

Value value_of(const CatalogRow& row, std::string_view name) {
    const auto found = row.find(name);
    return found == row.end() ? Value::none() : found->second;
}

// stats:<id>:label, :value, :description, :include
void write_stats(const CatalogRow& row, JsonWriter& out) {
    out.key("stats");
    out.begin_object();
    bool any = false;
    for (const auto& [name, label] : row) {
        if (!name.starts_with("stats:") || !name.ends_with(":label")) continue;
        const std::string id = name.substr(6, name.size() - 12);
        const auto part = [&](std::string_view what) { return value_of(row, "stats:" + id + ":" + std::string(what)); };
        if (!part("include").truth()) continue;
        any = true;
        out.key(id);
        out.begin_object();
        out.field("id", id);
        out.field("label", label);
        out.field("value", part("value"));
        out.flag_field("include", true);
        out.field("description", part("description"));
        out.end_object();
    }
    out.key("has_stats");
    out.begin_object();
    out.field("id", "has_stats");
    out.field("label", "Has Stats?");
    out.flag_field("value", any);
    out.flag_field("include", false);
    out.field("description", "Indicates whether there are statistics for this table");
    out.end_object();
    out.end_object();
}

void write_table(const CatalogTable& table, const std::string& unique_id, JsonWriter& out) {
    out.key(unique_id);
    out.begin_object();
    out.key("metadata");
    out.begin_object();
    for (const auto& [key, column] : kMetadata) out.field(key, value_of(table.first, column));
    out.end_object();
    out.key("columns");
    out.begin_object();
    for (const CatalogRow& row : table.columns) {
        out.key(text_of(row, "column_name"));
        out.begin_object();
        out.field("type", text_of(row, "column_type"));
        const Value index = value_of(row, "column_index");
        out.integer_field("index",
                          index.is_number() ? static_cast<int64_t>(index.number()) : std::atoll(index.text().c_str()));
        out.field("name", text_of(row, "column_name"));
        out.field("comment", value_of(row, "column_comment"));
        out.end_object();
    }
    out.end_object();
    write_stats(table.first, out);
    out.field("unique_id", unique_id);
    out.end_object();
}

}  // namespace

Result<void> write_catalog(Invocation& invocation, Console& console) {
    const ContextServices& services = invocation.services();
    Catalog catalog;
    console.line("Building catalog");
    if (!invocation.arguments().is_on("empty-catalog")) {
        const auto session = TRY(invocation.adapter().connect(invocation.run(), "generate_catalog"));
        catalog = TRY(Catalog::read(services, *session));
    }
    const std::string path = artifact_path(services, "catalog.json");
    TRY(write_artifact(path, [&](JsonWriter& out) {
        out.begin_object();
        out.key("metadata");
        out.begin_object();
        write_head(artifact_head(services), "catalog/v1", out);
        out.end_object();
        out.key("nodes");
        out.begin_object();
        for (const auto& node : services.manifest.nodes) {
            const CatalogTable* found = has_relation(*node) ? catalog.find(*node) : nullptr;
            if (found != nullptr) write_table(*found, node->unique_id, out);
        }
        out.end_object();
        out.key("sources");
        out.begin_object();
        for (const auto& source : services.manifest.sources) {
            const CatalogTable* found = catalog.find(*source);
            if (found != nullptr) write_table(*found, source->unique_id, out);
        }
        out.end_object();
        out.none_field("errors");
        out.end_object();
    }));
    console.line("Catalog written to " + path);
    return {};
}

}  // namespace shaduf::models
