#include "models/plan/plan.h"

#include <algorithm>

namespace shaduf::models {

std::string_view to_string(ChangeKind kind) {
    switch (kind) {
        case ChangeKind::added: return "added";
        case ChangeKind::changed: return "changed";
        case ChangeKind::missing: return "missing";
        case ChangeKind::upstream: return "upstream";
        case ChangeKind::removed: return "removed";
    }
    return "";
}

std::string_view to_string(ChangeReason::What what) {
    using enum ChangeReason::What;
    switch (what) {
        case own_sql: return "own SQL";
        case rows: return "rows";
        case config: return "config";
        case relation: return "relation";
        case macro: return "macro";
        case contract: return "contract";
        case descriptions: return "descriptions";
        case properties: return "properties";
        case upstream: return "upstream";
    }
    return "";
}

std::string_view to_string(TableEffect effect) {
    switch (effect) {
        case TableEffect::nothing: return "nothing";
        case TableEffect::view: return "view";
        case TableEffect::created: return "created";
        case TableEffect::rebuilt: return "rebuilt";
        case TableEffect::extended: return "extended";
        case TableEffect::versions: return "versions";
        case TableEffect::custom: return "custom";
        case TableEffect::kept: return "kept";
    }
    return "";
}

size_t Plan::count(ChangeKind kind) const {
    return static_cast<size_t>(
        std::count_if(nodes.begin(), nodes.end(), [&](const PlannedNode& node) { return node.kind == kind; }));
}

}  // namespace shaduf::models
