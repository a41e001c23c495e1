#include "models/command/catalog_tables.h"

#include <set>

#include "base/text.h"
#include "models/adapter/table.h"
#include "models/command/macro_call.h"

namespace shaduf::models {

using jinja::NamedValue;
using jinja::Ref;
using jinja::Value;

std::string text_of(const CatalogRow& row, std::string_view name) {
    const auto found = row.find(name);
    return found == row.end() || found->second.is_none() ? std::string() : found->second.text();
}

bool CatalogTable::is_view() const { return equals_ignoring_case(text_of(first, "table_type"), "VIEW"); }

bool has_relation(const Node& node) {
    const bool has_table =
        node.type == ResourceType::model || node.type == ResourceType::seed || node.type == ResourceType::snapshot;
    return has_table && node.config.text("materialized") != "ephemeral";
}

Catalog::Key Catalog::key_of(const std::optional<std::string>& database, const std::string& schema,
                             const std::string& name) {
    return {to_lower(database.value_or("")), to_lower(schema), to_lower(name)};
}

const CatalogTable* Catalog::find(const std::optional<std::string>& database, const std::string& schema,
                                  const std::string& name) const {
    const auto found = tables_.find(key_of(database, schema, name));
    return found == tables_.end() ? nullptr : &found->second;
}

void Catalog::add(const Table& table) {
    for (const Table::Row& cells : table.rows()) {
        CatalogRow row;
        for (size_t i = 0; i < cells.size(); ++i) row.emplace(to_lower(table.names()[i]), cells[i]);
        CatalogTable& known =
            tables_[key_of(text_of(row, "table_database"), text_of(row, "table_schema"), text_of(row, "table_name"))];
        if (known.columns.empty()) known.first = row;
        known.columns.push_back(std::move(row));
    }
}

// All the schemas that the project uses in a database at once.
Result<Catalog> Catalog::read(const ContextServices& services, Session& session) {
    Catalog catalog;
    std::map<std::string, std::set<std::string>> schemas;
    for (const auto& node : services.manifest.nodes) {
        if (has_relation(*node)) schemas[node->database.value_or("")].insert(node->schema);
    }
    for (const auto& source : services.manifest.sources) {
        schemas[source->database.value_or("")].insert(source->schema);
    }
    for (const auto& [database, names] : schemas) {
        MacroCaller caller(services, session, "get_catalog");
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
        catalog.add(*table);
    }
    return catalog;
}

}  // namespace shaduf::models
