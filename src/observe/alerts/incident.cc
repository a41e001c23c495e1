#include "observe/alerts/incident.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/text.h"

namespace shaduf::observe {
namespace {

constexpr std::string_view kStates[] = {"pending", "gathering", "firing", "settling", "resolved"};
constexpr std::string_view kKinds[] = {"fired", "reminder", "resolved", "test"};
constexpr int64_t kVersion = 1;
// Beyond these many matters only what tells them apart is kept, so that a storm is a small value, too.
constexpr size_t kWholeMattersMax = 20;
constexpr size_t kTextMax = 2'000;

void write_time(JsonWriter& json, std::string_view name, const std::optional<Timestamp>& time) {
    if (time) json.field(name, int64_t{time->time_since_epoch().count()});
}
void write_flag(JsonWriter& json, std::string_view name, bool value) { json.key(name).boolean(value); }

// Without cutting a character in two.
std::string_view cut(std::string_view text, size_t bytes) {
    if (text.size() <= bytes) return text;
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
    return text.substr(0, bytes);
}

void write_matter(JsonWriter& json, const Matter& matter, bool is_whole) {
    const Signal& signal = matter.signal;
    json.begin_object().field("key", signal.key).field("kind", signal.kind);
    json.field("severity", static_cast<int64_t>(signal.severity)).field("at", signal.at.time_since_epoch().count());
    json.field("title", cut(signal.title, kTextMax)).field("occurrence", signal.occurrence);
    json.field("since", matter.since.time_since_epoch().count()).field("times", matter.times);
    write_flag(json, "over", matter.is_over);
    if (is_whole) {
        json.field("flow", signal.flow).field("pipeline", signal.pipeline).field("table", signal.table);
        json.field("owner", signal.owner).field("text", cut(signal.text, kTextMax));
        json.field("cause", cut(signal.cause, kTextMax)).field("advice", cut(signal.advice, kTextMax));
        json.field("path", signal.path).key("labels").begin_object();
        for (const auto& [name, value] : signal.labels) json.field(name, value);
        json.end_object();
    }
    json.end_object();
}

void write_route(JsonWriter& json, const Route& route) {
    json.begin_object().field("channel", route.channel).field("owes", static_cast<int64_t>(route.owes));
    write_flag(json, "told", route.is_told);
    write_flag(json, "may_be_told", route.may_be_told);
    json.field("tries", int64_t{route.tries}).field("sent", int64_t{route.sent}).field("reference", route.reference);
    write_time(json, "owed_since", route.owed_since);
    write_time(json, "next_try", route.next_try);
    write_time(json, "told_at", route.told_at);
    json.key("attempts").begin_array();
    for (const Attempt& attempt : route.attempts) {
        json.begin_object().field("kind", static_cast<int64_t>(attempt.kind));
        write_time(json, "at", attempt.at);
        write_flag(json, "ok", attempt.is_ok);
        json.field("error", attempt.error).end_object();
    }
    json.end_array().end_object();
}

using Json = nlohmann::json;

Timestamp read_time(const Json& json, const char* name) {
    return Timestamp(std::chrono::microseconds(json.value(name, int64_t{0})));
}
std::optional<Timestamp> read_time_or_none(const Json& json, const char* name) {
    return json.contains(name) ? std::optional(read_time(json, name)) : std::nullopt;
}
int read_int(const Json& json, const char* name) { return static_cast<int>(json.value(name, int64_t{0})); }

Matter read_matter(const Json& json) {
    Matter matter;
    Signal& signal = matter.signal;
    signal.key = json.at("key").get<std::string>();
    signal.kind = json.value("kind", "");
    signal.severity = static_cast<Severity>(std::clamp(read_int(json, "severity"), 0, 2));
    signal.at = read_time(json, "at");
    signal.title = json.value("title", "");
    signal.occurrence = json.value("occurrence", "");
    signal.flow = json.value("flow", "");
    signal.pipeline = json.value("pipeline", "");
    signal.table = json.value("table", "");
    signal.owner = json.value("owner", "");
    signal.text = json.value("text", "");
    signal.cause = json.value("cause", "");
    signal.advice = json.value("advice", "");
    signal.path = json.value("path", "");
    if (json.contains("labels")) signal.labels = json.at("labels").get<std::map<std::string, std::string>>();
    matter.since = read_time(json, "since");
    matter.times = json.value("times", int64_t{1});
    matter.is_over = json.value("over", false);
    return matter;
}

Route read_route(const Json& json) {
    Route route;
    route.channel = json.at("channel").get<std::string>();
    route.owes = static_cast<Route::Owes>(std::clamp(read_int(json, "owes"), 0, 3));
    route.is_told = json.value("told", false);
    route.may_be_told = json.value("may_be_told", false);
    route.tries = read_int(json, "tries");
    route.sent = read_int(json, "sent");
    route.reference = json.value("reference", "");
    route.owed_since = read_time(json, "owed_since");
    route.next_try = read_time(json, "next_try");
    route.told_at = read_time(json, "told_at");
    for (const Json& one : json.at("attempts")) {
        route.attempts.push_back({static_cast<MessageKind>(std::clamp(read_int(one, "kind"), 0, 3)),
                                  read_time(one, "at"), one.value("ok", false), one.value("error", "")});
    }
    return route;
}

Incident read_incident(const Json& json) {
    Incident incident;
    incident.id = json.at("id").get<std::string>();
    incident.rule = json.at("rule").get<std::string>();
    incident.group = json.value("group", "");
    const auto state = json.at("state").get<std::string>();
    const auto found = std::find(std::begin(kStates), std::end(kStates), state);
    if (found == std::end(kStates)) throw std::out_of_range("state " + state);
    incident.state = static_cast<IncidentState>(found - std::begin(kStates));
    incident.severity = static_cast<Severity>(std::clamp(read_int(json, "severity"), 0, 2));
    incident.opened = read_time(json, "opened");
    incident.waits = std::chrono::milliseconds(json.value("waits_ms", int64_t{0}));
    incident.fires_at = read_time(json, "fires_at");
    incident.fired = read_time_or_none(json, "fired");
    incident.settles_at = read_time(json, "settles_at");
    incident.resolved = read_time_or_none(json, "resolved");
    incident.flaps = read_int(json, "flaps");
    incident.is_told_anyway = json.value("told_anyway", false);
    incident.muted_until = read_time_or_none(json, "muted_until");
    for (const Json& matter : json.at("matters")) incident.matters.push_back(read_matter(matter));
    for (const Json& route : json.at("routes")) incident.routes.push_back(read_route(route));
    return incident;
}

}  // namespace

std::string_view to_string(MessageKind kind) { return kKinds[static_cast<size_t>(kind)]; }
std::string_view to_string(IncidentState state) { return kStates[static_cast<size_t>(state)]; }

bool Incident::is_all_over() const {
    return std::all_of(matters.begin(), matters.end(), [](const Matter& matter) { return matter.is_over; });
}

int64_t Incident::open_matters() const {
    return std::count_if(matters.begin(), matters.end(), [](const Matter& matter) { return !matter.is_over; });
}

Matter* Incident::find(const std::string& key) {
    const auto found =
        std::find_if(matters.begin(), matters.end(), [&](const Matter& matter) { return matter.signal.key == key; });
    return found == matters.end() ? nullptr : &*found;
}

Route* Incident::route(const std::string& channel) {
    const auto found =
        std::find_if(routes.begin(), routes.end(), [&](const Route& route) { return route.channel == channel; });
    return found == routes.end() ? nullptr : &*found;
}

std::string Incident::title() const {
    if (matters.empty()) return group;
    if (matters.size() == 1) return matters.front().signal.title;
    const auto& kind = matters.front().signal.kind;
    const bool is_one_kind =
        std::all_of(matters.begin(), matters.end(), [&](const Matter& matter) { return matter.signal.kind == kind; });
    std::string what = is_one_kind ? kind : "matters";
    std::replace(what.begin(), what.end(), '_', ' ');
    return format_count(static_cast<int64_t>(matters.size())) + " x " + what + ": " + matters.front().signal.title +
           " and others";
}

std::string incident_to_text(const Incident& incident) {
    JsonWriter json;
    json.begin_object().field("version", kVersion).field("id", incident.id).field("rule", incident.rule);
    json.field("group", incident.group).field("state", to_string(incident.state));
    json.field("severity", static_cast<int64_t>(incident.severity));
    write_time(json, "opened", incident.opened);
    json.field("waits_ms", int64_t{incident.waits.count()});
    write_time(json, "fires_at", incident.fires_at);
    write_time(json, "fired", incident.fired);
    write_time(json, "settles_at", incident.settles_at);
    write_time(json, "resolved", incident.resolved);
    json.field("flaps", int64_t{incident.flaps});
    write_flag(json, "told_anyway", incident.is_told_anyway);
    write_time(json, "muted_until", incident.muted_until);
    json.key("matters").begin_array();
    for (size_t i = 0; i < incident.matters.size(); ++i) write_matter(json, incident.matters[i], i < kWholeMattersMax);
    json.end_array().key("routes").begin_array();
    for (const Route& route : incident.routes) write_route(json, route);
    return json.end_array().end_object().str();
}

Result<Incident> incident_from_text(const std::string& text) {
    try {
        const Json json = Json::parse(text);
        const int64_t version = json.value("version", int64_t{0});
        if (version == kVersion) return read_incident(json);
        return Error(ErrorKind::bad_data, "incident of version " + std::to_string(version) + ", this program knows " +
                                              std::to_string(kVersion) + "; run the program that wrote it");
    } catch (const std::exception& thrown) {
        return Error(ErrorKind::bad_data, std::string("not an incident: ") + thrown.what());
    }
}

}  // namespace shaduf::observe
