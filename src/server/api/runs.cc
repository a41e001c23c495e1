#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "server/answers.h"
#include "server/api/run_shapes.h"
#include "server/endpoint.h"
#include "server/live_events.h"
#include "server/run_views.h"
#include "server/serve_context.h"

namespace shaduf::server {
namespace {

constexpr int64_t kPageMax = 1'000;
constexpr int kPagesSearched = 20;  // of runs, for a word in their names
constexpr int64_t kLogLinesMax = 10'000;
constexpr int64_t kLogChunkBytes = 256 << 10;

constexpr ShapeField kCauseFields[] = {
    {"task", &kText}, {"text", &kText, "What happened."}, {"advice", &kText, "What to do.", true}};
constexpr Shape kCause{.kind = ShapeKind::object, .name = "Cause", .fields = kCauseFields};

// A RunSummary with its tasks instead of their counts.
constexpr ShapeField kDetailFields[] = {
    {"id", &kText},
    {"flow", &kText},
    {"type", &kText},
    {"due", &kTime},
    {"about", &kInterval},
    {"state", &kText},
    {"why", &kText},
    {"actor", &kText},
    {"created", &kTime},
    {"began", &kTime, "", true},
    {"ended", &kTime, "", true},
    {"revision", &kText},
    {"rows", &kInteger},
    {"bytes", &kInteger},
    {"quarantined", &kInteger},
    {"seq", &kText, "The live event up to which this is true."},
    {"tasks", &kListOf<kTask>},
    {"inputs", &kAny},
    {"definition_changed", &kBoolean, "The flow is another one by now."},
    {"cause", &kCause, "The first task that failed.", true},
};
constexpr Shape kDetail{.kind = ShapeKind::object, .name = "RunDetail", .fields = kDetailFields};

constexpr ShapeField kTransitionFields[] = {{"at", &kTime},         {"task", &kText, "null: the run.", true},
                                            {"attempt", &kInteger}, {"to", &kText},
                                            {"why", &kText},        {"actor", &kText}};
constexpr Shape kTransition{.kind = ShapeKind::object, .name = "Transition", .fields = kTransitionFields};

constexpr ShapeField kDefinitionFields[] = {
    {"flow", &kText}, {"revision", &kText}, {"text", &kText}, {"current", &kText, "As it is by now.", true}};
constexpr Shape kDefinition{.kind = ShapeKind::object, .name = "Definition", .fields = kDefinitionFields};

constexpr ShapeField kLineFields[] = {{"n", &kInteger, "From 1."},
                                      {"at", &kTime},
                                      {"level", &kText, "info, warning or error."},
                                      {"place", &kText},
                                      {"text", &kText}};
constexpr Shape kLine{.kind = ShapeKind::object, .name = "LogLine", .fields = kLineFields};
constexpr ShapeField kLogFields[] = {{"lines", &kListOf<kLine>},
                                     {"total", &kInteger, "Lines that there are by now."},
                                     {"bytes", &kInteger},
                                     {"complete", &kBoolean, "No line comes any more."}};
constexpr Shape kLog{.kind = ShapeKind::object, .name = "Log", .fields = kLogFields};

constexpr std::string_view kLevels[] = {"info", "warning", "error"};
constexpr Shape kLevel{.kind = ShapeKind::text, .choices = kLevels};
constexpr std::string_view kTypes[] = {"scheduled", "manual", "backfill", "event"};
constexpr Shape kType{.kind = ShapeKind::text, .choices = kTypes};
constexpr std::string_view kMarks[] = {"succeeded", "failed", "skipped"};
constexpr Shape kMark{.kind = ShapeKind::text, .choices = kMarks};

constexpr ShapeField kRerunFields[] = {
    {"tasks", &kTextList, "With all behind them; none: those that did not succeed.", true}};
constexpr Shape kRerun{.kind = ShapeKind::object, .name = "Rerun", .fields = kRerunFields};
constexpr ShapeField kApproveFields[] = {{"yes", &kBoolean}};
constexpr Shape kApprove{.kind = ShapeKind::object, .name = "Approval", .fields = kApproveFields};
constexpr ShapeField kMarkFields[] = {{"state", &kMark}};
constexpr Shape kMarking{.kind = ShapeKind::object, .name = "TaskMark", .fields = kMarkFields};

constexpr QueryParamSpec kListQuery[] = {
    {"flow", &kText, "Only this flow's."},
    {"state", &kText, "Only in these states; with commas between."},
    {"type", &kType},
    {"since", &kTime, "Created from then on."},
    {"until", &kTime, "Created before."},
    {"q", &kText, "Only where the flow's name or the run's id has it."},
    {"limit", &kInteger, "At most so many; at most 1000.", "100"},
    {"after", &kText, "The cursor of the page before."},
};
constexpr QueryParamSpec kLogQuery[] = {
    {"attempt", &kInteger, "0: the last one.", "0"},
    {"line", &kInteger, "From which on.", "1"},
    {"count", &kInteger, "How many; negative: the last so many.", "500"},
    {"q", &kText, "Only lines that have it; they keep their numbers."},
    {"level", &kLevel, "Only lines as severe.", "info"},
};
constexpr QueryParamSpec kLogTextQuery[] = {{"attempt", &kInteger, "0: the last one.", "0"}};

std::optional<Timestamp> time_in(const ApiCall& call, std::string_view name) {
    const auto parsed = parse_timestamp(call.query(name));
    if (!parsed) return std::nullopt;
    return Timestamp(std::chrono::microseconds(parsed->microseconds));
}

std::optional<RunState> run_state_of(std::string_view name) {
    for (int i = 0; i <= static_cast<int>(RunState::skipped); ++i) {
        if (to_string(static_cast<RunState>(i)) == name) return static_cast<RunState>(i);
    }
    return std::nullopt;
}

Result<RunFilter> filter_of(const ApiCall& call) {
    RunFilter filter;
    filter.flow = call.query("flow");
    const std::string states = call.query("state");
    for (const std::string_view word : split(std::string_view(states), ',')) {
        if (word.empty()) continue;
        const auto state = run_state_of(word);
        if (!state) {
            return Error(ErrorKind::invalid_config,
                         "query parameter state: no state of a run: " + std::string(word) +
                             "; known: queued, running, succeeded, warned, failed, killed, skipped");
        }
        filter.states.push_back(*state);
    }
    const std::string type = call.query("type");
    for (const RunType known : {RunType::scheduled, RunType::manual, RunType::backfill, RunType::event}) {
        if (to_string(known) == type) filter.type = known;
    }
    filter.created_from = time_in(call, "since");
    filter.created_before = time_in(call, "until");
    filter.limit = std::clamp<int64_t>(call.query_integer("limit"), 1, kPageMax);
    filter.behind = call.query("after");
    return filter;
}

// Those whose names have the word, of the next pages; `last` is where the search got to.
Result<std::vector<RunRow>> search(ApiCall& call, RunFilter filter, std::string& last) {
    const std::string word = to_lower(call.query("q"));
    if (word.empty()) {
        auto rows = TRY(call.serve.runs.runs(filter));
        if (static_cast<int64_t>(rows.size()) == filter.limit) last = rows.back().id;
        return rows;
    }
    const auto wanted = static_cast<size_t>(filter.limit);
    filter.limit = kPageMax;
    std::vector<RunRow> found;
    for (int page = 0; page < kPagesSearched; ++page) {
        const auto rows = TRY(call.serve.runs.runs(filter));
        for (const RunRow& row : rows) {
            const bool has = to_lower(row.flow).find(word) != std::string::npos || to_lower(row.id).starts_with(word);
            if (has) found.push_back(row);
            last = row.id;
            if (found.size() == wanted) return found;
        }
        if (static_cast<int64_t>(rows.size()) < kPageMax) {
            last.clear();
            return found;
        }
        filter.behind = last;
    }
    return found;
}

Result<ApiAnswer> list(ApiCall& call) {
    std::string next;
    const auto rows = TRY(search(call, TRY(filter_of(call)), next));
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const RunRow& row : rows) write_run(json, row, TRY(call.serve.views.totals(row)));
    json.end_array();
    write_text_or_null(json, "next", next);
    return ApiAnswer{.body = json.end_object().str()};
}

Result<RunRow> run_of(ApiCall& call) {
    const std::string& id = call.path["id"];
    auto row = TRY(call.serve.runs.run(id));
    return row ? Result<RunRow>(std::move(*row)) : not_found("run", id);
}

// A change is for whom the flow's file is.
Result<RunRow> run_to_change(ApiCall& call) {
    RunRow row = TRY(run_of(call));
    const auto flows = call.serve.room.view().flows;
    const FlowInfo* flow = flows == nullptr ? nullptr : flows->find(row.flow);
    const std::string file = flow == nullptr ? "" : flow->file;
    if (is_for_file(call.caller, file)) return row;
    return Error(ErrorKind::auth, "your role is not for this flow: " + row.flow + "; ask an admin");
}

// When each try began and how it ended, as the history tells.
struct Attempt {
    std::optional<Timestamp> began;
    std::optional<Timestamp> ended;
    std::string state;
    std::string why;
};
using Attempts = std::map<std::pair<TaskIndex, int>, Attempt>;

Attempts attempts_of(const std::vector<Transition>& history) {
    Attempts attempts;
    for (const Transition& line : history) {
        if (!line.task || line.attempt == 0) continue;
        Attempt& attempt = attempts[{*line.task, line.attempt}];
        attempt.state = line.to;
        attempt.why = line.why;
        if (line.to == to_string(TaskState::running)) {
            attempt.began = line.at;
        } else if (line.to != to_string(TaskState::queued) && line.to != to_string(TaskState::paused)) {
            attempt.ended = line.at;
            if (line.to == to_string(TaskState::retrying)) attempt.state = to_string(TaskState::failed);
        }
    }
    return attempts;
}

// The parts of what a task has left that are written as they are.
void write_outputs(JsonWriter& json, const TaskRow* row, const std::optional<TryReport>& live) {
    const auto kept = row == nullptr || row->outputs.empty() ? std::nullopt : TryReport::from_json(row->outputs);
    const TryReport none;
    const TryReport& report = live ? *live : kept ? *kept : none;
    write_texts(json, "tables", report.tables);
    json.key("values").raw(report.values.empty() ? "{}" : report.values);
    json.key("steps").begin_array();
    for (const TaskStep& step : report.steps) write_step(json, step);
    json.end_array();
}

void write_attempts(JsonWriter& json, const Attempts& attempts, TaskIndex task) {
    json.key("attempts").begin_array();
    for (auto it = attempts.lower_bound({task, 0}); it != attempts.end() && it->first.first == task; ++it) {
        const Attempt& attempt = it->second;
        json.begin_object().field("attempt", int64_t{it->first.second});
        write_time(json, "began", attempt.began);
        write_time(json, "ended", attempt.ended);
        json.field("state", attempt.state).field("why", attempt.why).end_object();
    }
    json.end_array();
}

void write_cause(JsonWriter& json, const FlowSpec& flow, const std::vector<TaskRow>& rows) {
    const TaskRow* first = nullptr;
    for (const TaskRow& row : rows) {
        const bool has_failed = row.state == TaskState::failed || row.state == TaskState::timed_out;
        if (has_failed && row.task < flow.graph.size() && (first == nullptr || row.ended < first->ended)) first = &row;
    }
    json.key("cause");
    if (first == nullptr) {
        json.null();
        return;
    }
    json.begin_object().field("task", flow.graph[first->task].name).field("text", first->why);
    write_text_or_null(json, "advice", advice_of(first->why));
    json.end_object();
}

Result<FlowPtr> flow_of(ApiCall& call, const RunRow& run) {
    FlowPtr flow = call.serve.views.spec(run.flow, run.revision);
    if (flow != nullptr) return flow;
    return Error(ErrorKind::internal, "the definition of this run's flow cannot be read: " + run.flow + ", revision " +
                                          run.revision + "; the run's history still tells what it did");
}

Result<ApiAnswer> show(ApiCall& call) {
    const std::string seq = call.serve.live.last_id();
    const RunRow run = TRY(run_of(call));
    const FlowPtr flow = TRY(flow_of(call, run));
    const auto rows = TRY(call.serve.runs.tasks(run.id));
    const Attempts attempts = attempts_of(TRY(call.serve.runs.history(run.id)));
    std::vector<const TaskRow*> by_task(flow->graph.size(), nullptr);
    for (const TaskRow& row : rows) {
        if (row.task < by_task.size()) by_task[row.task] = &row;
    }
    JsonWriter json;
    json.begin_object().field("seq", seq);
    write_run_fields(json, run, TRY(call.serve.views.totals(run)));
    json.key("tasks").begin_array();
    for (TaskIndex task = 0; task < by_task.size(); ++task) {
        const TaskRow* row = by_task[task];
        std::optional<TryReport> live;
        if (row != nullptr && row->state == TaskState::running) {
            live = call.serve.board.report({run.id, flow->graph[task].name, row->attempt});
        }
        json.begin_object();
        write_task_fields(json, *flow, task, row, live);
        write_outputs(json, row, live);
        write_attempts(json, attempts, task);
        json.end_object();
    }
    json.end_array().key("inputs").raw(run.inputs.empty() ? "{}" : run.inputs);
    const auto flows = call.serve.room.view().flows;
    const FlowInfo* now = flows == nullptr ? nullptr : flows->find(run.flow);
    write_flag(json, "definition_changed", now == nullptr || now->spec->revision != run.revision);
    write_cause(json, *flow, rows);
    return ApiAnswer{.body = json.end_object().str()};
}

Result<ApiAnswer> history(ApiCall& call) {
    const RunRow run = TRY(run_of(call));
    const FlowPtr flow = TRY(flow_of(call, run));
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const Transition& line : TRY(call.serve.runs.history(run.id))) {
        json.begin_object().field("at", format_timestamp(line.at));
        const bool is_of_task = line.task && *line.task < flow->graph.size();
        write_text_or_null(json, "task", is_of_task ? flow->graph[*line.task].name : "");
        json.field("attempt", int64_t{line.attempt}).field("to", line.to).field("why", line.why);
        json.field("actor", line.actor).end_object();
    }
    return ApiAnswer{.body = json.end_array().key("next").null().end_object().str()};
}

Result<ApiAnswer> definition(ApiCall& call) {
    const RunRow run = TRY(run_of(call));
    const auto text = TRY(call.serve.runs.definition(run.flow, run.revision));
    if (!text) return not_found("definition of the flow", run.flow);
    const auto flows = call.serve.room.view().flows;
    const FlowInfo* now = flows == nullptr ? nullptr : flows->find(run.flow);
    JsonWriter json;
    json.begin_object().field("flow", run.flow).field("revision", run.revision).field("text", *text);
    write_text_or_null(json, "current", now == nullptr ? "" : flow_to_text(*now->spec));
    return ApiAnswer{.body = json.end_object().str()};
}

Result<ApiAnswer> cancel(ApiCall& call) {
    const RunRow run = TRY(run_to_change(call));
    TRY(call.serve.desk.cancel(run.id, call.caller.name));
    return ApiAnswer{};
}

Result<ApiAnswer> rerun(ApiCall& call) {
    const RunRow run = TRY(run_to_change(call));
    const auto body = nlohmann::json::parse(call.request.body);
    std::vector<std::string> tasks;
    if (body.contains("tasks") && !body["tasks"].is_null()) tasks = body["tasks"].get<std::vector<std::string>>();
    TRY(call.serve.desk.run_again(run.id, tasks, call.caller.name));
    return ApiAnswer{};
}

// The task that the path names.
Result<std::string> task_of(ApiCall& call, const RunRow& run) {
    const FlowPtr flow = TRY(flow_of(call, run));
    const std::string& name = call.path["task"];
    return flow->graph.find(name) ? Result<std::string>(name) : not_found("task of the run", name);
}

Result<ApiAnswer> approve(ApiCall& call) {
    const RunRow run = TRY(run_to_change(call));
    const bool yes = nlohmann::json::parse(call.request.body)["yes"];
    TRY(call.serve.desk.approve(run.id, TRY(task_of(call, run)), yes, call.caller.name));
    return ApiAnswer{};
}

Result<ApiAnswer> mark(ApiCall& call) {
    const RunRow run = TRY(run_to_change(call));
    const std::string word = nlohmann::json::parse(call.request.body)["state"];
    const TaskState state = word == "succeeded" ? TaskState::succeeded
                            : word == "failed"  ? TaskState::failed
                                                : TaskState::skipped;
    TRY(call.serve.desk.mark(run.id, TRY(task_of(call, run)), state, call.caller.name));
    return ApiAnswer{};
}

// The try whose log is asked for; 0: the last one.
Result<TryId> try_of(ApiCall& call) {
    const RunRow run = TRY(run_of(call));
    const FlowPtr flow = TRY(flow_of(call, run));
    const std::string task = TRY(task_of(call, run));
    int attempt = static_cast<int>(std::clamp<int64_t>(call.query_integer("attempt"), 0, 1'000'000));
    if (attempt == 0) {
        attempt = 1;
        for (const TaskRow& row : TRY(call.serve.runs.tasks(run.id))) {
            if (row.task == *flow->graph.find(task)) attempt = std::max(1, row.attempt);
        }
    }
    return TryId{run.id, task, attempt};
}

Result<ApiAnswer> log(ApiCall& call) {
    const TryId id = TRY(try_of(call));
    LogRequest request;
    request.first = std::max<int64_t>(1, call.query_integer("line"));
    request.count = std::clamp<int64_t>(call.query_integer("count"), -kLogLinesMax, kLogLinesMax);
    request.search = call.query("q");
    const std::string level = call.query("level");
    request.least = level == "error" ? Severity::error : level == "warning" ? Severity::warning : Severity::info;
    const auto read = TRY(call.serve.logs.read(id, request));
    const LogPage page = read.value_or(LogPage());  // it has not begun, or nothing was said
    JsonWriter json;
    json.begin_object().key("lines").begin_array();
    for (const LogLine& line : page.lines) {
        json.begin_object().field("n", line.number).field("at", format_timestamp(line.at));
        json.field("level", line.severity == Severity::error     ? "error"
                            : line.severity == Severity::warning ? "warning"
                                                                 : "info");
        json.field("place", line.place).field("text", line.text).end_object();
    }
    json.end_array().field("total", page.lines_total).field("bytes", page.bytes_total);
    write_flag(json, "complete", page.is_complete);
    return ApiAnswer{.body = json.end_object().str()};
}

Result<ApiAnswer> log_text(ApiCall& call) {
    const TryId id = TRY(try_of(call));
    auto response = std::make_shared<HttpServerResponse>();
    std::string name = id.run + "." + id.task + "." + std::to_string(id.attempt) + ".log";
    std::replace_if(
        name.begin(), name.end(),
        [](char c) { return !std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-'; }, '_');
    response->headers = {{"Content-Type", "text/plain; charset=utf-8"},
                         {"Cache-Control", "no-store"},
                         {"Content-Disposition", "attachment; filename=\"" + name + "\""}};
    response->next_chunk = [&logs = call.serve.logs, id, at = int64_t{0}](std::string& out) mutable {
        auto text = logs.read_text(id, at, kLogChunkBytes);
        if (!text.ok() || text.value().empty()) return false;
        out = text.release_value();
        at += static_cast<int64_t>(out.size());
        return true;
    };
    return ApiAnswer{.raw = std::move(response)};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/runs",
     .id = "listRuns",
     .summary = "Runs, newest first.",
     .query = kListQuery,
     .response = &kPageOf<kRun>,
     .handle = list},
    {.method = "GET",
     .path = "/api/v1/runs/{id}",
     .id = "getRun",
     .summary = "A run with all of its tasks.",
     .response = &kDetail,
     .handle = show},
    {.method = "GET",
     .path = "/api/v1/runs/{id}/history",
     .id = "getRunHistory",
     .summary = "How it came about: each change of a state, with its cause.",
     .response = &kPageOf<kTransition>,
     .handle = history},
    {.method = "GET",
     .path = "/api/v1/runs/{id}/definition",
     .id = "getRunDefinition",
     .summary = "The flow as the run keeps to it, and as it is by now.",
     .response = &kDefinition,
     .handle = definition},
    {.method = "POST",
     .path = "/api/v1/runs/{id}/cancel",
     .id = "cancelRun",
     .summary = "Stops a run.",
     .role = Role::operator_,
     .handle = cancel,
     .audited = "run.cancel"},
    {.method = "POST",
     .path = "/api/v1/runs/{id}/rerun",
     .id = "rerunRun",
     .summary = "Runs tasks of a run that has ended again, and all behind them.",
     .role = Role::operator_,
     .request = &kRerun,
     .handle = rerun,
     .audited = "run.rerun"},
    {.method = "POST",
     .path = "/api/v1/runs/{id}/tasks/{task}/approve",
     .id = "approveTask",
     .summary = "Lets a task go on that waits for it, or not.",
     .role = Role::operator_,
     .request = &kApprove,
     .handle = approve,
     .audited = "task.approve"},
    {.method = "POST",
     .path = "/api/v1/runs/{id}/tasks/{task}/mark",
     .id = "markTask",
     .summary = "Takes a task for succeeded, failed or skipped, whatever it was.",
     .role = Role::operator_,
     .request = &kMarking,
     .handle = mark,
     .audited = "task.mark"},
    {.method = "GET",
     .path = "/api/v1/runs/{id}/tasks/{task}/log",
     .id = "getTaskLog",
     .summary = "Lines of what a try has said.",
     .query = kLogQuery,
     .response = &kLog,
     .handle = log},
    {.method = "GET",
     .path = "/api/v1/runs/{id}/tasks/{task}/log.txt",
     .id = "downloadTaskLog",
     .summary = "All that a try has said, as a text.",
     .query = kLogTextQuery,
     .handle = log_text},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_runs;
const server::ApiSpec api_runs{
    .name = "runs", .summary = "What ran, runs and will be run again.", .endpoints = server::kEndpoints};

}  // namespace shaduf
