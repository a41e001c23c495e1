#include "sandbox/clevertap/exports.h"

#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "io/crypto.h"
#include "io/url.h"
#include "sandbox/clevertap/events.h"

namespace shaduf::sandbox::clevertap {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kBatchMax = 5000;
constexpr int64_t kBatchDefault = 10;
constexpr uint64_t kUsersMax = 400;
constexpr std::string_view kCursorStart = "A+";

struct Cursor {
    std::string event;
    DayRange days{};
    int64_t batch = 0;
    int64_t told = 0;

    // Begins with a sign that means something in a URL, so that it must be sent encoded: as CleverTap's are.
    std::string to_text() const {
        const Json json = {event, days.since, days.until, batch, told};
        return std::string(kCursorStart) + to_base64(json.dump());
    }
    static std::optional<Cursor> parse(std::string_view text) {
        if (!text.starts_with(kCursorStart)) return std::nullopt;
        const auto bytes = from_base64(text.substr(kCursorStart.size()));
        if (!bytes.ok()) return std::nullopt;
        const Json json = Json::parse(bytes.value(), nullptr, false);
        if (!json.is_array() || json.size() != 5 || !json[0].is_string()) return std::nullopt;
        for (size_t i = 1; i < json.size(); ++i) {
            if (!json[i].is_number_integer()) return std::nullopt;
        }
        return Cursor{json[0].get<std::string>(),
                      {json[1].get<int32_t>(), json[2].get<int32_t>()},
                      json[3].get<int64_t>(),
                      json[4].get<int64_t>()};
    }
};

Json profile_json(const Entity& project, uint64_t user) {
    return {{"objectId", object_id_of(project, user)},
            {"platform", user % 2 == 0 ? "Android" : "iOS"},
            {"email", identity_of(project, user) + "@example.com"},
            {"identity", identity_of(project, user)},
            {"name", "User " + std::to_string(user)},
            {"profileData", {{"Plan", user % 3 == 0 ? "gold" : "free"}}},
            {"all_identities", Json::array({identity_of(project, user)})}};
}

Json event_json(const Entity& project, std::string_view name, const Event& event, const AccountDetails& details) {
    Json props = Json::object();
    if (name == "Charged") {
        props["Amount"] = static_cast<double>(event.amount) / 100;
        props["Currency"] = details.currency;
    }
    return {{"profile", profile_json(project, event.user)},
            {"ts", event.ts},
            {"event_props", props},
            {"session_props", {{"utm_source", event.user % 4 == 0 ? "newsletter" : "ads"}, {"session_source", "app"}}}};
}

// As an export of profiles tells them.
Json whole_profile_json(const Entity& project, uint64_t user, std::string_view event, int64_t count) {
    Json profile = profile_json(project, user);
    Json events = Json::object();
    events[std::string(event)] = {{"count", count}};
    return {{"identity", profile["identity"]},
            {"email", profile["email"]},
            {"profileData", profile["profileData"]},
            {"events", events},
            {"platformInfo", Json::array({{{"platform", profile["platform"]}, {"objectId", profile["objectId"]}}})}};
}

void change_fields(Json& record, const std::vector<FieldChange>& changes) {
    for (const FieldChange& change : changes) {
        if (change.kind == FieldChange::Kind::added) {
            record[change.field] = Json::parse(change.value, nullptr, false);
            continue;
        }
        if (change.kind == FieldChange::Kind::renamed && record.contains(change.field))
            record[change.value] = record[change.field];
        record.erase(change.field);
    }
}

std::vector<Json> records_of(const World& world, const Entity& project, const Cursor& cursor, Exported what) {
    std::vector<Json> records;
    std::map<uint64_t, int64_t> users;
    for (int32_t day = cursor.days.since; day <= cursor.days.until; ++day) {
        for_each_event(world, project, cursor.event, day, [&](const Event& event) {
            if (what == Exported::profiles) {
                ++users[event.user];
            } else {
                records.push_back(event_json(project, cursor.event, event, world.details(project)));
            }
        });
    }
    for (const auto& [user, count] : users) records.push_back(whole_profile_json(project, user, cursor.event, count));
    return records;
}

std::optional<int32_t> day_member(const Json& body, const char* name) {
    const auto found = body.find(name);
    if (found == body.end()) return std::nullopt;
    return parse_compact_day(found->is_string() ? found->get<std::string>() : found->dump());
}

}  // namespace

HttpServerResponse json_answer(int status, const Json& body) {
    return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = body.dump()};
}

HttpServerResponse fail(int status, const std::string& error, int code) {
    return json_answer(status, {{"status", "fail"}, {"error", error}, {"code", code}});
}

std::optional<DayRange> read_days(const Json& body) {
    const auto from = day_member(body, "from");
    const auto to = day_member(body, "to");
    if (!from || !to || *to < *from) return std::nullopt;
    return DayRange{*from, *to};
}

HttpServerResponse begin_export(const HttpServerRequest& request) {
    const std::string text = request.method == "POST" ? request.body : std::string(request.query_value("query"));
    const Json body = Json::parse(text, nullptr, false);
    if (!body.is_object() || !body.contains("event_name") || !body["event_name"].is_string())
        return fail(400, "Mandatory field event_name is missing", 400);
    Cursor cursor;
    cursor.event = body["event_name"].get<std::string>();
    if (cursor.event == kNotExported) return fail(400, "Export not allowed for this event", 400);
    if (!is_event(cursor.event)) return fail(400, "Invalid event name", 513);
    const auto days = read_days(body);
    if (!days) return fail(400, "Invalid date range", 400);
    cursor.days = *days;
    cursor.batch = kBatchDefault;
    if (const std::string_view size = request.query_value("batch_size"); !size.empty()) {
        const auto [end, failed] = std::from_chars(size.data(), size.data() + size.size(), cursor.batch);
        if (failed != std::errc() || end != size.data() + size.size() || cursor.batch < 1 || cursor.batch > kBatchMax)
            return fail(400, "Invalid batch_size: 1 to 5000", 400);
    }
    return json_answer(200, {{"status", "success"}, {"cursor", percent_encode(cursor.to_text())}});
}

HttpServerResponse answer_page(const HttpServerRequest& request, const Environment& environment, const World& world,
                               const Entity& project, Exported what, const PageFaults& faults) {
    auto cursor = Cursor::parse(request.query_value("cursor"));
    if (!cursor) return fail(400, "Invalid cursor", 400);
    auto records = records_of(world, project, *cursor, what);
    const auto changes = environment.field_changes(what == Exported::events ? cursor->event : "profiles");
    Json page = Json::array();
    const auto first = static_cast<size_t>(cursor->told);
    size_t last = std::min(records.size(), first + static_cast<size_t>(cursor->batch));
    if (faults.empty) last = first;
    for (size_t i = first; i < last; ++i) {
        change_fields(records[i], changes);
        page.push_back(std::move(records[i]));
    }
    Json body = {{"status", "success"}, {"records", std::move(page)}};
    if (faults.empty) ++cursor->batch;  // another cursor, for the same records
    cursor->told = static_cast<int64_t>(last);
    if (faults.repeat) {
        body["next_cursor"] = percent_encode(request.query_value("cursor"));
    } else if (last < records.size() || faults.empty) {
        body["next_cursor"] = percent_encode(cursor->to_text());
    }
    return json_answer(200, body);
}

HttpServerResponse answer_profile(const HttpServerRequest& request, const Entity& project) {
    for (uint64_t user = 0; user < kUsersMax; ++user) {
        if (request.query_value("identity") == identity_of(project, user) ||
            request.query_value("objectId") == object_id_of(project, user) ||
            request.query_value("email") == identity_of(project, user) + "@example.com")
            return json_answer(
                200, {{"status", "success"}, {"record", whole_profile_json(project, user, "App Launched", 1)}});
    }
    return fail(404, "Profile not found", 404);
}

}  // namespace shaduf::sandbox::clevertap
