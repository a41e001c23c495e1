#include "models/lineage/known_tables.h"

#include <array>
#include <fstream>

#include "base/text.h"
#include "models/parse/csv_rows.h"
#include "models/seed_table.h"

namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::Value;

std::string key_of(std::string_view schema, std::string_view name) { return to_lower(schema) + "." + to_lower(name); }

NodeLineage named_columns(const std::vector<std::string>& names) {
    NodeLineage lineage;
    for (const std::string& name : names) lineage.columns.push_back({name, {}, ""});
    return lineage;
}

// The name of a column that snapshots add, which projects may change.
std::string meta_name(const Value& names, std::string_view name) {
    const Value* own = names.kind() == Kind::dict ? names.dict().find(name) : nullptr;
    return own == nullptr || !own->is_string() ? std::string(name) : own->text();
}

std::vector<std::string> texts_of(const Value& value) {
    std::vector<std::string> texts;
    if (value.is_string()) texts.push_back(value.text());
    if (value.kind() != Kind::list) return texts;
    for (const Value& item : value.items()) texts.push_back(item.text());
    return texts;
}

}  // namespace

NodeLineage seed_lineage(const Node& seed) {
    const std::string path = seed.root_path + "/" + seed.place.original_path;
    const std::string delimiter = seed.config.text("delimiter");
    NodeLineage lineage;
    if (delimiter.empty() || delimiter == ",") {
        std::ifstream file(path, std::ios::binary);
        std::string header;
        if (std::getline(file, header)) {
            if (header.starts_with("\xEF\xBB\xBF")) header.erase(0, 3);
            const Value rows = read_csv_rows(header + "\n" + header + "\n", Value::none());
            if (rows.items().size() == 1 && rows.items()[0].kind() == Kind::dict) {
                for (const auto& [name, value] : rows.items()[0].dict().entries())
                    lineage.columns.push_back({name.text(), {}, ""});
            }
        }
    } else {
        const auto table = read_seed(path, seed.place.original_path, {.delimiter = delimiter[0], .text_columns = {}});
        if (table.ok()) lineage = named_columns(table.value()->names());
    }
    if (lineage.columns.empty()) lineage.unknown = "the header of " + seed.place.original_path + " cannot be read";
    return lineage;
}

// By the strategy: the key and the column of times make the versions, or the columns that are compared.
void add_snapshot_columns(const Node& snapshot, NodeLineage& lineage) {
    const Value names = snapshot.config.get("snapshot_meta_column_names");
    const auto sources_of = [&](const std::vector<std::string>& columns, LineageKind kind) {
        ColumnLineage sum;
        for (const std::string& name : columns) {
            if (const ColumnLineage* own = lineage.find(name)) {
                for (const ColumnSource& source : own->sources)
                    add_source(sum.sources, source.from, std::max(source.kind, kind));
            }
        }
        return sum.sources;
    };
    const std::vector<std::string> times = texts_of(snapshot.config.get("updated_at"));
    std::vector<std::string> identity = texts_of(snapshot.config.get("unique_key"));
    identity.insert(identity.end(), times.begin(), times.end());
    std::vector<ColumnLineage> added;
    added.push_back({meta_name(names, "dbt_scd_id"), sources_of(identity, LineageKind::transformed), ""});
    for (const std::string_view name : {"dbt_updated_at", "dbt_valid_from", "dbt_valid_to"}) {
        const LineageKind kind = name == "dbt_valid_to" ? LineageKind::transformed : LineageKind::copied;
        added.push_back({meta_name(names, name), sources_of(times, kind), ""});
    }
    if (snapshot.config.text("hard_deletes") == "new_record")
        added.push_back({meta_name(names, "dbt_is_deleted"), {}, ""});
    std::move(added.begin(), added.end(), std::back_inserter(lineage.columns));
}

KnownTables::KnownTables(const LineageWorld& world) : world_(world) {
    for (const auto& node : world.manifest.nodes) {
        const bool is_table = node->type == ResourceType::model || node->type == ResourceType::seed ||
                              node->type == ResourceType::snapshot;
        if (!is_table) continue;
        name(node->database, node->schema, node->alias, node->unique_id);
        if (node->type != ResourceType::seed) continue;
        NodeLineage lineage = seed_lineage(*node);
        set(node->unique_id, lineage);
        given_.emplace(node->unique_id, std::move(lineage));
    }
    for (const auto& source : world.manifest.sources) add_source_table(*source);
}

void KnownTables::add_source_table(const SourceTable& source) {
    name(source.database, source.schema, source.identifier, source.unique_id);
    NodeLineage lineage;
    const auto known = world_.known_columns.find(source.unique_id);
    if (known != world_.known_columns.end()) {
        lineage = named_columns(known->second);
    } else {
        for (const ColumnProperties& column : source.columns) lineage.columns.push_back({column.name, {}, ""});
        lineage.unknown = source.columns.empty() ? "no columns of " + source.unique_id + " are declared"
                                                 : source.unique_id + " may have more columns than are declared";
    }
    set(source.unique_id, lineage);
    given_.emplace(source.unique_id, std::move(lineage));
}

void KnownTables::name(const std::optional<std::string>& database, const std::string& schema,
                       const std::string& identifier, const std::string& unique_id) {
    const std::string key = key_of(schema, identifier);
    ids_.emplace(key, unique_id);
    if (database) ids_.emplace(to_lower(*database) + "." + key, unique_id);
}

void KnownTables::set(const std::string& unique_id, const NodeLineage& lineage) {
    auto relation = std::make_shared<TracedRelation>();
    relation->table = unique_id;
    for (const ColumnLineage& column : lineage.columns)
        relation->columns.push_back({column.name, {{{unique_id, column.name}, LineageKind::copied}}, ""});
    if (!lineage.unknown.empty()) relation->add_more({{unique_id}, false, lineage.unknown});
    relations_[unique_id] = std::move(relation);
}

TracedRelationPtr KnownTables::find(std::string_view catalog, std::string_view schema, std::string_view name) const {
    std::string key = key_of(schema.empty() ? world_.default_schema : std::string(schema), name);
    if (!catalog.empty()) key = to_lower(catalog) + "." + key;
    const auto id = ids_.find(key);
    if (id != ids_.end()) {
        const auto known = relations_.find(id->second);
        if (known != relations_.end()) return known->second;
    }
    auto relation = std::make_shared<TracedRelation>();
    std::string written;
    for (const std::string_view part : {catalog, schema, name}) {
        if (!part.empty()) written += (written.empty() ? "" : ".") + std::string(part);
    }
    relation->table = id == ids_.end() ? written : id->second;
    relation->add_more({{relation->table}, false, "columns of " + relation->table + " are not known"});
    return relation;
}

}  // namespace shaduf::models
