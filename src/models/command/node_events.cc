#include "models/command/node_events.h"

#include <chrono>

#include "base/time.h"
#include "models/manifest.h"

namespace shaduf::models {
namespace {

using jinja::Value;

struct Kind {
    std::string_view name, code;
};

Kind kind_of(const Node& node) {
    switch (node.type) {
        case ResourceType::test:
        case ResourceType::unit_test: return {"LogTestResult", "Q007"};
        case ResourceType::seed: return {"LogSeedResult", "Q016"};
        case ResourceType::snapshot: return {"LogSnapshotResult", "Q015"};
        case ResourceType::function: return {"LogFunctionResult", "Q047"};
        default: return {"LogModelResult", "Q012"};
    }
}

EventLevel level_of(NodeStatus status) {
    if (is_failure(status)) return EventLevel::error;
    return status == NodeStatus::warn ? EventLevel::warn : EventLevel::info;
}

Value node_info(const NodeMoment& moment, std::string_view status, const NodeResult* result) {
    const Node& node = moment.node;
    auto relation = jinja::make<jinja::Dict>();
    relation->set("alias", node.alias);
    relation->set("database", node.database.value_or(""));
    relation->set("relation_name", result == nullptr ? "" : result->relation_name.value_or(""));
    relation->set("schema", node.schema);
    auto info = jinja::make<jinja::Dict>();
    info->set("materialized", node.config.text("materialized"));
    info->set("meta", node.meta.kind() == jinja::Kind::dict ? node.meta : Value(jinja::make<jinja::Dict>()));
    info->set("node_checksum", node.checksum.value);
    info->set("node_finished_at", result == nullptr ? "" : event_time_now());
    info->set("node_name", node.name);
    info->set("node_path", node.place.path);
    info->set("node_relation", relation);
    info->set("node_started_at", moment.started_at);
    info->set("node_status", status);
    info->set("resource_type", to_string(node.type));
    info->set("unique_id", node.unique_id);
    return Value(info);
}

jinja::Ref<jinja::Dict> line_data(const NodeMoment& moment, Value info) {
    auto data = jinja::make<jinja::Dict>();
    data->set("description", moment.description);
    data->set("index", static_cast<int64_t>(moment.index));
    data->set("node_info", std::move(info));
    data->set("total", static_cast<int64_t>(moment.total));
    return data;
}

Event skipped(const NodeMoment& moment) {
    auto data = jinja::make<jinja::Dict>();
    data->set("index", static_cast<int64_t>(moment.index));
    data->set("node_info", node_info(moment, "skipped", nullptr));
    data->set("node_name", moment.node.name);
    data->set("resource_type", to_string(moment.node.type));
    data->set("schema", moment.node.schema);
    data->set("total", static_cast<int64_t>(moment.total));
    return {"SkippingDetails", "Q034", EventLevel::info, moment.line, Value(data)};
}

}  // namespace

std::string event_time_now() {
    const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    std::string text = format_timestamp(Timestamp(now));
    if (text.ends_with('Z')) text.pop_back();
    return text;
}

Event node_start(const NodeMoment& moment) {
    auto data = jinja::make<jinja::Dict>();
    data->set("node_info", node_info(moment, "started", nullptr));
    return {"NodeStart", "Q024", EventLevel::debug, "Began running node " + moment.node.unique_id, Value(data)};
}

Event start_line(const NodeMoment& moment) {
    return {"LogStartLine", "Q011", EventLevel::info, moment.line,
            Value(line_data(moment, node_info(moment, "started", nullptr)))};
}

Event result_line(const NodeMoment& moment, const NodeResult& result) {
    if (result.status == NodeStatus::skipped) return skipped(moment);
    const Kind kind = kind_of(moment.node);
    auto data = line_data(moment, node_info(moment, to_string(result.status), &result));
    if (kind.name == "LogTestResult" || kind.name == "LogSeedResult") data->erase(Value("description"));
    if (kind.name == "LogTestResult") data->erase(Value("total"));
    data->set("execution_time", result.execution_seconds);
    // A model that is well has the answer of the database here, all else its status.
    const bool is_model = kind.name == "LogModelResult" && result.status == NodeStatus::success;
    data->set("status", is_model ? result.message : std::string(to_string(result.status)));
    if (kind.name == "LogTestResult") {
        data->set("attached_node", moment.node.test ? moment.node.test->attached_node : "");
        data->set("name", moment.node.name);
        data->set("num_failures", result.failures.value_or(0));
        data->set("num_models", static_cast<int64_t>(moment.total));
    }
    if (kind.name == "LogSeedResult") {
        data->set("relation", moment.node.alias);
        data->set("result_message", result.message);
        data->set("schema", moment.node.schema);
    }
    return {kind.name, kind.code, level_of(result.status), moment.line, Value(data)};
}

Event node_finished(const NodeMoment& moment, const NodeResult& result) {
    auto run = jinja::make<jinja::Dict>();
    run->set("adapter_response", result.adapter_response.kind() == jinja::Kind::dict
                                     ? result.adapter_response
                                     : Value(jinja::make<jinja::Dict>()));
    run->set("execution_time", result.execution_seconds);
    run->set("message", result.message);
    run->set("num_failures", result.failures.value_or(0));
    run->set("status", to_string(result.status));
    run->set("thread", result.thread_id);
    auto data = jinja::make<jinja::Dict>();
    data->set("node_info", node_info(moment, to_string(result.status), &result));
    data->set("run_result", run);
    return {"NodeFinished", "Q025", EventLevel::debug, "Finished running node " + moment.node.unique_id, Value(data)};
}

}  // namespace shaduf::models
