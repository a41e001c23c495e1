#include "models/manifest.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace shaduf::models {
namespace {

constexpr std::array<std::pair<ResourceType, std::string_view>, 17> kTypeNames = {{
    {ResourceType::model, "model"},
    {ResourceType::seed, "seed"},
    {ResourceType::snapshot, "snapshot"},
    {ResourceType::test, "test"},
    {ResourceType::analysis, "analysis"},
    {ResourceType::operation, "operation"},
    {ResourceType::sql_operation, "sql operation"},
    {ResourceType::source, "source"},
    {ResourceType::exposure, "exposure"},
    {ResourceType::metric, "metric"},
    {ResourceType::semantic_model, "semantic_model"},
    {ResourceType::saved_query, "saved_query"},
    {ResourceType::unit_test, "unit_test"},
    {ResourceType::function, "function"},
    {ResourceType::macro, "macro"},
    {ResourceType::doc, "doc"},
    {ResourceType::group, "group"},
}};

bool is_referable(const Node& node) {
    return node.type == ResourceType::model || node.type == ResourceType::seed || node.type == ResourceType::snapshot;
}

std::string_view file_name(std::string_view path) {
    const size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

std::string_view to_string(ResourceType type) {
    for (const auto& [known, name] : kTypeNames) {
        if (known == type) return name;
    }
    return "";
}

std::string written_path(const Node& node, std::string_view batch) {
    std::string_view below = node.place.original_path;
    if (below.starts_with("./")) below.remove_prefix(2);
    std::string path = node.package + "/" + std::string(below);
    if (file_name(node.place.path) != file_name(node.place.original_path)) path += "/" + node.place.path;
    if (batch.empty()) return path;
    const std::string file(file_name(path));
    const std::string stem = file.substr(0, file.rfind('.'));
    const std::string extension = file.substr(stem.size());
    return path.substr(0, path.size() - extension.size()) + "/" + stem + "_" + std::string(batch) + extension;
}

std::string_view Macro::text() const {
    const jinja::Span span = code().span;
    return std::string_view(file->source()).substr(span.begin, span.end - span.begin);
}

void MacroIndex::add(const Macro& macro) {
    auto& macros = by_package_[macro.package];
    if (macros.empty()) packages_.push_back(macro.package);
    macros[macro.name] = &macro;
}

const Macro* MacroIndex::in_package(std::string_view package, std::string_view name) const {
    const auto macros = by_package_.find(package);
    if (macros == by_package_.end()) return nullptr;
    const auto found = macros->second.find(name);
    return found == macros->second.end() ? nullptr : found->second;
}

bool MacroIndex::has_package(std::string_view package) const { return by_package_.find(package) != by_package_.end(); }

std::vector<std::string> MacroIndex::names_of(std::string_view package) const {
    std::vector<std::string> names;
    const auto macros = by_package_.find(package);
    if (macros == by_package_.end()) return names;
    for (const auto& [name, macro] : macros->second) names.push_back(name);
    std::sort(names.begin(), names.end());
    return names;
}

const Node* Manifest::node(std::string_view unique_id) const {
    const auto found = nodes_by_id_.find(unique_id);
    return found == nodes_by_id_.end() ? nullptr : found->second;
}

const SourceTable* Manifest::source(std::string_view unique_id) const {
    const auto found = sources_by_id_.find(unique_id);
    return found == sources_by_id_.end() ? nullptr : found->second;
}

const Node* Manifest::find_ref(const ModelRef& ref, std::string_view from_package) const {
    const auto [begin, end] = referable_.equal_range(ref.name);
    const auto in_package = [&](std::string_view package) -> const Node* {
        for (auto at = begin; at != end; ++at) {
            const Node& node = *at->second;
            if (!package.empty() && node.package != package) continue;
            if (!node.version) {
                if (!ref.version) return &node;
                continue;
            }
            const auto& wanted = ref.version ? ref.version : node.latest_version;
            if (node.version == wanted) return &node;
        }
        return nullptr;
    };
    if (ref.package) return in_package(*ref.package);
    // As dbt searches by default, so that a project can put a model in the place of a package's.
    if (const Node* node = in_package(root_package)) return node;
    if (const Node* node = in_package(from_package)) return node;
    return in_package("");
}

const SourceTable* Manifest::find_source(const SourceRef& source, std::string_view from_package) const {
    const auto [begin, end] = sources_by_table_.equal_range(source.table);
    const auto in_package = [&](std::string_view package) -> const SourceTable* {
        for (auto at = begin; at != end; ++at) {
            const SourceTable& table = *at->second;
            if (table.source_name == source.source && (package.empty() || table.package == package)) return &table;
        }
        return nullptr;
    };
    if (const SourceTable* table = in_package(root_package)) return table;
    if (const SourceTable* table = in_package(from_package)) return table;
    return in_package("");
}

const Node* Manifest::find_function(const std::vector<std::string>& path, std::string_view from_package) const {
    const auto [begin, end] = functions_.equal_range(path.back());
    const auto in_package = [&](std::string_view package) -> const Node* {
        for (auto at = begin; at != end; ++at) {
            if (package.empty() || at->second->package == package) return at->second;
        }
        return nullptr;
    };
    if (path.size() == 2) return in_package(path.front());
    if (const Node* node = in_package(root_package)) return node;
    if (const Node* node = in_package(from_package)) return node;
    return in_package("");
}

void Manifest::index() {
    nodes_by_id_.clear();
    sources_by_id_.clear();
    referable_.clear();
    sources_by_table_.clear();
    functions_.clear();
    for (const auto& node : nodes) {
        nodes_by_id_.emplace(node->unique_id, node.get());
        if (is_referable(*node)) referable_.emplace(node->name, node.get());
        if (node->type == ResourceType::function) functions_.emplace(node->name, node.get());
    }
    for (const auto& source : sources) {
        sources_by_id_.emplace(source->unique_id, source.get());
        sources_by_table_.emplace(source->name, source.get());
    }
}

}  // namespace shaduf::models
