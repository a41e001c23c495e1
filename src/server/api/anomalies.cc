#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/time.h"
#include "server/anomaly_views.h"
#include "server/answers.h"
#include "server/serve_context.h"

namespace shaduf::server {
namespace {

constexpr ShapeField kPage[] = {{"items", &kListOf<kAnomaly>}, {"next", &kText, "", true}};
constexpr Shape kAnomalies{.kind = ShapeKind::object, .fields = kPage};

constexpr ShapeField kTableFields[] = {
    {"table", &kText},
    {"flow", &kText, "That loaded it last.", true},
    {"loads", &kInteger, "That are known, at most 400."},
    {"learning", &kText, "What is still missing: \"learning, 3 of 8 loads\"; null: it is learned.", true},
    {"last_at", &kTime, "", true},
    {"late_at", &kTime, "When the next load will be late; null: that is being learned, or nobody expects one.", true},
    {"rows_usual", &kNumber, "At the hour of the last load.", true},
};
constexpr Shape kTable{.kind = ShapeKind::object, .name = "WatchedTable", .fields = kTableFields};

constexpr ShapeField kMuteFields[] = {{"until", &kTime}};
constexpr Shape kMute{.kind = ShapeKind::object, .fields = kMuteFields};

Result<ApiAnswer> list(ApiCall& call) {
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const auto& [table, anomaly] : TRY(open_anomalies(call.serve.anomalies))) {
        write_anomaly(json, table, anomaly);
    }
    return ApiAnswer{.body = json.end_array().key("next").null().end_object().str()};
}

Result<ApiAnswer> list_tables(ApiCall& call) {
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    std::vector<observe::AnomalyWatch::TableState> tables;
    if (call.serve.anomalies != nullptr) tables = TRY(call.serve.anomalies->tables());
    for (const auto& table : tables) {
        json.begin_object().field("table", table.table);
        write_text_or_null(json, "flow", table.flow);
        json.field("loads", static_cast<int64_t>(table.loads));
        write_text_or_null(json, "learning", table.learning);
        write_time(json, "last_at", table.last);
        write_time(json, "late_at", table.late_at);
        json.key("rows_usual");
        table.rows_usual ? void(json.number(*table.rows_usual)) : void(json.null());
        json.end_object();
    }
    return ApiAnswer{.body = json.end_array().key("next").null().end_object().str()};
}

struct Target {
    std::string table;
    observe::AnomalyKind kind;
};

Result<Target> target_of(const ApiCall& call) {
    const std::string& name = call.path.at("kind");
    const auto kind = observe::anomaly_kind_of(name);
    if (!kind) {
        return Error(ErrorKind::invalid_config,
                     "no kind of anomaly: " + name + "; known: freshness, volume, zero_rows");
    }
    if (call.serve.anomalies == nullptr) return not_found("table", call.path.at("table"));
    return Target{call.path.at("table"), *kind};
}

Result<ApiAnswer> mute(ApiCall& call) {
    const Target target = TRY(target_of(call));
    const auto body = nlohmann::json::parse(call.request.body, nullptr, false);
    const auto until = parse_timestamp(body.value("until", ""));
    if (!until) return Error(ErrorKind::invalid_config, "until is no time: " + body.value("until", ""));
    const Timestamp time{std::chrono::microseconds(until->microseconds)};
    if (!TRY(call.serve.anomalies->mute(target.table, target.kind, time))) return not_found("table", target.table);
    return ApiAnswer{};
}

Result<ApiAnswer> call_usual(ApiCall& call) {
    const Target target = TRY(target_of(call));
    if (!TRY(call.serve.anomalies->call_usual(target.table, target.kind))) return not_found("table", target.table);
    return ApiAnswer{};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/anomalies",
     .id = "listAnomalies",
     .summary = "Tables that are not as usual: late, or with another number of rows; the newest first.",
     .response = &kAnomalies,
     .handle = list},
    {.method = "GET",
     .path = "/api/v1/anomalies/tables",
     .id = "listWatchedTables",
     .summary = "What is known of each table's loads, and what is still being learned.",
     .response = &kPageOf<kTable>,
     .handle = list_tables},
    {.method = "POST",
     .path = "/api/v1/anomalies/{kind}/{table}/mute",
     .id = "muteAnomaly",
     .summary = "Nobody is told of it before a time.",
     .role = Role::operator_,
     .request = &kMute,
     .handle = mute,
     .audited = "anomaly.mute"},
    {.method = "POST",
     .path = "/api/v1/anomalies/{kind}/{table}/usual",
     .id = "callAnomalyUsual",
     .summary = "What stands there is usual: it is over, and learned from.",
     .role = Role::operator_,
     .handle = call_usual,
     .audited = "anomaly.usual"},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_anomalies;
const server::ApiSpec api_anomalies{
    .name = "anomalies", .summary = "Tables that are not as usual.", .endpoints = server::kEndpoints};

}  // namespace shaduf
