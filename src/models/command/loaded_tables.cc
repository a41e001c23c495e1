#include "models/command/loaded_tables.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"

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

}  // namespace shaduf::models
