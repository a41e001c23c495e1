#include <algorithm>

#include "base/json_writer.h"
#include "base/time.h"
#include "server/anomaly_views.h"
#include "server/answers.h"
#include "server/endpoint.h"
#include "server/flow_health.h"
#include "server/live_events.h"
#include "server/run_views.h"
#include "server/serve_context.h"

namespace shaduf::server {
namespace {

constexpr int64_t kHoursMax = 24 * 31;
constexpr int64_t kTimelineRunsMax = 2'000;
constexpr int64_t kOpenRunsMax = 1'000;

constexpr ShapeField kFailingFields[] = {
    {"flow", &kText},    {"pipeline", &kText, "", true},
    {"run", &kText},     {"task", &kText, "", true},
    {"since", &kTime},   {"times", &kInteger, "In a row; of the last 20 runs."},
    {"message", &kText}, {"advice", &kText, "", true},
};
constexpr Shape kFailing{.kind = ShapeKind::object, .name = "FailingFlow", .fields = kFailingFields};

constexpr ShapeField kLateFields[] = {
    {"flow", &kText}, {"due", &kTime}, {"late_ms", &kInteger}, {"waits_for", &kText, "", true}};
constexpr Shape kLate{.kind = ShapeKind::object, .name = "LateFlow", .fields = kLateFields};

constexpr ShapeField kWaitingFields[] = {{"run", &kText}, {"task", &kText}, {"flow", &kText}};
constexpr Shape kWaiting{.kind = ShapeKind::object, .name = "WaitingTask", .fields = kWaitingFields};

constexpr ShapeField kFreshFields[] = {
    {"fresh", &kInteger}, {"late", &kInteger}, {"unknown", &kInteger, "Nothing has written to them yet."}};
constexpr Shape kFresh{.kind = ShapeKind::object, .name = "Freshness", .fields = kFreshFields};

constexpr ShapeField kBarFields[] = {
    {"id", &kText}, {"state", &kText}, {"queued", &kTime}, {"began", &kTime, "", true}, {"ended", &kTime, "", true}};
constexpr Shape kBar{.kind = ShapeKind::object, .name = "TimelineRun", .fields = kBarFields};
constexpr ShapeField kLineFields[] = {{"flow", &kText}, {"runs", &kListOf<kBar>}, {"fresh_at", &kTime, "", true}};
constexpr Shape kLine{.kind = ShapeKind::object, .name = "TimelineFlow", .fields = kLineFields};

constexpr ShapeField kOverviewFields[] = {
    {"seq", &kText, "The live event up to which this is true."},
    {"checked_at", &kTime},
    {"failing", &kListOf<kFailing>, "Flows whose last run has failed."},
    {"late", &kListOf<kLate>},
    {"drifting", &kListOf<kAnomaly>, "Tables that are not as usual, but for those that are muted."},
    {"waiting", &kListOf<kWaiting>, "For somebody's approval."},
    {"fresh", &kFresh, "Tables that flows write."},
    {"timeline", &kListOf<kLine>},
    {"timeline_cut", &kBoolean, "There were more runs than the timeline has."},
};
constexpr Shape kOverview{.kind = ShapeKind::object, .name = "Overview", .fields = kOverviewFields};

constexpr QueryParamSpec kQuery[] = {{"hours", &kInteger, "Of the timeline; at most 744.", "24"}};

struct FlowState {
    const FlowInfo* flow;
    RunViews::Recent recent;
    std::optional<Lateness> late;
};

// The first task of a run that failed.
const TaskRow* first_failed(const std::vector<TaskRow>& tasks) {
    const TaskRow* first = nullptr;
    for (const TaskRow& task : tasks) {
        const bool has_failed = task.state == TaskState::failed || task.state == TaskState::timed_out;
        if (has_failed && (first == nullptr || task.ended < first->ended)) first = &task;
    }
    return first;
}

Result<void> write_failing(JsonWriter& json, ServeContext& serve, const std::vector<FlowState>& flows) {
    json.key("failing").begin_array();
    for (const FlowState& state : flows) {
        const auto failing = failing_of(state.recent);
        if (!failing) continue;
        const RunRow& run = *failing->last;
        const auto tasks = TRY(serve.runs.tasks(run.id));
        const TaskRow* task = first_failed(tasks);
        const FlowPtr spec = serve.views.spec(run.flow, run.revision);
        const bool is_named = task != nullptr && spec != nullptr && task->task < spec->graph.size();
        const std::string& why = task == nullptr ? run.why : task->why;
        json.begin_object().field("flow", run.flow);
        write_text_or_null(json, "pipeline", state.flow->pipeline);
        json.field("run", run.id);
        write_text_or_null(json, "task", is_named ? spec->graph[task->task].name : "");
        json.field("since", format_timestamp(failing->since)).field("times", failing->times).field("message", why);
        write_text_or_null(json, "advice", advice_of(why));
        json.end_object();
    }
    json.end_array();
    return {};
}

void write_late(JsonWriter& json, const std::vector<FlowState>& flows, Timestamp now) {
    json.key("late").begin_array();
    for (const FlowState& state : flows) {
        if (!state.late) continue;
        const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now - state.late->due);
        json.begin_object().field("flow", state.flow->spec->name).field("due", format_timestamp(state.late->due));
        json.field("late_ms", since.count());
        const auto& runs = state.recent.runs;
        const bool is_open = !runs.empty() && !is_end(runs.front().state);
        write_text_or_null(json, "waits_for", is_open ? runs.front().why : "");
        json.end_object();
    }
    json.end_array();
}

Result<void> write_drifting(JsonWriter& json, ServeContext& serve, Timestamp now) {
    json.key("drifting").begin_array();
    for (const auto& [table, anomaly] : TRY(open_anomalies(serve.anomalies))) {
        const auto muted = table.muted_until.find(anomaly.kind);
        if (muted == table.muted_until.end() || muted->second <= now) write_anomaly(json, table, anomaly);
    }
    json.end_array();
    return {};
}

// Tasks that wait for somebody: of runs that are open.
Result<void> write_waiting(JsonWriter& json, ServeContext& serve) {
    RunFilter open;
    open.states = {RunState::running};
    open.limit = kOpenRunsMax;
    json.key("waiting").begin_array();
    for (const RunRow& run : TRY(serve.runs.runs(open))) {
        const FlowPtr spec = serve.views.spec(run.flow, run.revision);
        if (spec == nullptr) continue;
        const auto asks = [&](TaskIndex task) { return spec->graph[task].needs_approval; };
        const auto order = spec->graph.in_order();
        if (std::none_of(order.begin(), order.end(), asks)) continue;
        for (const TaskRow& task : TRY(serve.runs.tasks(run.id))) {
            if (task.state != TaskState::paused || task.task >= spec->graph.size()) continue;
            json.begin_object().field("run", run.id).field("task", spec->graph[task.task].name);
            json.field("flow", run.flow).end_object();
        }
    }
    json.end_array();
    return {};
}

void write_fresh(JsonWriter& json, const std::vector<FlowState>& flows) {
    int64_t fresh = 0, late = 0, unknown = 0;
    for (const FlowState& state : flows) {
        const auto tables = static_cast<int64_t>(state.flow->writes.size());
        (!state.recent.last_success ? unknown : state.late ? late : fresh) += tables;
    }
    json.key("fresh").begin_object().field("fresh", fresh).field("late", late).field("unknown", unknown).end_object();
}

Result<void> write_timeline(JsonWriter& json, ServeContext& serve, const std::vector<FlowState>& flows,
                            Timestamp since) {
    RunFilter filter;
    filter.created_from = since;
    filter.limit = kTimelineRunsMax;
    const auto runs = TRY(serve.runs.runs(filter));
    std::map<std::string_view, std::vector<const RunRow*>> by_flow;
    for (const RunRow& run : runs) by_flow[run.flow].push_back(&run);
    json.key("timeline").begin_array();
    for (const FlowState& state : flows) {
        const auto found = by_flow.find(state.flow->spec->name);
        if (found == by_flow.end()) continue;
        json.begin_object().field("flow", state.flow->spec->name).key("runs").begin_array();
        for (const RunRow* run : found->second) {
            json.begin_object().field("id", run->id).field("state", to_string(run->state));
            json.field("queued", format_timestamp(run->created));
            write_time(json, "began", run->began);
            write_time(json, "ended", run->ended);
            json.end_object();
        }
        json.end_array();
        write_time(json, "fresh_at", state.recent.last_success);
        json.end_object();
    }
    json.end_array();
    write_flag(json, "timeline_cut", static_cast<int64_t>(runs.size()) == kTimelineRunsMax);
    return {};
}

Result<ApiAnswer> show(ApiCall& call) {
    ServeContext& serve = call.serve;
    const std::string seq = serve.live.last_id();
    const Timestamp now = serve.world.clock.now();
    const auto set = serve.room.view().flows;
    std::vector<FlowState> flows;
    for (size_t i = 0; set != nullptr && i < set->flows.size(); ++i) {
        const FlowInfo& flow = set->flows[i];
        FlowState state{&flow, TRY(serve.views.recent(flow.spec->name)), {}};
        state.late = lateness_of(flow, state.recent, TRY(serve.desk.is_paused(flow.spec->name)), now);
        flows.push_back(std::move(state));
    }
    JsonWriter json;
    json.begin_object().field("seq", seq).field("checked_at", format_timestamp(now));
    TRY(write_failing(json, serve, flows));
    write_late(json, flows, now);
    TRY(write_drifting(json, serve, now));
    TRY(write_waiting(json, serve));
    write_fresh(json, flows);
    const auto hours = std::clamp<int64_t>(call.query_integer("hours"), 1, kHoursMax);
    TRY(write_timeline(json, serve, flows, now - std::chrono::hours(hours)));
    return ApiAnswer{.body = json.end_object().str()};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/overview",
     .id = "getOverview",
     .summary = "What fails, is late or waits for somebody now, and the last day.",
     .query = kQuery,
     .response = &kOverview,
     .handle = show},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_overview;
const server::ApiSpec api_overview{.name = "overview", .summary = "How things stand.", .endpoints = server::kEndpoints};

}  // namespace shaduf
