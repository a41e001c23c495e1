#include "server/serve_log.h"

#include "base/json_writer.h"
#include "base/time.h"

namespace shaduf::server {
namespace {

std::string_view to_string(Severity severity) {
    return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "info";
}

Severity severity_of(RunState state) {
    if (state == RunState::failed) return Severity::error;
    return state == RunState::warned || state == RunState::killed ? Severity::warning : Severity::info;
}

Severity severity_of(TaskState state) {
    if (state == TaskState::failed || state == TaskState::timed_out) return Severity::error;
    return state == TaskState::warned || state == TaskState::killed || state == TaskState::retrying ? Severity::warning
                                                                                                    : Severity::info;
}

std::string because(const std::string& why) { return why.empty() ? "" : ": " + why; }

std::string dropped_as_text(size_t count) {
    return "warning: " + std::to_string(count) + " lines were dropped here: nobody took them";
}
std::string dropped_as_json(size_t count) {
    JsonWriter json;
    json.begin_object().field("level", "warning").field("text", dropped_as_text(count).substr(9));
    return json.end_object().str();
}

}  // namespace

ServeLog::ServeLog(std::ostream& out, ServeLogStyle style, const Clock& clock)
    : out_(out, style == ServeLogStyle::json ? dropped_as_json : dropped_as_text), style_(style), clock_(clock) {}

void ServeLog::write(Severity severity, std::string_view text, const std::function<void(JsonWriter&)>& fields) {
    if (style_ == ServeLogStyle::quiet && severity == Severity::info) return;
    std::string line;
    if (style_ == ServeLogStyle::json) {
        JsonWriter json;
        json.begin_object().field("at", format_timestamp(clock_.now())).field("level", to_string(severity));
        json.field("text", text);
        if (fields) fields(json);
        line = json.end_object().str();
    } else {
        line = format_timestamp(std::chrono::floor<std::chrono::seconds>(clock_.now())) + " ";
        if (severity != Severity::info) line += std::string(to_string(severity)) + ": ";
        line += text;
    }
    out_.write(std::move(line));
}

void ServeLog::say(Severity severity, std::string_view text) { write(severity, text, {}); }

void ServeLog::message(Severity severity, std::string_view place, std::string_view text) {
    const std::string whole = place.empty() ? std::string(text) : std::string(place) + ": " + std::string(text);
    write(severity, whole, {});
}

void ServeLog::hear(const FlowChanges& changes, const std::function<TaskTitle(const TaskRow&)>& title_of) {
    for (const TaskRow& task : changes.tasks) {
        const Severity severity = severity_of(task.state);
        if (severity == Severity::info && style_ != ServeLogStyle::json) continue;
        if (task.state == TaskState::running && task.worker.empty()) continue;  // told when somebody has it
        const TaskTitle title = title_of(task);
        const std::string shown = title.task.empty() ? std::to_string(task.task) : title.task;
        const std::string text = "task " + shown + " of run " + task.run + " " +
                                 std::string(shaduf::to_string(task.state)) + because(task.why);
        write(severity, text, [&](JsonWriter& json) {
            json.field("run", task.run).field("task", shown).field("attempt", int64_t{task.attempt});
            if (!title.flow.empty()) json.field("flow", title.flow);
            if (!task.worker.empty()) json.field("worker", task.worker);
            json.field("state", shaduf::to_string(task.state));
        });
    }
    for (const RunRow& run : changes.runs) {
        if (run.state == RunState::queued) continue;
        const std::string text =
            "run " + run.id + " of " + run.flow + " " + std::string(shaduf::to_string(run.state)) + because(run.why);
        write(severity_of(run.state), text, [&](JsonWriter& json) {
            json.field("run", run.id).field("flow", run.flow).field("state", shaduf::to_string(run.state));
        });
    }
}

}  // namespace shaduf::server
