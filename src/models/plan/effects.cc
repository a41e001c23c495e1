#include "models/plan/effects.h"

#include <algorithm>

namespace shaduf::models {
namespace {

bool refreshes(const Node& node, bool flag) {
    const jinja::Value own = node.config.get("full_refresh");
    return own.is_none() || own.is_undefined() ? flag : own.truth();
}

TableEffect effect_of(const Node& node, const EffectInputs& inputs, ChangeKind kind) {
    const std::string materialized = node.config.text("materialized");
    if (materialized == "ephemeral") return TableEffect::nothing;
    if (materialized == "view") return TableEffect::view;
    const bool is_there = inputs.exists.value_or(kind != ChangeKind::added);
    if (!is_there) return TableEffect::created;
    if (materialized == "table" || materialized == "seed") return TableEffect::rebuilt;
    if (materialized == "incremental") {
        const bool is_whole = refreshes(node, inputs.full_refresh) || inputs.is_view;
        return is_whole ? TableEffect::rebuilt : TableEffect::extended;
    }
    if (materialized == "snapshot") return TableEffect::versions;
    return TableEffect::custom;
}

bool has(const PlannedNode& planned, ColumnChange::What what) {
    return std::any_of(planned.columns.begin(), planned.columns.end(),
                       [&](const ColumnChange& column) { return column.what == what; });
}

// What an incremental model does with columns that its table lacks or has too many of.
void add_schema_note(const Node& node, PlannedNode& planned) {
    if (planned.columns.empty()) return;
    const bool adds = has(planned, ColumnChange::What::added), drops = has(planned, ColumnChange::What::dropped);
    const std::string policy = node.config.text("on_schema_change");
    const std::string label = "on_schema_change: " + (policy.empty() ? "ignore" : policy);
    if (policy == "fail")
        planned.notes.push_back(label + ": the run fails, since the columns differ");
    else if (policy == "append_new_columns")
        planned.notes.push_back(label +
                                (drops ? ": what is new is added, nothing is dropped" : ": what is new is added"));
    else if (policy == "sync_all_columns")
        planned.notes.push_back(label + ": the table follows");
    else if (drops)
        planned.notes.push_back(label + ": the run fails, since the table has columns that the query does not give");
    else if (adds)
        planned.notes.push_back(label + ": the table stays without the new columns; --full-refresh adds them");
}

bool is_because_of(const PlannedNode& planned, ChangeReason::What what) {
    return std::any_of(planned.reasons.begin(), planned.reasons.end(),
                       [&](const ChangeReason& reason) { return reason.what == what; });
}

}  // namespace

void add_effect(const EffectInputs& inputs, PlannedNode& planned) {
    const Node& node = *planned.node;
    planned.exists = inputs.exists;
    planned.effect = effect_of(node, inputs, planned.kind);
    if (planned.effect == TableEffect::extended) {
        using What = ChangeReason::What;
        const bool is_new_logic = is_because_of(planned, What::own_sql) || is_because_of(planned, What::macro);
        if (is_new_logic)
            planned.notes.emplace_back("rows that are there stay as they are; --full-refresh makes them anew");
        add_schema_note(node, planned);
    }
    if (inputs.exists.value_or(false) && inputs.is_view != (planned.effect == TableEffect::view)) {
        const bool becomes_table = planned.effect == TableEffect::rebuilt || planned.effect == TableEffect::versions;
        if (inputs.is_view && becomes_table) planned.notes.emplace_back("a view is there: it becomes a table");
        if (!inputs.is_view && planned.effect == TableEffect::view)
            planned.notes.emplace_back("a table is there: it becomes a view, and its rows go");
    }
    if (inputs.full_refresh && planned.effect == TableEffect::extended)
        planned.notes.emplace_back("full_refresh: false, whatever the flag says");
}

}  // namespace shaduf::models
