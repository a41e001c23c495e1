#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "pipeline/preview.h"
#include "server/answers.h"
#include "server/data/limited_run.h"
#include "server/data/rows_json.h"
#include "server/data/warehouse.h"
#include "server/project/connections.h"
#include "server/project/secrets.h"

namespace shaduf::server {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::milliseconds kReachLimit{30'000};
constexpr int64_t kPreviewRowsMax = 1000;

constexpr ShapeField kConnectionFields[] = {
    {"name", &kText},
    {"type", &kText},
    {"file", &kText},
    {"line", &kInteger},
    {"used_by", &kTextList},
    {"is_warehouse", &kBoolean},
    {"last_test", &kAny, "", true},
    {"streams_found_at", &kTime, "", true},
    {"options", &kAny, "By field: the value, or for a secret whether it is set and where it comes from.", true},
};
constexpr Shape kConnection{.kind = ShapeKind::object, .name = "Connection", .fields = kConnectionFields};

constexpr ShapeField kTestFields[] = {
    {"name", &kText, "Of a connection whose options stay where none are given.", true},
    {"type", &kText, "", true},
    {"options", &kAny, "", true},
};
constexpr Shape kTest{.kind = ShapeKind::object, .name = "ConnectionTest", .fields = kTestFields};
constexpr ShapeField kStepFields[] = {
    {"name", &kText}, {"ok", &kBoolean}, {"ms", &kInteger}, {"found", &kText}, {"do", &kText, "", true}};
constexpr Shape kStep{.kind = ShapeKind::object, .name = "TrialStep", .fields = kStepFields};
constexpr ShapeField kTrialFields[] = {
    {"ok", &kBoolean}, {"ms", &kInteger}, {"at", &kTime}, {"steps", &kListOf<kStep>}};
constexpr Shape kTrial{.kind = ShapeKind::object, .name = "Trial", .fields = kTrialFields};
constexpr ShapeField kFoundFields[] = {{"at", &kTime}, {"streams", &kListOf<kAny>}};
constexpr Shape kFound{.kind = ShapeKind::object, .name = "FoundStreams", .fields = kFoundFields};
constexpr ShapeField kPreviewFields[] = {
    {"stream", &kText}, {"options", &kAny, "The stream's own.", true}, {"limit", &kInteger, "", true}};
constexpr Shape kPreview{.kind = ShapeKind::object, .name = "PreviewRequest", .fields = kPreviewFields};
constexpr Shape kCells{.kind = ShapeKind::list, .of = &kAny};
constexpr ShapeField kRowsFields[] = {{"columns", &kListOf<kAny>}, {"rows", &kListOf<kCells>}};
constexpr Shape kRows{.kind = ShapeKind::object, .name = "PreviewRows", .fields = kRowsFields};

// Titles of the pipelines that read or write it.
std::vector<std::string> users_of(const std::shared_ptr<const Project>& project, const std::string& name) {
    std::vector<std::string> titles;
    for (const PipelineConfig& pipeline : project == nullptr ? std::vector<PipelineConfig>() : project->pipelines) {
        if (pipeline.source != name && pipeline.sink != name) continue;
        if (std::find(titles.begin(), titles.end(), pipeline.title) == titles.end()) titles.push_back(pipeline.title);
    }
    return titles;
}

void write_summary(JsonWriter& json, const ServeContext& serve, const Node::Entry& entry) {
    const auto project = serve.room.view().project;
    json.field("name", entry.key).field("type", entry.value["type"].text()).field("file", "shaduf.yml");
    json.field("line", static_cast<int64_t>(entry.key_place.line));
    write_texts(json, "used_by", users_of(project, entry.key));
    write_flag(json, "is_warehouse", project != nullptr && project->warehouse == entry.key);
    const Json test = Json::parse(remembered(serve, "tested", entry.key).value_or("null"), nullptr, false);
    json.key("last_test").raw(test.is_object() ? test.dump() : "null");
    const Json found = Json::parse(remembered(serve, "discovered", entry.key).value_or("null"), nullptr, false);
    write_text_or_null(json, "streams_found_at", found.is_object() ? found.value("at", "") : "");
}

// A secret is never shown, also one that is written out.
void write_options(JsonWriter& json, std::span<const FieldSpec> fields, const Node& node,
                   const ConnectionConfig* read) {
    json.begin_object();
    for (const FieldSpec& field : fields) {
        if (!node.has(field.name)) continue;
        const Node& value = node[field.name];
        json.key(field.name);
        if (field.secret) {
            const auto references = references_in(value.text());
            json.begin_object().key("set");
            // Only a project that could be read tells that the reference leads to something.
            references.empty() || read != nullptr ? json.boolean(!value.is_null()) : json.null();
            write_text_or_null(json, "from", references.empty() ? "" : references.front());
            json.end_object();
        } else if (value.is_map() && field.type == FieldType::object) {
            write_options(json, field.children, value, read);
        } else if (!field.children.empty() && std::any_of(field.children.begin(), field.children.end(),
                                                          [](const FieldSpec& child) { return child.secret; })) {
            json.begin_object().key("set").boolean(true).key("from").null().end_object();
        } else {
            json.raw(Json::parse(value.to_json()).dump());
        }
    }
    json.end_object();
}

Result<ApiAnswer> list(ApiCall& call) {
    const Node connections = TRY(written_connections(call.serve));
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const Node::Entry& entry : connections.entries()) {
        json.begin_object();
        write_summary(json, call.serve, entry);
        json.end_object();
    }
    return ApiAnswer{.body = json.end_array().key("next").null().end_object().str()};
}

Result<ApiAnswer> show(ApiCall& call) {
    const std::string name = call.path["name"];
    const Node connections = TRY(written_connections(call.serve));
    if (!connections.has(name)) return not_found("connection", name);
    const Node& node = connections[name];
    const ConnectorSpec* spec = call.serve.connectors.find(node["type"].text());
    const auto project = call.serve.room.view().project;
    JsonWriter json;
    json.begin_object();
    write_summary(json, call.serve, {name, connections.place_of_key(name), node});
    json.key("options");
    write_options(json, spec == nullptr ? std::span<const FieldSpec>() : spec->fields, node,
                  project == nullptr ? nullptr : project->connection(name));
    return ApiAnswer{.body = json.end_object().str()};
}

std::string trial_json(const Trial& trial, Timestamp now) {
    JsonWriter json;
    json.begin_object().key("ok").boolean(trial.ok).field("ms", static_cast<int64_t>(trial.took.count()));
    json.field("at", format_timestamp(now)).key("steps").begin_array();
    for (const TrialStep& step : trial.steps) {
        json.begin_object().field("name", step.name).key("ok").boolean(step.ok);
        json.field("ms", static_cast<int64_t>(step.took.count())).field("found", make_valid_utf8(step.found));
        write_text_or_null(json, "do", step.advice);
        json.end_object();
    }
    return json.end_array().end_object().str();
}

Result<ConnectionConfig> configured(ApiCall& call, const std::string& name) {
    TRY(written_connection(call.serve, name));
    return connection_with(call.serve, name, "", Node());
}

Result<ApiAnswer> run_trial(ApiCall& call, const ConnectionConfig& connection, bool is_saved) {
    const ConnectorSpec* spec = call.serve.connectors.find(connection.type);
    if (spec == nullptr) return not_found("connector", connection.type);
    LimitedRun limited(call.serve.world, kReachLimit);
    const Trial trial = try_connection(limited.run(), *spec, connection);
    const Timestamp now = call.serve.world.clock.now();
    if (is_saved) {
        JsonWriter json;
        json.begin_object().field("at", format_timestamp(now)).key("ok").boolean(trial.ok);
        json.field("message", trial.steps.empty() ? "" : make_valid_utf8(trial.steps.back().found));
        json.field("ms", static_cast<int64_t>(trial.took.count())).end_object();
        TRY(remember(call.serve, "tested", connection.name, json.str()));
    }
    return ApiAnswer{.body = trial_json(trial, now)};
}

Result<ApiAnswer> test_draft(ApiCall& call) {
    const Json body = Json::parse(call.request.body);
    const std::string name = body.value("name", Json()).is_string() ? body["name"].get<std::string>() : "draft";
    const std::string type = body.value("type", Json()).is_string() ? body["type"].get<std::string>() : "";
    const Node options = TRY(Node::parse_yaml(body.value("options", Json::object()).dump(), "options"));
    return run_trial(call, TRY(connection_with(call.serve, name, type, options)), false);
}

Result<ApiAnswer> test_saved(ApiCall& call) { return run_trial(call, TRY(configured(call, call.path["name"])), true); }

std::string_view mode_name(ReadMode mode) {
    switch (mode) {
        case ReadMode::full_refresh: return "full_refresh";
        case ReadMode::incremental: return "incremental";
        case ReadMode::cdc: return "cdc";
        case ReadMode::stream: return "stream";
    }
    return "full_refresh";
}

std::string streams_json(const std::vector<StreamInfo>& streams, Timestamp now) {
    JsonWriter json;
    json.begin_object().field("at", format_timestamp(now)).key("streams").begin_array();
    for (const StreamInfo& stream : streams) {
        json.begin_object().field("name", stream.name);
        write_texts(json, "key", stream.key);
        write_text_or_null(json, "cursor_field", stream.cursor_field);
        json.key("modes").begin_array();
        for (const ReadMode mode : stream.modes) json.text(mode_name(mode));
        json.end_array();
        if (stream.schema) {
            write_columns(json, *stream.schema);
        } else {
            json.key("columns").null();
        }
        json.end_object();
    }
    return json.end_array().end_object().str();
}

// What was found before stays when nothing can be found now.
Result<ApiAnswer> discover(ApiCall& call) {
    const ConnectionConfig connection = TRY(configured(call, call.path["name"]));
    const ConnectorSpec* spec = call.serve.connectors.find(connection.type);
    if (spec == nullptr || spec->discover == nullptr) {
        return Error(ErrorKind::invalid_config, "streams of this connector exist by declaration only: " +
                                                    connection.name + " is of type " + connection.type);
    }
    LimitedRun limited(call.serve.world, kReachLimit);
    const auto streams = TRY(limited.explain(spec->discover(limited.run(), connection.name, connection.options)));
    const std::string json = streams_json(streams, call.serve.world.clock.now());
    TRY(remember(call.serve, "discovered", connection.name, json));
    return ApiAnswer{.body = json};
}

Result<ApiAnswer> discovered(ApiCall& call) {
    TRY(written_connection(call.serve, call.path["name"]));
    const auto json = remembered(call.serve, "discovered", call.path["name"]);
    if (!json || !Json::accept(*json)) return not_found("streams of the connection", call.path["name"]);
    return ApiAnswer{.body = *json};
}

Result<ApiAnswer> preview(ApiCall& call) {
    const Json body = Json::parse(call.request.body);
    const ConnectionConfig connection = TRY(configured(call, call.path["name"]));
    const ConnectorSpec* spec = call.serve.connectors.find(connection.type);
    if (spec == nullptr || spec->make_source == nullptr) {
        return Error(ErrorKind::invalid_config,
                     "cannot be read from: " + connection.name + " is of type " + connection.type);
    }
    StreamRequest request{connection.name, body["stream"].get<std::string>(), ReadMode::full_refresh, {}};
    const Node options = TRY(Node::parse_yaml(body.value("options", Json::object()).dump(), "options"));
    const auto as_written = [](std::string_view text, const Place&) -> Result<std::string> {
        return std::string(text);
    };
    const auto errors = Options::create(spec->stream_fields, options, as_written, request.options);
    if (!errors.empty()) return Error(errors.front().kind(), errors.front().message());
    const auto count = static_cast<size_t>(std::clamp<int64_t>(
        body.value("limit", Json()).is_number_integer() ? body["limit"].get<int64_t>() : 20, 1, kPreviewRowsMax));
    LimitedRun limited(call.serve.world, kReachLimit);
    const auto source = TRY(spec->make_source(connection.options, request));
    shaduf::Shape shape;
    const auto rows = TRY(limited.explain(read_first_rows(limited.run(), *source, shape, count)));
    JsonWriter json;
    json.begin_object();
    write_columns(json, rows ? *rows->schema() : Schema());
    json.key("rows").begin_array();
    if (rows) write_rows(json, *rows, count);
    return ApiAnswer{.body = json.end_array().end_object().str()};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/connections",
     .id = "listConnections",
     .summary = "The connections of the project.",
     .response = &kPageOf<kConnection>,
     .handle = list},
    {.method = "POST",
     .path = "/api/v1/connections/test",
     .id = "testDraft",
     .summary = "Reaches a system with options that are not saved yet.",
     .role = Role::editor,
     .request = &kTest,
     .response = &kTrial,
     .handle = test_draft,
     .audited = "connection.test"},
    {.method = "GET",
     .path = "/api/v1/connections/{name}",
     .id = "getConnection",
     .summary = "A connection with its options, secrets left out.",
     .response = &kConnection,
     .handle = show},
    {.method = "POST",
     .path = "/api/v1/connections/{name}/test",
     .id = "testConnection",
     .summary = "Reaches the system, step by step, for at most 30 s.",
     .role = Role::editor,
     .response = &kTrial,
     .handle = test_saved,
     .audited = "connection.test"},
    {.method = "POST",
     .path = "/api/v1/connections/{name}/discover",
     .id = "discoverStreams",
     .summary = "Asks the system for its streams, and keeps the answer.",
     .role = Role::editor,
     .response = &kFound,
     .handle = discover,
     .audited = "connection.discover"},
    {.method = "GET",
     .path = "/api/v1/connections/{name}/discover",
     .id = "getFoundStreams",
     .summary = "The streams that were found last.",
     .response = &kFound,
     .handle = discovered},
    {.method = "POST",
     .path = "/api/v1/connections/{name}/preview",
     .id = "previewStream",
     .summary = "A few rows of a stream, as they come.",
     .role = Role::editor,
     .request = &kPreview,
     .response = &kRows,
     .handle = preview,
     .audited = "connection.preview"},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_connections;
const server::ApiSpec api_connections{
    .name = "connections", .summary = "Systems with data.", .endpoints = server::kEndpoints};

}  // namespace shaduf
