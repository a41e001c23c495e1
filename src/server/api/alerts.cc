#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "observe/alerts/alerts.h"
#include "server/answers.h"
#include "server/endpoint.h"
#include "server/serve_context.h"

namespace shaduf::server {
namespace {

using observe::Alerts;
using observe::Incident;
using observe::IncidentState;
using observe::Matter;
using observe::Route;

constexpr int64_t kPageMax = 1'000;
constexpr size_t kMattersShown = 100;

constexpr ShapeField kDeliveryFields[] = {
    {"channel", &kText},
    {"kind", &kText, "fired, reminder, resolved."},
    {"at", &kTime},
    {"ok", &kBoolean},
    {"error", &kText, "Why not; or what there is to say though it was delivered.", true},
};
constexpr Shape kDelivery{.kind = ShapeKind::object, .name = "AlertDelivery", .fields = kDeliveryFields};
constexpr ShapeField kOwedFields[] = {
    {"channel", &kText},
    {"kind", &kText, "What it is to be told: fired, reminder, resolved."},
    {"tries", &kInteger},
    {"next_try", &kTime},
};
constexpr Shape kOwed{.kind = ShapeKind::object, .name = "AlertOwed", .fields = kOwedFields};
constexpr ShapeField kMatterFields[] = {
    {"key", &kText},
    {"kind", &kText},
    {"title", &kText},
    {"flow", &kText, "", true},
    {"table", &kText, "", true},
    {"link", &kText, "Of the page that shows it.", true},
    {"since", &kTime},
    {"times", &kInteger},
    {"over", &kBoolean},
};
constexpr Shape kMatter{.kind = ShapeKind::object, .name = "AlertMatter", .fields = kMatterFields};

constexpr ShapeField kAlertFields[] = {
    {"id", &kText},
    {"rule", &kText},
    {"group", &kText, "What its matters have in common.", true},
    {"kind", &kText},
    {"severity", &kText, "info, warning, error."},
    {"state", &kText, "firing, muted, resolved."},
    {"title", &kText},
    {"text", &kText, "What happened, with the error.", true},
    {"cause", &kText, "Why it may be.", true},
    {"advice", &kText, "What to do.", true},
    {"link", &kText, "Of the page that shows it.", true},
    {"first_at", &kTime},
    {"last_at", &kTime},
    {"resolved_at", &kTime, "", true},
    {"muted_until", &kTime, "", true},
    {"count", &kInteger, "Of matters."},
    {"matters", &kListOf<kMatter>, "At most 100 of them."},
    {"deliveries", &kListOf<kDelivery>, "The last tries."},
    {"owed", &kListOf<kOwed>, "Who is still to be told."},
};
constexpr Shape kAlert{.kind = ShapeKind::object, .name = "Alert", .fields = kAlertFields};

constexpr QueryParamSpec kListQuery[] = {
    {"state", &kText, "Only these, with commas between: firing, muted, resolved."},
    {"limit", &kInteger, "At most so many; at most 1000.", "100"},
    {"after", &kText, "The cursor of the page before."},
};
constexpr ShapeField kMuteFields[] = {{"until", &kTime, "Nobody is told before; null: people are told again.", true}};
constexpr Shape kMute{.kind = ShapeKind::object, .name = "AlertMute", .fields = kMuteFields};

constexpr ShapeField kChannelFields[] = {
    {"name", &kText}, {"type", &kText}, {"to", &kText, "Where it leads, without what is secret."}};
constexpr Shape kChannel{.kind = ShapeKind::object, .name = "AlertChannel", .fields = kChannelFields};
constexpr ShapeField kTestedFields[] = {
    {"ok", &kBoolean}, {"error", &kText, "", true}, {"note", &kText, "Delivered, but.", true}};
constexpr Shape kTested{.kind = ShapeKind::object, .name = "AlertChannelTest", .fields = kTestedFields};

Result<Alerts*> alerts_of(ServeContext& serve) {
    if (serve.alerts != nullptr) return serve.alerts;
    return Error(ErrorKind::unavailable, "this process watches nothing");
}

std::string_view state_of(const Alerts::Shown& shown) {
    if (!shown.incident.is_open()) return "resolved";
    return shown.is_mute ? "muted" : "firing";
}

std::string_view severity_of(Severity severity) {
    return severity == Severity::info ? "info" : severity == Severity::warning ? "warning" : "error";
}

void write_matters(JsonWriter& json, const Incident& incident) {
    json.key("matters").begin_array();
    for (size_t i = 0; i < std::min(kMattersShown, incident.matters.size()); ++i) {
        const Matter& matter = incident.matters[i];
        json.begin_object().field("key", matter.signal.key).field("kind", matter.signal.kind);
        json.field("title", matter.signal.title);
        write_text_or_null(json, "flow", matter.signal.flow);
        write_text_or_null(json, "table", matter.signal.table);
        write_text_or_null(json, "link", matter.signal.path);
        json.field("since", format_timestamp(matter.since)).field("times", matter.times);
        write_flag(json, "over", matter.is_over);
        json.end_object();
    }
    json.end_array();
}

void write_routes(JsonWriter& json, const Incident& incident) {
    json.key("deliveries").begin_array();
    for (const Route& route : incident.routes) {
        for (const auto& attempt : route.attempts) {
            json.begin_object().field("channel", route.channel).field("kind", to_string(attempt.kind));
            json.field("at", format_timestamp(attempt.at));
            write_flag(json, "ok", attempt.is_ok);
            write_text_or_null(json, "error", attempt.error);
            json.end_object();
        }
    }
    json.end_array().key("owed").begin_array();
    for (const Route& route : incident.routes) {
        if (route.owes == Route::Owes::nothing) continue;
        const char* kind = route.owes == Route::Owes::fired      ? "fired"
                           : route.owes == Route::Owes::reminder ? "reminder"
                                                                 : "resolved";
        json.begin_object().field("channel", route.channel).field("kind", kind).field("tries", int64_t{route.tries});
        json.field("next_try", format_timestamp(route.next_try)).end_object();
    }
    json.end_array();
}

void write_alert(JsonWriter& json, const Alerts::Shown& shown) {
    const Incident& incident = shown.incident;
    const auto open = std::find_if(incident.matters.begin(), incident.matters.end(),
                                   [](const Matter& matter) { return !matter.is_over; });
    const observe::Signal& signal = (open == incident.matters.end() ? incident.matters.front() : *open).signal;
    Timestamp last = incident.opened;
    for (const Matter& matter : incident.matters) last = std::max(last, matter.signal.at);
    json.begin_object().field("id", incident.id).field("rule", incident.rule);
    write_text_or_null(json, "group", incident.group);
    json.field("kind", signal.kind).field("severity", severity_of(incident.severity)).field("state", state_of(shown));
    json.field("title", incident.title());
    write_text_or_null(json, "text", signal.text);
    write_text_or_null(json, "cause", signal.cause);
    write_text_or_null(json, "advice", signal.advice);
    write_text_or_null(json, "link", signal.path);
    json.field("first_at", format_timestamp(incident.opened)).field("last_at", format_timestamp(last));
    write_time(json, "resolved_at", incident.resolved);
    write_time(json, "muted_until", incident.muted_until);
    json.field("count", static_cast<int64_t>(incident.matters.size()));
    write_matters(json, incident);
    write_routes(json, incident);
    json.end_object();
}

Result<ApiAnswer> list(ApiCall& call) {
    const auto shown = TRY(TRY(alerts_of(call.serve))->list());
    const std::string states = call.query("state"), after = call.query("after");
    const auto wanted = split(states, ',');
    const auto limit = static_cast<size_t>(std::clamp<int64_t>(call.query_integer("limit"), 1, kPageMax));
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    size_t written = 0;
    std::string next, last;
    for (const Alerts::Shown& one : shown) {
        const bool is_wanted = states.empty() || std::find(wanted.begin(), wanted.end(), state_of(one)) != wanted.end();
        if (!is_wanted || (!after.empty() && one.incident.id >= after) || one.incident.matters.empty()) continue;
        if (written == limit) {
            next = last;
            break;
        }
        write_alert(json, one);
        last = one.incident.id;
        ++written;
    }
    json.end_array();
    write_text_or_null(json, "next", next);
    return ApiAnswer{.body = json.end_object().str()};
}

Result<ApiAnswer> mute(ApiCall& call) {
    const auto body = nlohmann::json::parse(call.request.body, nullptr, false);
    std::optional<Timestamp> until;
    if (body.is_object() && body.contains("until") && body["until"].is_string()) {
        const auto parsed = parse_timestamp(body["until"].get<std::string>());
        if (!parsed) return Error(ErrorKind::invalid_config, "until: not a time");
        until = Timestamp(std::chrono::microseconds(parsed->microseconds));
    }
    Alerts& alerts = *TRY(alerts_of(call.serve));
    const std::string& id = call.path["id"];
    const auto shown = TRY(alerts.list());
    if (std::none_of(shown.begin(), shown.end(), [&](const auto& one) { return one.incident.id == id; })) {
        return not_found("alert", id);
    }
    TRY(alerts.mute(id, until));
    return ApiAnswer{.status = 204};
}

Result<ApiAnswer> channels(ApiCall& call) {
    const auto settings = TRY(alerts_of(call.serve))->settings();
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const observe::AlertChannel& channel : settings->channels) {
        json.begin_object().field("name", channel.name).field("type", channel.spec->name);
        json.field("to", channel.spec->address(channel.options)).end_object();
    }
    return ApiAnswer{.body = json.end_array().key("next").null().end_object().str()};
}

Result<ApiAnswer> test(ApiCall& call) {
    Alerts& alerts = *TRY(alerts_of(call.serve));
    const std::string& name = call.path["name"];
    if (alerts.settings()->channel(name) == nullptr) return not_found("alert channel", name);
    const auto outcome = TRY(alerts.test(name, call.serve.world));
    JsonWriter json;
    json.begin_object();
    write_flag(json, "ok", outcome.is_delivered);
    write_text_or_null(json, "error", outcome.error ? outcome.error->to_string() : "");
    write_text_or_null(json, "note", outcome.note);
    return ApiAnswer{.body = json.end_object().str()};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/alerts",
     .id = "listAlerts",
     .summary = "What people are told of, newest first.",
     .query = kListQuery,
     .response = &kPageOf<kAlert>,
     .handle = list},
    {.method = "POST",
     .path = "/api/v1/alerts/{id}/mute",
     .id = "muteAlert",
     .summary = "Nobody is told of an alert for a time; that it is over is told all the same.",
     .role = Role::operator_,
     .request = &kMute,
     .handle = mute,
     .audited = "alert.mute"},
    {.method = "GET",
     .path = "/api/v1/alert-channels",
     .id = "listAlertChannels",
     .summary = "Ways to tell people.",
     .response = &kPageOf<kChannel>,
     .handle = channels},
    {.method = "POST",
     .path = "/api/v1/alert-channels/{name}/test",
     .id = "testAlertChannel",
     .summary = "Sends a message of trial, in one try.",
     .role = Role::operator_,
     .response = &kTested,
     .handle = test,
     .audited = "alert_channel.test"},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_alerts;
const server::ApiSpec api_alerts{
    .name = "alerts", .summary = "What people are told of.", .endpoints = server::kEndpoints};

}  // namespace shaduf
