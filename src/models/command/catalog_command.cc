#include "models/command/catalog_command.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/text.h"
#include "models/adapter/table.h"
#include "models/artifacts/artifact_file.h"
#include "models/command/macro_call.h"

namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::NamedValue;
using jinja::Ref;
using jinja::Value;

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kMetadata = {{{"type", "table_type"},
                                                                                     {"schema", "table_schema"},
                                                                                     {"name", "table_name"},
                                                                                     {"database", "table_database"},
                                                                                     {"comment", "table_comment"},
                                                                                     {"owner", "table_owner"}}};

using Row = std::map<std::string, Value, std::less<>>;
struct CatalogTable {
    Row first;
    std::vector<Row> columns;
};
using TableKey = std::array<std::string, 3>;  // database, schema, name; lower case
using Catalog = std::map<TableKey, CatalogTable>;

bool is_relational(const Node& node) {
    const bool has_table =
        node.type == ResourceType::model || node.type == ResourceType::seed || node.type == ResourceType::snapshot;
    return has_table && node.config.text("materialized") != "ephemeral";
}

TableKey key_of(const std::optional<std::string>& database, const std::string& schema, const std::string& name) {
    return {to_lower(database.value_or("")), to_lower(schema), to_lower(name)};
}

std::string text_of(const Row& row, std::string_view name) {
    const auto found = row.find(name);
    return found == row.end() || found->second.is_none() ? std::string() : found->second.text();
}

Value value_of(const Row& row, std::string_view name) {
    const auto found = row.find(name);
    return found == row.end() ? Value::none() : found->second;
}

void add_rows(const Table& table, Catalog& catalog) {
    for (const Table::Row& cells : table.rows()) {
        Row row;
        for (size_t i = 0; i < cells.size(); ++i) row.emplace(to_lower(table.names()[i]), cells[i]);
        const TableKey key =
            key_of(text_of(row, "table_database"), text_of(row, "table_schema"), text_of(row, "table_name"));
        CatalogTable& known = catalog[key];
        if (known.columns.empty()) known.first = row;
        known.columns.push_back(std::move(row));
    }
}

// One call a database, with all the schemas that the project uses in it.
Result<void> ask(const ContextServices& services, Session& session, Catalog& catalog) {
    std::map<std::string, std::set<std::string>> schemas;
    for (const auto& node : services.manifest.nodes) {
        if (is_relational(*node)) schemas[node->database.value_or("")].insert(node->schema);
    }
    for (const auto& source : services.manifest.sources) {
        schemas[source->database.value_or("")].insert(source->schema);
    }
    for (const auto& [database, names] : schemas) {
        MacroCaller caller(services, session, "docs generate");
        Relation::Parts parts;
        parts.path = {database, std::nullopt, std::nullopt};
        parts.quoted = services.quoting;
        parts.included = services.adapter.relation_style().included;
        const Value relation(Ref<jinja::Object>(new Relation(services.adapter.relation_style(), std::move(parts))));
        const Value method = TRY(caller.vm().attribute(relation, "information_schema"));
        const std::vector<NamedValue> named = {
            {"information_schema", TRY(caller.vm().call(method, {}))},
            {"schemas", Value::list(std::vector<Value>(names.begin(), names.end()))}};
        const Value given = TRY(caller.call("get_catalog", named));
        const Table* table = given.object_as<Table>();
        if (table == nullptr) {
            return Error(ErrorKind::invalid_config,
                         "the macro get_catalog must give a table, but gave " + std::string(given.type_name()));
        }
        add_rows(*table, catalog);
    }
    return {};
}

// stats:<id>:label, :value, :description, :include
void write_stats(const Row& row, JsonWriter& out) {
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
    for (const Row& row : table.columns) {
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
        TRY(ask(services, *session, catalog));
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
            if (!is_relational(*node)) continue;
            const auto found = catalog.find(key_of(node->database, node->schema, node->alias));
            if (found != catalog.end()) write_table(found->second, node->unique_id, out);
        }
        out.end_object();
        out.key("sources");
        out.begin_object();
        for (const auto& source : services.manifest.sources) {
            const auto found = catalog.find(key_of(source->database, source->schema, source->identifier));
            if (found != catalog.end()) write_table(found->second, source->unique_id, out);
        }
        out.end_object();
        out.none_field("errors");
        out.end_object();
    }));
    console.line("Catalog written to " + path);
    return {};
}

}  // namespace shaduf::models
