#include "models/command/lineage_target.h"

#include <charconv>
#include <vector>

#include "base/text.h"

namespace shaduf::models {
namespace {

bool is_number(std::string_view text) { return text.find_first_not_of("0123456789") == std::string_view::npos; }

std::optional<size_t> number_of(std::string_view text) {
    size_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return text.empty() || read.ec != std::errc{} ? std::nullopt : std::optional(number);
}

bool has_columns(const Node& node) {
    return node.type == ResourceType::model || node.type == ResourceType::seed || node.type == ResourceType::snapshot;
}

// All the ways in which a resource may be named, the first of them the shortest.
std::vector<std::string> names_of(const Node& node) {
    std::vector<std::string> names = {node.name, node.package + "." + node.name, node.unique_id};
    if (!node.version) return names;
    const std::string version = ".v" + *node.version;
    return {node.name + version, node.package + "." + node.name + version, node.unique_id};
}

std::vector<std::string> names_of(const SourceTable& source) {
    const std::string name = source.source_name + "." + source.name;
    return {name, source.package + "." + name, source.unique_id};
}

struct Named {
    std::string name, unique_id;
};

std::vector<Named> all_names(const Manifest& manifest) {
    std::vector<Named> all;
    for (const auto& node : manifest.nodes) {
        if (!has_columns(*node)) continue;
        for (std::string& name : names_of(*node)) all.push_back({std::move(name), node->unique_id});
        // Of a model with versions, the name alone is the latest.
        if (node->version && node->version == node->latest_version) all.push_back({node->name, node->unique_id});
    }
    for (const auto& source : manifest.sources) {
        for (std::string& name : names_of(*source)) all.push_back({std::move(name), source->unique_id});
    }
    return all;
}

std::optional<std::string> find_relation(const std::vector<Named>& all, std::string_view name,
                                         std::string_view root_package) {
    std::optional<std::string> found;
    for (const Named& named : all) {
        if (!equals_ignoring_case(named.name, name)) continue;
        const bool is_root = named.unique_id.find("." + std::string(root_package) + ".") != std::string::npos;
        if (!found || is_root) found = named.unique_id;
    }
    return found;
}

// Takes "2+" from the front and "+1" from the back.
void read_sides(std::string_view& text, LineageTarget& target) {
    const size_t front = text.find('+');
    bool has_front = false, has_back = false;
    if (front != std::string_view::npos && is_number(text.substr(0, front)) && front + 1 < text.size()) {
        target.upstream.depth = number_of(text.substr(0, front));
        text.remove_prefix(front + 1);
        has_front = true;
    }
    const size_t back = text.rfind('+');
    if (back != std::string_view::npos && back > 0 && is_number(text.substr(back + 1))) {
        target.downstream.depth = number_of(text.substr(back + 1));
        text = text.substr(0, back);
        has_back = true;
    }
    if (!has_front && !has_back) return;
    target.upstream.is_shown = has_front;
    target.downstream.is_shown = has_back;
}

}  // namespace

std::string short_name(const Manifest& manifest, const std::string& unique_id) {
    if (const Node* node = manifest.node(unique_id)) return names_of(*node).front();
    if (const SourceTable* source = manifest.source(unique_id)) return names_of(*source).front();
    return unique_id;
}

Result<LineageTarget> read_lineage_target(std::string_view text, const Manifest& manifest,
                                          const ProjectLineage& lineage) {
    LineageTarget target;
    std::string_view name = text;
    read_sides(name, target);
    const std::vector<Named> all = all_names(manifest);
    if (auto whole = find_relation(all, name, manifest.root_package)) {
        target.relation = *std::move(whole);
        return target;
    }
    const size_t dot = name.rfind('.');
    const std::string_view relation = name.substr(0, dot);
    auto found = find_relation(all, relation, manifest.root_package);
    std::vector<std::string> candidates;
    if (!found || dot == std::string_view::npos) {
        for (const Named& named : all) candidates.push_back(named.name);
        return Error(ErrorKind::invalid_config, "no model, seed, snapshot or source is named " + std::string(relation) +
                                                    did_you_mean(relation, candidates));
    }
    const std::string_view column = name.substr(dot + 1);
    const auto node = lineage.find(*found);
    const ColumnLineage* known = node == lineage.end() ? nullptr : node->second.find(column);
    const bool may_have_more = node == lineage.end() || !node->second.unknown.empty();
    if (known == nullptr && !may_have_more) {
        for (const ColumnLineage& own : node->second.columns) candidates.push_back(own.name);
        return Error(ErrorKind::invalid_config, std::string(relation) + " has no column " + std::string(column) +
                                                    did_you_mean(column, candidates));
    }
    target.relation = *std::move(found);
    target.column = known == nullptr ? std::string(column) : known->name;
    return target;
}

}  // namespace shaduf::models
