#include <algorithm>

#include "base/json_writer.h"
#include "base/text.h"
#include "flow/pipeline_tables.h"
#include "server/answers.h"
#include "server/data/limited_run.h"
#include "server/data/warehouse.h"
#include "server/project/project_files.h"
#include "server/project/stream_history.h"

namespace shaduf::server {
namespace {

constexpr std::chrono::milliseconds kLimit{10'000};
constexpr int64_t kHistoryMax = 2'000;
constexpr size_t kHistoryShown = 30;

constexpr ShapeField kPipelineFields[] = {
    {"name", &kText},
    {"file", &kText},
    {"source", &kText},
    {"sink", &kText},
    {"schema", &kText},
    {"schedule", &kText, "", true},
    {"flow", &kText, "", true},
    {"streams", &kAny, "How many; of one pipeline: what they are."},
    {"quarantined", &kInteger, "Rows that the last runs turned away."},
    {"last", &kAny, "", true},
    {"state", &kText, "ok, failing, running or never"},
    {"columns_changed", &kListOf<kAny>, "", true},
    {"text", &kText, "", true},
};
constexpr Shape kPipeline{.kind = ShapeKind::object, .name = "Pipeline", .fields = kPipelineFields};

using Records = std::vector<StreamRecord>;

bool is_of(const StreamRecord& record, const std::string& title) {
    return record.progress.pipeline == title || record.progress.pipeline == title + std::string(kProducerSuffix);
}

// "failing" when any stream failed last; "running" when any runs.
std::string state_of(const Records& latest, const std::string& title) {
    std::string state = "never";
    for (const StreamRecord& record : latest) {
        if (!is_of(record, title)) continue;
        if (record.status == "failed") return "failing";
        if (record.status == "running") state = "running";
        if (state == "never") state = "ok";
    }
    return state;
}

void write_record(JsonWriter& json, const StreamRecord& record) {
    json.begin_object().field("run", record.run_id).field("at", record.started_at).field("state", record.status);
    json.field("rows", record.progress.rows_written).field("rows_read", record.progress.rows_read);
    json.field("quarantined", record.progress.rows_quarantined).field("bytes", record.progress.bytes_read);
    json.key("seconds").number(record.progress.seconds);
    write_text_or_null(json, "message", record.error);
    json.end_object();
}

void write_summary(JsonWriter& json, const ServeContext& serve, const PipelineConfig& pipeline, const Records& latest) {
    const auto view = serve.room.view();
    json.field("name", pipeline.title).field("file", pipeline.file).field("source", pipeline.source);
    json.field("sink", pipeline.sink).field("schema", schema_of(*view.project, pipeline));
    write_text_or_null(json, "schedule", pipeline.schedule);
    std::string flow;
    for (const FlowInfo& info : view.flows == nullptr ? std::vector<FlowInfo>() : view.flows->flows) {
        if (info.pipeline == pipeline.title && info.spec != nullptr) flow = info.spec->name;
    }
    write_text_or_null(json, "flow", flow);
    int64_t quarantined = 0;
    const StreamRecord* last = nullptr;
    for (const StreamRecord& record : latest) {
        if (!is_of(record, pipeline.title)) continue;
        quarantined += record.progress.rows_quarantined;
        if (last == nullptr || record.started_at > last->started_at) last = &record;
    }
    json.field("quarantined", quarantined).key("last");
    last == nullptr ? void(json.null()) : write_record(json, *last);
    json.field("state", state_of(latest, pipeline.title));
}

Result<ApiAnswer> list(ApiCall& call) {
    const auto project = TRY(project_of(call.serve));
    const Records latest = TRY(latest_of_streams(call.serve));
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const PipelineConfig& pipeline : project->pipelines) {
        if (pipeline.half == PipelineHalf::producer) continue;
        json.begin_object();
        write_summary(json, call.serve, pipeline, latest);
        json.field("streams", static_cast<int64_t>(pipeline.streams.size())).end_object();
    }
    return ApiAnswer{.body = json.end_array().key("next").null().end_object().str()};
}

std::string_view name_of(ReadMode mode) {
    static constexpr std::string_view kNames[] = {"full_refresh", "incremental", "cdc", "stream"};
    return kNames[static_cast<size_t>(mode)];
}
std::string_view name_of(WriteMode mode) {
    static constexpr std::string_view kNames[] = {"append", "replace", "merge", "history", "slices"};
    return kNames[static_cast<size_t>(mode)];
}
std::string_view name_of(ContractMode mode) {
    static constexpr std::string_view kNames[] = {"evolve", "freeze", "discard_row", "discard_column"};
    return kNames[static_cast<size_t>(mode)];
}
std::string_view name_of(PolicyKind kind) {
    static constexpr std::string_view kNames[] = {"drop", "hash", "mask", "truncate", "tokenize"};
    return kNames[static_cast<size_t>(kind)];
}

// Where streams stand in the sink; none when the sink cannot be reached, which a page must not wait for.
std::vector<CheckpointEntry> checkpoints_of(ApiCall& call, const Project& project, const PipelineConfig& pipeline) {
    LimitedRun limited(call.serve.world, kLimit);
    auto store = open_store(call.serve, project, pipeline.sink);
    if (!store.ok() || store.value()->checkpoints() == nullptr) return {};
    auto found = store.value()->checkpoints()->list_checkpoints(limited.run());
    return found.ok() ? found.release_value() : std::vector<CheckpointEntry>();
}

void write_stream(JsonWriter& json, const PipelineConfig& pipeline, const StreamConfig& stream, const Records& recent,
                  const std::vector<CheckpointEntry>& checkpoints) {
    json.begin_object().field("name", stream.name).field("table", stream.table).field("mode", name_of(stream.mode));
    json.field("write", name_of(stream.write)).field("contract", name_of(stream.contract));
    json.key("expectations").begin_array();
    for (const ExpectConfig& expect : stream.expect) json.text(expect.text);
    json.end_array().key("policies").begin_array();
    for (const PolicyConfig& policy : stream.policies)
        json.text(policy.column + ": " + std::string(name_of(policy.kind)));
    json.end_array();
    std::vector<const StreamRecord*> own;
    for (const StreamRecord& record : recent) {
        if (record.progress.pipeline == pipeline.name && record.progress.stream == stream.name) own.push_back(&record);
        if (own.size() == kHistoryShown) break;
    }
    json.key("last");
    own.empty() ? void(json.null()) : write_record(json, *own.front());
    json.key("history").begin_array();
    for (const StreamRecord* record : own) write_record(json, *record);
    json.end_array();
    const auto checkpoint = std::find_if(checkpoints.begin(), checkpoints.end(), [&](const CheckpointEntry& entry) {
        return entry.pipeline == pipeline.name && entry.stream == stream.name;
    });
    const bool is_there = checkpoint != checkpoints.end();
    write_text_or_null(json, "checkpoint", is_there ? checkpoint->checkpoint.value() : "");
    write_text_or_null(json, "committed_at", is_there ? checkpoint->committed_at : "");
    json.field("quarantined", own.empty() ? int64_t{0} : own.front()->progress.rows_quarantined).end_object();
}

Result<ApiAnswer> show(ApiCall& call) {
    const auto project = TRY(project_of(call.serve));
    const std::string title = call.path["name"];
    const auto halves = project->pipelines_of(title);
    if (halves.empty()) return not_found("pipeline", title);
    const PipelineConfig& pipeline = *halves.back();
    const Records latest = TRY(latest_of_streams(call.serve));
    const Records recent = TRY(recent_of_streams(call.serve, kHistoryMax));
    const auto checkpoints = checkpoints_of(call, *project, pipeline);
    JsonWriter json;
    json.begin_object();
    write_summary(json, call.serve, pipeline, latest);
    json.key("streams").begin_array();
    for (const StreamConfig& stream : pipeline.streams) write_stream(json, pipeline, stream, recent, checkpoints);
    json.end_array();
    const auto text = ProjectFiles(call.serve.folder).read(pipeline.file);
    write_text_or_null(json, "text", text.ok() ? text.value().text : "");
    return ApiAnswer{.body = json.end_object().str()};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/pipelines",
     .id = "listPipelines",
     .summary = "The pipelines, and how they last ended.",
     .response = &kPageOf<kPipeline>,
     .handle = list},
    {.method = "GET",
     .path = "/api/v1/pipelines/{name}",
     .id = "getPipeline",
     .summary = "A pipeline with its streams, their history and where they stand.",
     .response = &kPipeline,
     .handle = show},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_pipelines;
const server::ApiSpec api_pipelines{
    .name = "pipelines", .summary = "What is loaded from where.", .endpoints = server::kEndpoints};

}  // namespace shaduf
