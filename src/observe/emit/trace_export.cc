#include "observe/emit/trace_export.h"

#include <algorithm>
#include <optional>

#include "base/json_writer.h"
#include "flow/task_board.h"
#include "observe/emit/event_sender.h"
#include "observe/emit/run_identity.h"

namespace shaduf::observe {
namespace {

// opentelemetry/proto/trace/v1/trace.proto: SPAN_KIND_INTERNAL, STATUS_CODE_OK and _ERROR.
constexpr int64_t kInternal = 1;
constexpr int64_t kOk = 1;
constexpr int64_t kError = 2;

struct Attribute {
    std::string name;
    std::string text;
    std::optional<int64_t> number;
};

struct Span {
    std::string id;
    std::string parent;
    std::string name;
    Timestamp began{};
    Timestamp ended{};
    int64_t status = 0;
    std::string message;
    std::vector<Attribute> attributes;
};

std::string nanoseconds(Timestamp time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

// In JSON of OTLP numbers of 64 bits are texts.
void write_attributes(JsonWriter& json, const std::vector<Attribute>& attributes) {
    json.key("attributes").begin_array();
    for (const Attribute& attribute : attributes) {
        json.begin_object().field("key", attribute.name).key("value").begin_object();
        attribute.number ? json.field("intValue", std::to_string(*attribute.number))
                         : json.field("stringValue", attribute.text);
        json.end_object().end_object();
    }
    json.end_array();
}

void write_span(JsonWriter& json, const std::string& trace, const Span& span) {
    json.begin_object().field("traceId", trace).field("spanId", span.id);
    if (!span.parent.empty()) json.field("parentSpanId", span.parent);
    json.field("name", span.name).field("kind", kInternal);
    json.field("startTimeUnixNano", nanoseconds(span.began));
    json.field("endTimeUnixNano", nanoseconds(std::max(span.began, span.ended)));
    write_attributes(json, span.attributes);
    json.key("status").begin_object().field("code", span.status);
    if (!span.message.empty()) json.field("message", span.message);
    json.end_object().end_object();
}

int64_t status_of(TaskState state) {
    if (is_success(state)) return kOk;
    return is_failure(state) || state == TaskState::retrying ? kError : 0;
}

std::optional<TaskState> state_named(std::string_view name) {
    for (int i = 0; i <= static_cast<int>(TaskState::skipped); ++i) {
        if (to_string(static_cast<TaskState>(i)) == name) return static_cast<TaskState>(i);
    }
    return std::nullopt;
}

Span run_span(const RunRow& run) {
    Span span{.id = span_id_of(run.id),
              .parent = "",
              .name = run.flow,
              .began = run.created,
              .ended = run.ended.value_or(run.created),
              .status = run.state == RunState::failed ? kError : kOk,
              .message = run.state == RunState::failed ? run.why : "",
              .attributes = {{"shaduf.run.id", run.id, {}},
                             {"shaduf.flow", run.flow, {}},
                             {"shaduf.run.type", std::string(to_string(run.type)), {}},
                             {"shaduf.run.state", std::string(to_string(run.state)), {}}}};
    return span;
}

// Tries of a task, by the history: each from when it ran to what it became.
std::vector<Span> tries_of(const RunRow& run, const TaskRow& task, const std::string& name, const std::string& type,
                           const std::vector<Transition>& history) {
    std::map<int, Span> tries;
    for (const Transition& step : history) {
        if (step.task != task.task || step.attempt < 1) continue;
        const auto state = state_named(step.to);
        if (!state) continue;
        if (*state == TaskState::running) {
            Span& span = tries[step.attempt];
            const std::string key = run.id + "/" + name + "/" + std::to_string(step.attempt);
            span = {.id = span_id_of(key),
                    .parent = span_id_of(run.id),
                    .name = name,
                    .began = step.at,
                    .ended = step.at,
                    .status = 0,
                    .message = "",
                    .attributes = {{"shaduf.run.id", run.id, {}},
                                   {"shaduf.task", name, {}},
                                   {"shaduf.task.type", type, {}},
                                   {"shaduf.task.attempt", "", step.attempt},
                                   {"shaduf.worker", task.worker, {}}}};
        } else if (tries.contains(step.attempt) && (is_end(*state) || *state == TaskState::retrying)) {
            Span& span = tries[step.attempt];
            span.ended = step.at;
            span.status = status_of(*state);
            span.message = span.status == kError ? step.why : "";
        }
    }
    std::vector<Span> spans;
    for (auto& [attempt, span] : tries) spans.push_back(std::move(span));
    return spans;
}

Span step_span(const TaskStep& step, const Span& of) {
    Span span{.id = span_id_of(of.id + "/" + step.name),
              .parent = of.id,
              .name = step.name,
              .began = step.began.value_or(of.began),
              .ended = step.ended.value_or(of.ended),
              .status = status_of(step.state),
              .message = status_of(step.state) == kError ? step.message : "",
              .attributes = {{"shaduf.step.kind", step.kind, {}}}};
    if (!step.table.empty()) span.attributes.push_back({"shaduf.table", step.table, {}});
    const auto add = [&](const char* name, int64_t number) {
        if (number > 0) span.attributes.push_back({name, "", number});
    };
    add("shaduf.rows.read", step.rows_read);
    add("shaduf.rows.written", step.rows_written);
    add("shaduf.rows.quarantined", step.rows_quarantined);
    add("shaduf.bytes", step.bytes);
    add("shaduf.retries", step.retries);
    return span;
}

}  // namespace

void TraceExport::hear(const FlowChanges& changes) {
    for (const RunRow& run : changes.runs) {
        if (!is_end(run.state)) continue;
        parts_.sender.offer([this, run] { return bodies_of(run); }, 1'000);
    }
}

std::vector<std::string> TraceExport::bodies_of(const RunRow& run) const {
    const auto tasks = parts_.store.tasks(run.id);
    const auto history = parts_.store.history(run.id);
    const FlowPtr spec = parts_.spec(run.flow, run.revision);
    std::vector<Span> spans = {run_span(run)};
    if (tasks.ok() && history.ok() && spec != nullptr) {
        std::map<TaskIndex, std::vector<Transition>> by_task;
        for (const Transition& step : history.value()) {
            if (step.task) by_task[*step.task].push_back(step);
        }
        for (const TaskRow& task : tasks.value()) {
            if (task.task >= spec->graph.size()) continue;
            auto tries =
                tries_of(run, task, spec->graph[task.task].name, spec->tasks[task.task].type, by_task[task.task]);
            if (tries.empty()) continue;
            const Span last = tries.back();
            std::move(tries.begin(), tries.end(), std::back_inserter(spans));
            const auto report = TryReport::from_json(task.outputs);
            for (const TaskStep& step : report ? report->steps : std::vector<TaskStep>()) {
                spans.push_back(step_span(step, last));
            }
        }
    }
    std::vector<std::string> bodies;
    const std::string trace = trace_id_of(run.id);
    for (size_t from = 0; from < spans.size(); from += kSpansMax) {
        JsonWriter json;
        json.begin_object().key("resourceSpans").begin_array().begin_object();
        json.key("resource").begin_object();
        write_attributes(json, {{"service.name", "shaduf", {}},
                                {"service.version", parts_.version, {}},
                                {"service.namespace", parts_.project, {}},
                                {"deployment.environment.name", parts_.environment, {}}});
        json.end_object().key("scopeSpans").begin_array().begin_object();
        json.key("scope").begin_object().field("name", "shaduf").field("version", parts_.version).end_object();
        json.key("spans").begin_array();
        for (size_t i = from; i < std::min(spans.size(), from + kSpansMax); ++i) write_span(json, trace, spans[i]);
        json.end_array().end_object().end_array().end_object().end_array();
        bodies.push_back(json.end_object().str());
    }
    return bodies;
}

}  // namespace shaduf::observe
