#include <algorithm>

#include "base/json_writer.h"
#include "flow/flow_files.h"
#include "flow/json_values.h"

// A definition as it is kept. What a run goes by is in it: the tasks and the limits. When it is due is not: that is a
// matter of the flow as it is now.
namespace shaduf {
namespace {

using jinja::Value;

void write_task(const TaskNode& node, const TaskSpec& spec, JsonWriter& json) {
    json.begin_object().field("name", node.name).key("after").begin_array();
    for (const std::string& name : node.after) json.text(name);
    json.end_array().field("rule", to_string(node.rule)).key("allow_failure").boolean(node.allows_failure);
    json.key("approval").boolean(node.needs_approval).field("type", spec.type).key("config");
    json.raw(spec.config.empty() ? "{}" : spec.config).key("uses").begin_object();
    for (const auto& use : spec.uses) json.field(use.pool, int64_t{use.places});
    json.end_object().field("mutex", spec.mutex).field("priority", int64_t{spec.priority});
    json.field("timeout_ms", int64_t{spec.timeout.count()}).key("retry").begin_object();
    json.field("tries_more", int64_t{spec.retry.tries_more});
    json.field("delay", static_cast<int64_t>(spec.retry.delay)).field("first_ms", int64_t{spec.retry.first.count()});
    json.field("longest_ms", int64_t{spec.retry.longest.count()}).key("factor").number(spec.retry.factor);
    json.field("within_ms", int64_t{spec.retry.within.count()});
    json.key("lost_fails").boolean(!spec.retry.lost_comes_again).end_object().end_object();
}

std::chrono::milliseconds time_of(const Value& value, std::string_view key) {
    return std::chrono::milliseconds(integer_of(member_of(value, key)));
}

bool flag_of(const Value& value, std::string_view key) {
    const Value* found = member_of(value, key);
    return found != nullptr && found->truth();
}

TriggerRule rule_of(std::string_view name) {
    for (int i = 0; i <= static_cast<int>(TriggerRule::always); ++i) {
        if (to_string(static_cast<TriggerRule>(i)) == name) return static_cast<TriggerRule>(i);
    }
    return TriggerRule::all_success;
}

TaskSpec read_spec(const Value& task) {
    TaskSpec spec;
    spec.type = text_of(member_of(task, "type"));
    if (const Value* config = member_of(task, "config")) spec.config = json_text_of(*config);
    if (const Value* uses = member_of(task, "uses"); uses != nullptr && uses->kind() == jinja::Kind::dict) {
        for (const auto& [pool, places] : uses->dict().entries()) {
            spec.uses.push_back({pool.text(), static_cast<uint32_t>(integer_of(&places))});
        }
    }
    spec.mutex = text_of(member_of(task, "mutex"));
    spec.priority = static_cast<int>(integer_of(member_of(task, "priority")));
    spec.timeout = time_of(task, "timeout_ms");
    if (const Value* retry = member_of(task, "retry")) {
        spec.retry.tries_more = static_cast<int>(integer_of(member_of(*retry, "tries_more")));
        spec.retry.delay =
            static_cast<TaskRetry::Delay>(std::clamp<int64_t>(integer_of(member_of(*retry, "delay")), 0, 2));
        spec.retry.first = time_of(*retry, "first_ms");
        spec.retry.longest = time_of(*retry, "longest_ms");
        spec.retry.within = time_of(*retry, "within_ms");
        spec.retry.lost_comes_again = !flag_of(*retry, "lost_fails");
        if (const Value* factor = member_of(*retry, "factor"); factor != nullptr && factor->is_number()) {
            spec.retry.factor = factor->number();
        }
    }
    return spec;
}

TaskNode read_node(const Value& task) {
    TaskNode node;
    node.name = text_of(member_of(task, "name"));
    if (const Value* after = member_of(task, "after"); after != nullptr && after->kind() == jinja::Kind::list) {
        for (const Value& name : after->items()) node.after.push_back(text_of(&name));
    }
    node.rule = rule_of(text_of(member_of(task, "rule")));
    node.allows_failure = flag_of(task, "allow_failure");
    node.needs_approval = flag_of(task, "approval");
    return node;
}

}  // namespace

std::string flow_to_text(const FlowSpec& flow) {
    JsonWriter json;
    json.begin_object().key("tasks").begin_array();
    for (TaskIndex task = 0; task < flow.graph.size(); ++task) write_task(flow.graph[task], flow.tasks[task], json);
    json.end_array().field("runs_max", static_cast<int64_t>(flow.runs_max));
    json.field("backfills_max", static_cast<int64_t>(flow.backfills_max));
    json.field("overlap", static_cast<int64_t>(flow.overlap)).field("priority", int64_t{flow.priority});
    json.field("deadline_ms", int64_t{flow.deadline.count()}).end_object();
    return json.str();
}

Result<FlowPtr> flow_from_text(const std::string& name, const std::string& revision, const std::string& text) {
    const Value all = TRY(parse_json_value(text));
    const Value* tasks = member_of(all, "tasks");
    if (tasks == nullptr || tasks->kind() != jinja::Kind::list) {
        return Error(ErrorKind::invalid_config, "the definition that was kept cannot be read: flow " + name +
                                                    ", revision " + revision + "; its runs cannot go on");
    }
    std::vector<TaskNode> nodes;
    std::vector<TaskSpec> specs;
    for (const Value& task : tasks->items()) {
        nodes.push_back(read_node(task));
        specs.push_back(read_spec(task));
    }
    FlowSpec spec{name, revision, TRY(TaskGraph::create(std::move(nodes))), std::move(specs), {}, {}, {}};
    spec.runs_max = static_cast<size_t>(std::max<int64_t>(integer_of(member_of(all, "runs_max")), 1));
    spec.backfills_max = static_cast<size_t>(std::max<int64_t>(integer_of(member_of(all, "backfills_max")), 1));
    spec.overlap = static_cast<Overlap>(std::clamp<int64_t>(integer_of(member_of(all, "overlap")), 0, 3));
    spec.priority = static_cast<int>(integer_of(member_of(all, "priority")));
    spec.deadline = time_of(all, "deadline_ms");
    return std::make_shared<const FlowSpec>(std::move(spec));
}

}  // namespace shaduf
