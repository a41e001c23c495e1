#include "sandbox/clevertap/reports.h"

#include <nlohmann/json.hpp>

#include "base/time.h"
#include "io/crypto.h"
#include "sandbox/clevertap/events.h"
#include "sandbox/clevertap/exports.h"
#include "sandbox/world/zone.h"

namespace shaduf::sandbox::clevertap {
namespace {

using Json = nlohmann::ordered_json;

constexpr int32_t kResultDays = 7;
constexpr int32_t kNoResultDays = 2;  // so long after it was sent a campaign has none
constexpr size_t kUploadMax = 1000;
constexpr int32_t kWindowDaysMax = 31;

int64_t local_micros(const World& world, const Entity& entity) {
    const auto local = entity.created + std::chrono::seconds(world.details(entity).zone->offset_at(entity.created));
    return local.time_since_epoch().count();
}

Json numbers_of(const World& world, const Entity& entity) {
    const Metrics metrics = world.measure_range(entity, entity.first_day, entity.first_day + kResultDays - 1);
    return {{"sent", metrics.impressions}, {"viewed", metrics.engagements}, {"clicked", metrics.link_clicks}};
}

int64_t number_of(const Entity& entity) { return std::stoll(entity.id); }

}  // namespace

int32_t sent_day(const World& world, const Entity& entity) {
    return world.details(entity).zone->day_at(entity.created);
}

std::string sent_stamp(const World& world, const Entity& entity) {
    const std::string text = format_timestamp(local_micros(world, entity), false);  // 2026-01-31T15:30:...
    return compact_day(sent_day(world, entity)) + text.substr(11, 2) + text.substr(14, 2);
}

HttpServerResponse answer_counts(const HttpServerRequest& request, const World& world, const Entity& project,
                                 bool is_partial) {
    std::string text = request.body;
    if (request.method == "GET") {
        const auto bytes = from_base64(request.query_value("req_id"));
        text = bytes.ok() ? bytes.value() : "";
    }
    const Json body = Json::parse(text, nullptr, false);
    if (!body.is_object() || !body.contains("event_name") || !body["event_name"].is_string())
        return fail(400, "Mandatory field event_name is missing", 400);
    const auto days = read_days(body);
    const std::string event = body["event_name"].get<std::string>();
    if (!days) return fail(400, "Invalid date range", 400);
    if (!is_event(event)) return fail(400, "Invalid event name", 513);
    if (is_partial) return json_answer(200, {{"status", "partial"}, {"req_id", to_base64(text)}});
    int64_t count = 0;
    for (int32_t day = days->since; day <= days->until; ++day) count += count_events(world, project, event, day);
    return json_answer(200, {{"status", "success"}, {"count", count}});
}

HttpServerResponse answer_targets(const HttpServerRequest& request, const World& world, const Entity& project) {
    const Json body = Json::parse(request.body, nullptr, false);
    const auto days = body.is_object() ? read_days(body) : std::nullopt;
    if (!days || days->until - days->since >= kWindowDaysMax) return fail(400, "Invalid date range", 400);
    Json targets = Json::array();
    for (const Entity& campaign : world.entities(Level::campaign)) {
        const int32_t day = sent_day(world, campaign);
        if (campaign.account != project.account || day < days->since || day > days->until) continue;
        targets.push_back({{"id", number_of(campaign)},
                           {"name", campaign.name},
                           {"scheduled_on", std::stoll(sent_stamp(world, campaign))},
                           {"status", "completed"}});
    }
    return json_answer(200, {{"status", "success"}, {"targets", targets}});
}

HttpServerResponse answer_result(const HttpServerRequest& request, const World& world, const Entity& project) {
    const Json body = Json::parse(request.body, nullptr, false);
    const Json id = body.is_object() && body.contains("id") ? body["id"] : Json(nullptr);
    const Entity* campaign = world.find(Level::campaign, id.is_string() ? id.get<std::string>() : id.dump());
    if (campaign == nullptr || campaign->account != project.account) return fail(400, "Target not found", 400);
    if (world.details(project).today - sent_day(world, *campaign) < kNoResultDays)
        return fail(500, "This target has no result as of yet", 500);
    return json_answer(200, {{"status", "success"}, {"result", numbers_of(world, *campaign)}});
}

HttpServerResponse answer_messages(const HttpServerRequest& request, const World& world, const Entity& project) {
    const Json body = Json::parse(request.body, nullptr, false);
    const auto days = body.is_object() ? read_days(body) : std::nullopt;
    if (!days) return fail(400, "Invalid date range", 400);
    Json messages = Json::array();
    for (const Entity& group : world.entities(Level::ad_group)) {
        const int32_t day = sent_day(world, group);
        if (group.account != project.account || day < days->since || day > days->until) continue;
        messages.push_back({{"message id", number_of(group)},
                            {"message_name", group.name},
                            {"status", "completed"},
                            {"channel", group.kind % 2 == 0 ? "push" : "email"},
                            {"delivery", "one_time"},
                            {"start_date", sent_stamp(world, group)},
                            {"labels", Json::array()},
                            {"data", Json::array({numbers_of(world, group)})}});
    }
    return json_answer(200, {{"status", "success"}, {"total_results", messages.size()}, {"messages", messages}});
}

// Checks what comes, and keeps none of it.
HttpServerResponse answer_upload(const HttpServerRequest& request) {
    const Json body = Json::parse(request.body, nullptr, false);
    if (!body.is_object() || !body.contains("d") || !body["d"].is_array() || body["d"].size() > kUploadMax)
        return fail(400, "Expected a list d of 1000 records at most", 400);
    Json unprocessed = Json::array();
    for (const Json& record : body["d"]) {
        const auto refuse = [&](int code, const char* error) {
            unprocessed.push_back({{"status", "fail"}, {"code", code}, {"error", error}, {"record", record}});
        };
        if (!record.is_object()) {
            refuse(509, "Payload is invalid");
        } else if (!record.contains("identity") && !record.contains("objectId") && !record.contains("FBID")) {
            refuse(512, "Mandatory field missing: identity");
        } else if (record.value("type", "") != "event" && record.value("type", "") != "profile") {
            refuse(513, "Field type must be event or profile");
        }
    }
    const size_t processed = body["d"].size() - unprocessed.size();
    const char* status = unprocessed.empty() ? "success" : processed == 0 ? "fail" : "partial";
    return json_answer(200, {{"status", status}, {"processed", processed}, {"unprocessed", unprocessed}});
}

HttpServerResponse answer_schema(const HttpServerRequest& request) {
    if (request.query_value("type") != "events")
        return json_answer(200, {{"status", "success"}, {"userProperties", Json::array({{{"name", "Plan"}}})}});
    Json events = Json::array();
    for (const std::string_view name : kEvents) events.push_back({{"name", std::string(name)}});
    return json_answer(200, {{"status", "success"}, {"events", events}});
}

}  // namespace shaduf::sandbox::clevertap
