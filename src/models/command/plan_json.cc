#include "models/command/plan_json.h"

namespace shaduf::models {
namespace {

std::optional<std::string> unless_empty(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

void write_number(std::string_view key, const std::optional<int64_t>& number, JsonWriter& out) {
    if (number)
        out.integer_field(key, *number);
    else
        out.none_field(key);
}

std::string_view name_of(ColumnChange::What what) {
    switch (what) {
        case ColumnChange::What::added: return "added";
        case ColumnChange::What::dropped: return "dropped";
        case ColumnChange::What::retyped: return "retyped";
    }
    return "";
}

void write_node(const PlannedNode& node, JsonWriter& out) {
    out.begin_object();
    out.field("unique_id", node.unique_id);
    out.field("change", to_string(node.kind));
    out.key("reasons");
    out.begin_list();
    for (const ChangeReason& reason : node.reasons) {
        out.begin_object();
        out.field("what", to_string(reason.what));
        out.field("names", reason.names);
        out.end_object();
    }
    out.end_list();
    out.field("materialized", unless_empty(node.materialized));
    out.field("relation", unless_empty(node.relation));
    out.field("effect", to_string(node.effect));
    if (node.exists)
        out.flag_field("exists", *node.exists);
    else
        out.none_field("exists");
    write_number("rows", node.size.rows, out);
    write_number("bytes", node.size.bytes, out);
    out.key("columns");
    out.begin_list();
    for (const ColumnChange& column : node.columns) {
        out.begin_object();
        out.field("name", column.name);
        out.field("change", name_of(column.what));
        out.field("before", unless_empty(column.before));
        out.field("after", unless_empty(column.after));
        out.end_object();
    }
    out.end_list();
    out.field("columns_unknown", unless_empty(node.columns_unknown));
    out.field("notes", node.notes);
    out.field("sql_before", unless_empty(node.old_sql));
    out.field("sql_after", unless_empty(node.new_sql));
    out.end_object();
}

}  // namespace

void write_plan(const Plan& plan, const std::string& target, JsonWriter& out) {
    out.begin_object();
    out.field("target", target);
    out.field("state", plan.has_state ? std::optional(plan.state) : std::nullopt);
    out.field("state_generated_at", unless_empty(plan.state_time));
    out.field("database_not_asked", unless_empty(plan.database_lack));
    out.key("breaks");
    out.begin_list();
    for (const PlanBreak& found : plan.breaks) {
        out.begin_object();
        out.field("unique_id", found.unique_id);
        out.field("text", found.text);
        out.end_object();
    }
    out.end_list();
    out.key("nodes");
    out.begin_list();
    for (const PlannedNode& node : plan.nodes) write_node(node, out);
    out.end_list();
    out.integer_field("unchanged", static_cast<int64_t>(plan.unchanged));
    out.end_object();
}

}  // namespace shaduf::models
