#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "io/password_hash.h"
#include "server/answers.h"
#include "server/api/run_shapes.h"
#include "server/endpoint.h"
#include "server/flow_health.h"
#include "server/json_shape.h"
#include "server/live_events.h"
#include "server/run_views.h"
#include "server/serve_context.h"

namespace shaduf::server {
namespace {

constexpr int64_t kPageMax = 1'000;
constexpr size_t kKeyBytesMax = 256;

constexpr ShapeField kLateFields[] = {{"due", &kTime}, {"since_ms", &kInteger}};
constexpr Shape kLate{.kind = ShapeKind::object, .name = "Late", .fields = kLateFields};
constexpr ShapeField kTableTriggerFields[] = {
    {"tables", &kTextList}, {"needs_all", &kBoolean}, {"within_ms", &kInteger, "0: however far apart."}};
constexpr Shape kTableTrigger{.kind = ShapeKind::object, .name = "TableTrigger", .fields = kTableTriggerFields};
constexpr ShapeField kSensorFields[] = {{"type", &kText}, {"every_ms", &kInteger}};
constexpr Shape kSensor{.kind = ShapeKind::object, .name = "Sensor", .fields = kSensorFields};

#define SHADUF_FLOW_FIELDS                                                                                       \
    {"name", &kText}, {"title", &kText}, {"description", &kText}, {"owner", &kText}, {"labels", &kMapOf<kText>}, \
        {"file", &kText, "Empty: it follows from a pipeline."}, {"line", &kInteger},                             \
        {"pipeline", &kText, "That it follows from.", true}, {"kind", &kText, "file or pipeline."},              \
        {"schedules", &kTextList}, {"zone", &kText}, {"next_due", &kTime, "", true}, {"paused", &kBoolean},      \
        {"last_runs", &kListOf<kRun>, "The last 20, newest first."}, {"last_success_at", &kTime, "", true},      \
        {"late", &kLate, "", true}, {"runs_open", &kInteger, "Of the last 20."}, {"tasks", &kInteger},           \
        {"reads", &kTextList}, {"writes", &kTextList}, {"on_tables", &kListOf<kTableTrigger>},                   \
        {"sensors", &kListOf<kSensor>}, {                                                                        \
        "endless", &kBoolean                                                                                     \
    }
constexpr ShapeField kFlowFields[] = {SHADUF_FLOW_FIELDS};
constexpr Shape kFlow{.kind = ShapeKind::object, .name = "Flow", .fields = kFlowFields};

constexpr ShapeField kNodeFields[] = {{"name", &kText},
                                      {"type", &kText},
                                      {"after", &kTextList},
                                      {"rule", &kText, "When it begins."},
                                      {"summary", &kText, "What it does.", true}};
constexpr Shape kNode{.kind = ShapeKind::object, .name = "FlowTask", .fields = kNodeFields};
constexpr ShapeField kGraphFields[] = {{"tasks", &kListOf<kNode>}};
constexpr Shape kGraph{.kind = ShapeKind::object, .name = "FlowGraph", .fields = kGraphFields};
constexpr ShapeField kConfigFields[] = {{"file", &kText}, {"text", &kText, "", true}};
constexpr Shape kConfig{.kind = ShapeKind::object, .name = "FlowConfig", .fields = kConfigFields};
constexpr ShapeField kFlowDetailFields[] = {SHADUF_FLOW_FIELDS,
                                            {"seq", &kText, "The live event up to which this is true."},
                                            {"graph", &kGraph},
                                            {"config", &kConfig}};
#undef SHADUF_FLOW_FIELDS
constexpr Shape kFlowDetail{.kind = ShapeKind::object, .name = "FlowDetail", .fields = kFlowDetailFields};

constexpr ShapeField kTriggerFields[] = {{"inputs", &kAny, "An object, for the run's tasks.", true},
                                         {"due", &kTime, "null: now.", true}};
constexpr Shape kTrigger{.kind = ShapeKind::object, .name = "Trigger", .fields = kTriggerFields};
constexpr ShapeField kPauseFields[] = {{"paused", &kBoolean}};
constexpr Shape kPause{.kind = ShapeKind::object, .name = "Pause", .fields = kPauseFields};
constexpr std::string_view kAgain[] = {"none", "failed", "all"};
constexpr Shape kAgainChoice{.kind = ShapeKind::text, .choices = kAgain};
constexpr ShapeField kBackfillFields[] = {
    {"from", &kTime},
    {"to", &kTime, "Without it."},
    {"oldest_first", &kBoolean, "", true},
    {"again", &kAgainChoice, "Which moments that have a run already get another one.", true},
    {"inputs", &kAny, "", true}};
constexpr Shape kBackfill{.kind = ShapeKind::object, .name = "Backfill", .fields = kBackfillFields};
constexpr ShapeField kBackfilledFields[] = {{"runs", &kInteger}};
constexpr Shape kBackfilled{.kind = ShapeKind::object, .name = "Backfilled", .fields = kBackfilledFields};
constexpr ShapeField kHookedFields[] = {{"run", &kText}};
constexpr Shape kHooked{.kind = ShapeKind::object, .name = "Hooked", .fields = kHookedFields};

constexpr QueryParamSpec kListQuery[] = {
    {"q", &kText, "Only flows whose name, title, owner or labels have it."},
    {"limit", &kInteger, "At most so many; at most 1000.", "100"},
    {"after", &kText, "The cursor of the page before."},
};

std::shared_ptr<const FlowSet> flows_of(const ApiCall& call) {
    auto flows = call.serve.room.view().flows;
    return flows != nullptr ? flows : std::make_shared<const FlowSet>();
}

void write_triggers(JsonWriter& json, const FlowInfo& flow) {
    json.key("on_tables").begin_array();
    for (const TableTrigger& trigger : flow.on_tables) {
        json.begin_object();
        write_texts(json, "tables", trigger.tables);
        write_flag(json, "needs_all", trigger.needs_all);
        json.field("within_ms", trigger.within.count()).end_object();
    }
    json.end_array().key("sensors").begin_array();
    for (const SensorTrigger& sensor : flow.sensors) {
        json.begin_object().field("type", sensor.type).field("every_ms", sensor.every.count()).end_object();
    }
    json.end_array();
    write_flag(json, "endless", flow.is_endless);
}

Result<void> write_flow_fields(JsonWriter& json, ServeContext& serve, const FlowInfo& flow) {
    const std::string& name = flow.spec->name;
    const auto recent = TRY(serve.views.recent(name));
    const bool is_paused = TRY(serve.desk.is_paused(name));
    json.field("name", name).field("title", flow.title.empty() ? name : flow.title);
    json.field("description", flow.description).field("owner", flow.owner).key("labels").begin_object();
    for (const auto& [label, value] : flow.labels) json.field(label, value);
    json.end_object().field("file", flow.file).field("line", flow.line);
    write_text_or_null(json, "pipeline", flow.pipeline);
    json.field("kind", flow.pipeline.empty() ? "file" : "pipeline");
    write_texts(json, "schedules", flow.schedules_as_written);
    json.field("zone", flow.zone);
    write_time(json, "next_due", is_paused ? std::nullopt : serve.desk.next_due(name));
    write_flag(json, "paused", is_paused);
    int64_t open = 0;
    json.key("last_runs").begin_array();
    for (const RunRow& run : recent.runs) {
        open += is_end(run.state) ? 0 : 1;
        write_run(json, run, TRY(serve.views.totals(run)));
    }
    json.end_array();
    write_time(json, "last_success_at", recent.last_success);
    const Timestamp now = serve.world.clock.now();
    json.key("late");
    if (const auto late = lateness_of(flow, recent, is_paused, now)) {
        const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now - late->due);
        json.begin_object().field("due", format_timestamp(late->due)).field("since_ms", since.count()).end_object();
    } else {
        json.null();
    }
    json.field("runs_open", open).field("tasks", static_cast<int64_t>(flow.spec->graph.size()));
    write_texts(json, "reads", flow.reads);
    write_texts(json, "writes", flow.writes);
    write_triggers(json, flow);
    return {};
}

bool has_word(const FlowInfo& flow, const std::string& word) {
    const auto has = [&](const std::string& text) { return to_lower(text).find(word) != std::string::npos; };
    if (word.empty() || has(flow.spec->name) || has(flow.title) || has(flow.owner)) return true;
    return std::any_of(flow.labels.begin(), flow.labels.end(),
                       [&](const auto& label) { return has(label.first) || has(label.second); });
}

Result<ApiAnswer> list(ApiCall& call) {
    const auto flows = flows_of(call);
    const std::string word = to_lower(call.query("q"));
    const std::string after = call.query("after");
    const auto limit = std::clamp<int64_t>(call.query_integer("limit"), 1, kPageMax);
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    int64_t count = 0;
    std::string last, next;
    for (const FlowInfo& flow : flows->flows) {
        if (flow.spec->name <= after || !has_word(flow, word)) continue;
        if (count == limit) {
            next = last;
            break;
        }
        json.begin_object();
        TRY(write_flow_fields(json, call.serve, flow));
        json.end_object();
        last = flow.spec->name;
        ++count;
    }
    json.end_array();
    write_text_or_null(json, "next", next);
    return ApiAnswer{.body = json.end_object().str()};
}

void write_graph(JsonWriter& json, ServeContext& serve, const FlowSpec& flow) {
    json.key("graph").begin_object().key("tasks").begin_array();
    for (TaskIndex task = 0; task < flow.graph.size(); ++task) {
        const TaskNode& node = flow.graph[task];
        json.begin_object().field("name", node.name).field("type", flow.tasks[task].type);
        write_texts(json, "after", node.after);
        json.field("rule", to_string(node.rule));
        const TaskTypeSpec* type = serve.task_types.find(flow.tasks[task].type);
        write_text_or_null(json, "summary", type == nullptr ? "" : type->summary);
        json.end_object();
    }
    json.end_array().end_object();
}

// The text of a file of the project; "" when it cannot be read.
std::string file_text(const ServeContext& serve, const std::string& file) {
    const auto project = serve.room.view().project;
    if (project == nullptr || file.empty()) return "";
    std::ifstream stream(project->folder + "/" + file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

Result<const FlowInfo*> flow_of(const FlowSet& flows, ApiCall& call) {
    const FlowInfo* flow = flows.find(call.path["name"]);
    return flow != nullptr ? Result<const FlowInfo*>(flow) : not_found("flow", call.path["name"]);
}

// The one that the path names, of whom the caller may change something.
Result<const FlowInfo*> flow_to_change(const FlowSet& flows, ApiCall& call) {
    const FlowInfo* flow = TRY(flow_of(flows, call));
    if (is_for_file(call.caller, flow->file)) return flow;
    return Error(ErrorKind::auth, "your role is not for this flow: " + flow->spec->name + "; ask an admin");
}

Result<ApiAnswer> show(ApiCall& call) {
    const std::string seq = call.serve.live.last_id();
    const auto flows = flows_of(call);
    const FlowInfo* flow = TRY(flow_of(*flows, call));
    JsonWriter json;
    json.begin_object();
    TRY(write_flow_fields(json, call.serve, *flow));
    json.field("seq", seq);
    write_graph(json, call.serve, *flow->spec);
    json.key("config").begin_object().field("file", flow->file);
    write_text_or_null(json, "text", file_text(call.serve, flow->file));
    return ApiAnswer{.body = json.end_object().end_object().str()};
}

std::string idempotency_key(const ApiCall& call) {
    std::string key(call.request.header("Idempotency-Key"));
    if (key.empty()) key = call.request.header("X-Delivery-Id");
    return key;
}

Result<void> check_can_begin(const ApiCall& call, const std::string& key) {
    if (key.size() > kKeyBytesMax) {
        return Error(ErrorKind::invalid_config, "the header Idempotency-Key is longer than 256 bytes");
    }
    if (!call.serve.is_draining || !call.serve.is_draining()) return {};
    return Error(ErrorKind::unavailable, "the server is ending: nothing new begins; try again in a moment")
        .retry_after(std::chrono::seconds(5));
}

// As a text; "" when there are none. invalid_config: no object.
Result<std::string> inputs_in(const nlohmann::json& body) {
    const auto inputs = body.find("inputs");
    if (inputs == body.end() || inputs->is_null()) return std::string();
    if (!inputs->is_object()) return Error(ErrorKind::invalid_config, "inputs: must be an object");
    return inputs->dump();
}

Timestamp time_in(const nlohmann::json& body, const char* name) {
    return Timestamp(std::chrono::microseconds(parse_timestamp(body[name].get<std::string>())->microseconds));
}

Result<ApiAnswer> trigger(ApiCall& call) {
    const auto flows = flows_of(call);
    const FlowInfo* flow = TRY(flow_to_change(*flows, call));
    const std::string key = idempotency_key(call);
    TRY(check_can_begin(call, key));
    const auto body = nlohmann::json::parse(call.request.body);
    RunRequest request;
    request.flow = flow->spec->name;
    request.inputs = TRY(inputs_in(body));
    request.actor = call.caller.name;
    if (body.contains("due") && !body["due"].is_null()) request.due = time_in(body, "due");
    const auto requested = TRY(call.serve.desk.request(request, key));
    JsonWriter json;
    json.begin_object().field("run", requested.run);
    write_flag(json, "is_new", requested.is_new);
    return ApiAnswer{.status = requested.is_new ? 201 : 200, .body = json.end_object().str()};
}

Result<ApiAnswer> pause(ApiCall& call) {
    const auto flows = flows_of(call);
    const FlowInfo* flow = TRY(flow_to_change(*flows, call));
    const bool yes = nlohmann::json::parse(call.request.body)["paused"];
    const std::string& name = flow->spec->name;
    TRY(call.serve.desk.pause(name, yes, call.caller.name));
    call.serve.live.publish({"flow", {"flows"}, "flow " + name}, [&](JsonWriter& json) {
        json.field("name", name);
        write_flag(json, "paused", yes);
        write_time(json, "next_due", yes ? std::nullopt : call.serve.desk.next_due(name));
    });
    return ApiAnswer{};
}

Result<ApiAnswer> backfill(ApiCall& call) {
    const auto flows = flows_of(call);
    const FlowInfo* flow = TRY(flow_to_change(*flows, call));
    TRY(check_can_begin(call, ""));
    const auto body = nlohmann::json::parse(call.request.body);
    FlowDesk::Backfill backfill{.flow = flow->spec->name, .from = time_in(body, "from"), .to = time_in(body, "to")};
    backfill.oldest_first = body.value("oldest_first", nlohmann::json(false)) == true;
    const auto again = body.value("again", nlohmann::json("none"));
    if (again == "failed") backfill.again = FlowDesk::Backfill::Again::failed;
    if (again == "all") backfill.again = FlowDesk::Backfill::Again::all;
    backfill.inputs = TRY(inputs_in(body));
    backfill.actor = call.caller.name;
    const size_t runs = TRY(call.serve.desk.backfill(backfill));
    JsonWriter json;
    json.begin_object().field("runs", static_cast<int64_t>(runs)).end_object();
    return ApiAnswer{.body = json.str()};
}

// Whoever knows the secret may begin a run. That there is no such flow, that it has no hook and that the secret is
// wrong are one answer.
Result<ApiAnswer> hook(ApiCall& call) {
    const auto flows = flows_of(call);
    const FlowInfo* flow = flows->find(call.path["name"]);
    const std::string secret = flow == nullptr ? "" : flow->hook_secret;
    if (secret.empty() || !equals_in_constant_time(secret, call.path["secret"])) {
        return not_found("hook", call.path["name"]);
    }
    const std::string key = idempotency_key(call);
    TRY(check_can_begin(call, key));
    RunRequest request;
    request.flow = flow->spec->name;
    request.type = RunType::event;
    request.actor = "hook";
    // Senders call it what they like: its type is not looked at.
    if (!call.request.body.empty()) {
        if (!check_json(call.request.body, kMapOf<kAny>).empty()) {
            return Error(ErrorKind::invalid_config, "the body is no JSON object; it is the inputs of the run");
        }
        request.inputs = call.request.body;
    }
    const auto requested = TRY(call.serve.desk.request(request, key));
    JsonWriter json;
    json.begin_object().field("run", requested.run).end_object();
    return ApiAnswer{.status = 202, .body = json.str()};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/flows",
     .id = "listFlows",
     .summary = "Flows, by name.",
     .query = kListQuery,
     .response = &kPageOf<kFlow>,
     .handle = list},
    {.method = "GET",
     .path = "/api/v1/flows/{name}",
     .id = "getFlow",
     .summary = "A flow with its graph.",
     .response = &kFlowDetail,
     .handle = show},
    {.method = "POST",
     .path = "/api/v1/flows/{name}/runs",
     .id = "runFlow",
     .summary = "Asks for a run. The same Idempotency-Key within a day gives the same one.",
     .role = Role::operator_,
     .request = &kTrigger,
     .response = &kRunAsked,
     .handle = trigger,
     .audited = "flow.run"},
    {.method = "POST",
     .path = "/api/v1/flows/{name}/pause",
     .id = "pauseFlow",
     .summary = "Lets the schedules rest, or go on.",
     .role = Role::operator_,
     .request = &kPause,
     .handle = pause,
     .audited = "flow.pause"},
    {.method = "POST",
     .path = "/api/v1/flows/{name}/backfill",
     .id = "backfillFlow",
     .summary = "Asks for a run for each moment of the schedule between two times.",
     .role = Role::operator_,
     .request = &kBackfill,
     .response = &kBackfilled,
     .handle = backfill,
     .audited = "flow.backfill"},
    {.method = "POST",
     .path = "/api/v1/hooks/{name}/{secret}",
     .id = "callHook",
     .summary = "Begins a run of a flow that has a hook; the body is its inputs.",
     .role = Role::nobody,
     .response = &kHooked,
     .handle = hook,
     .body_bytes_max = 256 << 10,
     .audited = "flow.hook"},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_flows;
const server::ApiSpec api_flows{.name = "flows", .summary = "What runs when.", .endpoints = server::kEndpoints};

}  // namespace shaduf
