#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json_writer.h"
#include "base/text.h"
#include "pipeline/json_edit.h"
#include "pipeline/replay.h"
#include "server/answers.h"
#include "server/data/limited_run.h"
#include "server/data/warehouse.h"

namespace shaduf::server {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::milliseconds kReadLimit{20'000};
constexpr std::chrono::milliseconds kReplayLimit{300'000};
constexpr size_t kGroupsMax = 10'000;
constexpr size_t kIdsMax = 100'000;

constexpr ShapeField kGroupFields[] = {{"pipeline", &kText}, {"stream", &kText}, {"reason", &kText},
                                       {"rows", &kInteger},  {"oldest", &kText}, {"newest", &kText}};
constexpr Shape kGroup{.kind = ShapeKind::object, .name = "QuarantineGroup", .fields = kGroupFields};
constexpr ShapeField kRowFields[] = {
    {"id", &kText},
    {"pipeline", &kText},
    {"stream", &kText},
    {"position", &kText, "", true},
    {"raw", &kText, "", true},
    {"reason", &kText},
    {"run", &kText, "", true},
    {"at", &kText},
};
constexpr Shape kRow{.kind = ShapeKind::object, .name = "QuarantineRow", .fields = kRowFields};
constexpr ShapeField kReplayFields[] = {
    {"pipeline", &kText},
    {"stream", &kText},
    {"ids", &kTextList, "Only these rows.", true},
    {"reason", &kText, "Only rows of this reason.", true},
    {"edits", &kAny, "By the row's id: by the path of a value in it (dots between keys), what it becomes.", true},
};
constexpr Shape kReplay{.kind = ShapeKind::object, .name = "QuarantineReplay", .fields = kReplayFields};
constexpr ShapeField kReplayedFields[] = {
    {"replayed", &kInteger}, {"again_quarantined", &kInteger}, {"error", &kText, "", true}};
constexpr Shape kReplayed{.kind = ShapeKind::object, .name = "QuarantineReplayed", .fields = kReplayedFields};
constexpr ShapeField kDiscardFields[] = {
    {"pipeline", &kText}, {"stream", &kText}, {"ids", &kTextList, "", true}, {"reason", &kText, "", true}};
constexpr Shape kDiscard{.kind = ShapeKind::object, .name = "QuarantineDiscard", .fields = kDiscardFields};
constexpr ShapeField kDiscardedFields[] = {{"discarded", &kInteger}};
constexpr Shape kDiscarded{.kind = ShapeKind::object, .name = "QuarantineDiscarded", .fields = kDiscardedFields};
constexpr QueryParamSpec kRowsQuery[] = {
    {"pipeline", &kText, "Only of this pipeline."},
    {"stream", &kText, "Only of this stream."},
    {"reason", &kText, "Only with this reason."},
    {"q", &kText, "A part of the row."},
    {"limit", &kInteger, "At most so many; at most 1000.", "100"},
    {"after", &kText, "The cursor of the page before."},
};

using Rows = std::vector<RecordBatch>;
using Each = std::function<void(const RecordBatch& batch, size_t row)>;

// Runs a statement in each sink of the project that has a quarantine.
Result<void> in_all_sinks(ApiCall& call, const Project& project, const std::string& pipeline, const std::string& sql,
                          const Each& each) {
    LimitedRun limited(call.serve.world, kReadLimit);
    std::set<std::string> sinks;
    for (const PipelineConfig& config : project.pipelines) {
        const bool is_asked = pipeline.empty() || config.name == pipeline || config.title == pipeline;
        if (is_asked && config.half != PipelineHalf::producer) sinks.insert(config.sink);
    }
    for (const std::string& sink : sinks) {
        auto store = open_store(call.serve, project, sink);
        auto* reader = store.ok() ? dynamic_cast<ReadOnlyReader*>(store.value().get()) : nullptr;
        if (reader == nullptr) continue;  // its system keeps no rows that SQL could find
        const auto done = limited.explain(
            reader->read_only(limited.run(), sql, kReadLimit, [&](const RecordBatch& batch) -> Result<bool> {
                for (size_t row = 0; row < batch.rows(); ++row) each(batch, row);
                return true;
            }));
        // A sink that nothing was ever written to has no such table.
        if (!done.ok() && done.error().kind() != ErrorKind::invalid_config) return done.error();
    }
    return {};
}

std::string cell(const RecordBatch& batch, size_t column, size_t row) {
    return batch.column(column).is_null(row) ? "" : make_valid_utf8(format_value(batch.column(column), row));
}

std::string condition(const std::vector<std::pair<std::string, std::string>>& equal) {
    std::string sql;
    for (const auto& [column, value] : equal) {
        if (!value.empty()) sql += (sql.empty() ? " WHERE " : " AND ") + column + " = " + Warehouse::literal(value);
    }
    return sql;
}

Result<ApiAnswer> list(ApiCall& call) {
    const auto project = TRY(project_of(call.serve));
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    TRY(in_all_sinks(
        call, *project, "",
        "SELECT pipeline, stream, reason, count(*) AS n, min(quarantined_at) AS a, max(quarantined_at) AS b "
        "FROM _shaduf_quarantine GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT " +
            std::to_string(kGroupsMax),
        [&](const RecordBatch& batch, size_t row) {
            json.begin_object().field("pipeline", cell(batch, 0, row)).field("stream", cell(batch, 1, row));
            json.field("reason", cell(batch, 2, row)).field("rows", batch.column(3).int64_at(row));
            json.field("oldest", cell(batch, 4, row)).field("newest", cell(batch, 5, row)).end_object();
        }));
    return ApiAnswer{.body = json.end_array().key("next").null().end_object().str()};
}

Result<ApiAnswer> rows(ApiCall& call) {
    static constexpr std::string_view kNames[] = {"id", "pipeline", "stream", "position", "raw", "reason", "run", "at"};
    const auto project = TRY(project_of(call.serve));
    std::string where = condition(
        {{"pipeline", call.query("pipeline")}, {"stream", call.query("stream")}, {"reason", call.query("reason")}});
    const auto also = [&](const std::string& sql) { where += (where.empty() ? " WHERE " : " AND ") + sql; };
    if (!call.query("q").empty()) also("position(" + Warehouse::literal(call.query("q")) + " IN raw) > 0");
    if (!call.query("after").empty()) also("id > " + Warehouse::literal(call.query("after")));
    const auto limit = static_cast<size_t>(std::clamp<int64_t>(call.query_integer("limit"), 1, 1000));
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    size_t count = 0;
    std::string last;
    TRY(in_all_sinks(call, *project, call.query("pipeline"),
                     "SELECT id, pipeline, stream, position, raw, reason, run_id, quarantined_at FROM "
                     "_shaduf_quarantine" +
                         where + " ORDER BY id LIMIT " + std::to_string(limit + 1),
                     [&](const RecordBatch& batch, size_t row) {
                         if (count++ >= limit) return;
                         json.begin_object();
                         for (size_t i = 0; i < std::size(kNames); ++i) json.field(kNames[i], cell(batch, i, row));
                         json.end_object();
                         last = cell(batch, 0, row);
                     }));
    json.end_array();
    write_text_or_null(json, "next", count > limit ? last : "");
    return ApiAnswer{.body = json.end_object().str()};
}

struct Chosen {
    const PipelineConfig* pipeline = nullptr;
    std::string stream;
    std::vector<std::string> ids;  // empty: all of the stream
    bool has_any = true;           // false: the reason has no rows
};

Result<Chosen> choose(ApiCall& call, const Project& project, const Json& body) {
    Chosen chosen;
    const std::string name = body["pipeline"];
    chosen.stream = body["stream"];
    for (const PipelineConfig& pipeline : project.pipelines) {
        if (pipeline.name == name) chosen.pipeline = &pipeline;
    }
    if (chosen.pipeline == nullptr) return not_found("pipeline", name);
    const auto& streams = chosen.pipeline->streams;
    if (std::none_of(streams.begin(), streams.end(),
                     [&](const StreamConfig& stream) { return stream.name == chosen.stream; })) {
        return not_found("stream", name + "." + chosen.stream);
    }
    if (body.contains("ids") && body["ids"].is_array()) chosen.ids = body["ids"].get<std::vector<std::string>>();
    if (!chosen.ids.empty() || !body.contains("reason") || !body["reason"].is_string()) return chosen;
    TRY(in_all_sinks(call, project, name,
                     "SELECT id FROM _shaduf_quarantine" +
                         condition({{"pipeline", name}, {"stream", chosen.stream}, {"reason", body["reason"]}}) +
                         " ORDER BY id LIMIT " + std::to_string(kIdsMax),
                     [&](const RecordBatch& batch, size_t row) { chosen.ids.push_back(cell(batch, 0, row)); }));
    chosen.has_any = !chosen.ids.empty();
    return chosen;
}

// The row as it is with the edits.
Result<std::string> mended(ApiCall& call, const Project& project, const std::string& id, const Json& edits) {
    std::string raw;
    TRY(in_all_sinks(call, project, "", "SELECT raw FROM _shaduf_quarantine WHERE id = " + Warehouse::literal(id),
                     [&](const RecordBatch& batch, size_t row) { raw = cell(batch, 0, row); }));
    if (raw.empty()) return not_found("row", id);
    std::vector<JsonEdit> changes;
    for (const auto& [path, value] : edits.items()) {
        JsonEdit edit;
        for (const std::string_view key : split(path, '.')) edit.path.emplace_back(key);
        edit.replacement = value.dump();
        changes.push_back(std::move(edit));
    }
    auto text = edit_json(raw, changes, "null");
    if (!text) return Error(ErrorKind::invalid_config, "the row is no JSON object, so it cannot be edited: " + id);
    for (const JsonEdit& edit : changes) {
        if (!edit.was_met) {
            return Error(ErrorKind::invalid_config, "the row has no such value: " + join(edit.path, ".") + " of " + id);
        }
    }
    return std::move(*text);
}

struct Outcome {
    int64_t replayed = 0;
    int64_t again = 0;
    std::string error;
};

Result<void> replay_some(ApiCall& call, const Project& project, const Chosen& chosen, ReplayOptions options,
                         Outcome& outcome) {
    LimitedRun limited(call.serve.world, kReplayLimit);
    options.stream = chosen.stream;
    const auto result = TRY(
        limited.explain(replay_quarantine(limited.run(), project, *chosen.pipeline, call.serve.connectors, options)));
    outcome.replayed += result.progress.rows_written;
    outcome.again += result.progress.rows_quarantined;
    if (result.error && outcome.error.empty()) outcome.error = result.error->to_string();
    return {};
}

Result<ApiAnswer> replay(ApiCall& call) {
    const auto project = TRY(project_of(call.serve));
    const Json body = Json::parse(call.request.body);
    Chosen chosen = TRY(choose(call, *project, body));
    const Json edits = body.contains("edits") && body["edits"].is_object() ? body["edits"] : Json::object();
    // All are tried out before the first is sent.
    std::vector<ReplayOptions> singles;
    for (const auto& [id, changes] : edits.items()) {
        if (!changes.is_object()) return Error(ErrorKind::invalid_config, "edits of a row are a map: " + id);
        singles.push_back({chosen.stream, {id}, TRY(mended(call, *project, id, changes))});
    }
    const bool has_ids = !chosen.ids.empty();
    std::erase_if(chosen.ids, [&](const std::string& id) { return edits.contains(id); });
    Outcome outcome;
    for (ReplayOptions& single : singles) TRY(replay_some(call, *project, chosen, std::move(single), outcome));
    const bool has_rest = has_ids ? !chosen.ids.empty() : singles.empty() && chosen.has_any;
    if (has_rest) TRY(replay_some(call, *project, chosen, {chosen.stream, chosen.ids, std::nullopt}, outcome));
    JsonWriter json;
    json.begin_object().field("replayed", outcome.replayed).field("again_quarantined", outcome.again);
    write_text_or_null(json, "error", outcome.error);
    return ApiAnswer{.body = json.end_object().str()};
}

Result<ApiAnswer> discard(ApiCall& call) {
    const auto project = TRY(project_of(call.serve));
    const Chosen chosen = TRY(choose(call, *project, Json::parse(call.request.body)));
    int64_t discarded = 0;
    if (chosen.has_any) {
        LimitedRun limited(call.serve.world, kReadLimit);
        const auto store = TRY(open_store(call.serve, *project, chosen.pipeline->sink));
        if (store->quarantine() == nullptr) return Error(ErrorKind::invalid_config, "the sink keeps no quarantine");
        QuarantineFilter filter{chosen.pipeline->name, chosen.stream, chosen.ids};
        discarded = TRY(limited.explain(store->quarantine()->purge_quarantine(limited.run(), filter)));
    }
    return ApiAnswer{.body = JsonWriter().begin_object().field("discarded", discarded).end_object().str()};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/quarantine",
     .id = "listQuarantine",
     .summary = "How many rows were turned away, and why.",
     .response = &kPageOf<kGroup>,
     .handle = list},
    {.method = "GET",
     .path = "/api/v1/quarantine/rows",
     .id = "listQuarantineRows",
     .summary = "Rows that were turned away.",
     .query = kRowsQuery,
     .response = &kPageOf<kRow>,
     .handle = rows},
    {.method = "POST",
     .path = "/api/v1/quarantine/replay",
     .id = "replayQuarantine",
     .summary = "Sends rows through the pipeline again, some of them mended.",
     .role = Role::operator_,
     .request = &kReplay,
     .response = &kReplayed,
     .handle = replay,
     .audited = "quarantine.replay"},
    {.method = "POST",
     .path = "/api/v1/quarantine/discard",
     .id = "discardQuarantine",
     .summary = "Removes rows for good.",
     .role = Role::operator_,
     .request = &kDiscard,
     .response = &kDiscarded,
     .handle = discard,
     .audited = "quarantine.discard"},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_quarantine;
const server::ApiSpec api_quarantine{
    .name = "quarantine", .summary = "Rows that were turned away.", .endpoints = server::kEndpoints};

}  // namespace shaduf
