#include "models/command/loaded_tables.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"
#include "models/command/invocation.h"

namespace shaduf::models {
namespace {

using Ids = std::unordered_set<std::string_view>;
using Children = std::unordered_map<std::string_view, std::vector<std::string_view>>;

Children children_of(const Manifest& manifest) {
    Children children;
    for (const auto& node : manifest.nodes) {
        for (const std::string& parent : node->depends_on_nodes) children[parent].push_back(node->unique_id);
    }
    return children;
}

Ids descendants(const std::vector<std::string_view>& from, const Children& children) {
    Ids found;
    std::vector<std::string_view> open = from;
    while (!open.empty()) {
        const auto at = children.find(open.back());
        open.pop_back();
        if (at == children.end()) continue;
        for (const std::string_view child : at->second) {
            if (found.insert(child).second) open.push_back(child);
        }
    }
    return found;
}

const LoadedTable* loaded(const SourceTable& source, const std::vector<LoadedTable>& tables) {
    const auto found = std::find_if(tables.begin(), tables.end(), [&](const LoadedTable& table) {
        return equals_ignoring_case(table.schema, source.schema) &&
               equals_ignoring_case(table.table, source.identifier);
    });
    return found == tables.end() ? nullptr : &*found;
}

// "schema.table", in lower case.
Result<std::set<std::string>> tables_there(Invocation& invocation) {
    const auto session = TRY(invocation.adapter().connect(invocation.run(), "list_tables"));
    Statement statement{.sql = "select table_schema, table_name from information_schema.tables"};
    statement.fetch = Fetch::rows;
    const QueryResult found = TRY(session->execute(statement));
    std::set<std::string> names;
    for (const Table::Row& row : found.table->rows()) {
        const bool is_named =
            row.size() == 2 && row[0].kind() == jinja::Kind::string && row[1].kind() == jinja::Kind::string;
        if (is_named) names.insert(to_lower(row[0].text() + "." + row[1].text()));
    }
    return names;
}

}  // namespace

AfterLoads after_loads(const Manifest& manifest, const std::vector<const Node*>& selected,
                       const std::vector<LoadedTable>& tables, Readers readers) {
    std::vector<std::string_view> read, missing;
    std::set<std::string> not_loaded;
    for (const auto& source : manifest.sources) {
        const LoadedTable* table = loaded(*source, tables);
        if (table == nullptr) continue;
        read.push_back(source->unique_id);
        if (table->is_loaded) continue;
        missing.push_back(source->unique_id);
        not_loaded.insert(table->schema + "." + table->table);
    }
    const Children children = children_of(manifest);
    const Ids of_the_loads = descendants(read, children);
    const Ids held_back = descendants(missing, children);
    AfterLoads after;
    after.not_loaded.assign(not_loaded.begin(), not_loaded.end());
    for (const Node* node : selected) {
        if (readers == Readers::of_the_loads && !of_the_loads.contains(node->unique_id)) continue;
        (held_back.contains(node->unique_id) ? after.held_back : after.nodes).push_back(node);
    }
    return after;
}

AfterLoads after_loads(Invocation& invocation, const std::vector<const Node*>& selected,
                       const std::vector<LoadedTable>& tables, const std::vector<std::string>& others,
                       Readers readers) {
    const Manifest& manifest = invocation.manifest();
    AfterLoads after = after_loads(manifest, selected, tables, readers);
    std::set<std::string> unsure;
    for (const std::string& table : others) unsure.insert(to_lower(table));
    for (const LoadedTable& table : tables) unsure.erase(to_lower(table.schema + "." + table.table));
    if (unsure.empty() || after.nodes.empty()) return after;
    const auto there = tables_there(invocation);
    if (!there.ok()) return after;
    std::vector<LoadedTable> missing;
    for (const std::string& table : unsure) {
        const size_t dot = table.find('.');
        if (!there.value().contains(table)) missing.push_back({table.substr(0, dot), table.substr(dot + 1), false});
    }
    AfterLoads rest = after_loads(manifest, after.nodes, missing, Readers::all);
    after.nodes = std::move(rest.nodes);
    if (rest.held_back.empty()) return after;
    after.held_back.insert(after.held_back.end(), rest.held_back.begin(), rest.held_back.end());
    after.not_loaded.insert(after.not_loaded.end(), rest.not_loaded.begin(), rest.not_loaded.end());
    return after;
}

}  // namespace shaduf::models
