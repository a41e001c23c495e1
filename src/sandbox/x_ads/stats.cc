#include "sandbox/x_ads/stats.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "sandbox/world/zone.h"
#include "sandbox/x_ads/lists.h"

namespace shaduf::sandbox::x_ads {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kHour = 3600;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kSyncDaysMax = 7;
constexpr int64_t kJobDaysMax = 90;
constexpr int64_t kSegmentedDaysMax = 45;
constexpr size_t kEntitiesMax = 20;

struct EntityKind {
    std::string_view name;
    Level level;
    std::string_view stream;
};
constexpr EntityKind kEntities[] = {{"ACCOUNT", Level::account, "account_stats"},
                                    {"FUNDING_INSTRUMENT", Level::account, "funding_instrument_stats"},
                                    {"CAMPAIGN", Level::campaign, "campaign_stats"},
                                    {"LINE_ITEM", Level::ad_group, "line_item_stats"},
                                    {"PROMOTED_TWEET", Level::ad, "promoted_tweet_stats"}};

const EntityKind* find_entity_kind(std::string_view name) {
    for (const EntityKind& kind : kEntities) {
        if (kind.name == name) return &kind;
    }
    return nullptr;
}

// Seconds since 1970; a bare date is midnight of the account.
std::optional<int64_t> read_time(std::string_view text, int64_t offset) {
    if (const auto day = parse_date(text)) return int64_t{*day} * kDay - offset;
    const auto time = parse_timestamp(text);
    if (!time || !time->has_zone || time->microseconds % 1'000'000 != 0) return std::nullopt;
    return time->microseconds / 1'000'000;
}

Refusal bad(std::string parameter, std::string message) {
    return {400, "INVALID_PARAMETER", std::move(message), std::move(parameter)};
}
Refusal bad_window(std::string message) { return {400, "INVALID_TIME_WINDOW", std::move(message), "start_time"}; }

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }

std::optional<Refusal> read_window(const HttpServerRequest& request, const AccountDetails& details, StatsKind kind,
                                   Timestamp now, StatsQuery& query) {
    const int64_t offset = details.zone->offset_at(now);
    const auto start = read_time(request.query_value("start_time"), offset);
    const auto end = read_time(request.query_value("end_time"), offset);
    if (!start) return bad("start_time", "Expected an ISO 8601 time");
    if (!end) return bad("end_time", "Expected an ISO 8601 time");
    query.start = *start;
    query.end = *end;
    query.first_day = static_cast<int32_t>(floor_div(*start + offset, kDay));
    if (*end <= *start) return bad_window("end_time must be behind start_time");
    const bool is_midnight = (*start + offset) % kDay == 0 && (*end + offset) % kDay == 0;
    if (query.granularity == StatsQuery::Granularity::day && !is_midnight)
        return bad_window("With granularity DAY times must be midnight in the account's time zone");
    // Midnights of zones that are off by half an hour are none of UTC's hours.
    if (!is_midnight && (*start % kHour != 0 || *end % kHour != 0)) return bad_window("Times must be whole hours");
    const int64_t days_max = kind == StatsKind::synchronous  ? kSyncDaysMax
                             : query.segmentation != nullptr ? kSegmentedDaysMax
                                                             : kJobDaysMax;
    if (*end - *start > days_max * kDay + 2 * kHour)
        return bad_window("The window may have " + std::to_string(days_max) + " days at most");
    return std::nullopt;
}

std::optional<Refusal> read_entities(const HttpServerRequest& request, const World& world, StatsQuery& query) {
    const EntityKind* kind = find_entity_kind(request.query_value("entity"));
    if (kind == nullptr) return bad("entity", "Not a kind of entity");
    query.level = kind->level;
    query.ids = list_param(request, "entity_ids");
    if (query.ids.empty() || query.ids.size() > kEntitiesMax) return bad("entity_ids", "Expected 1 to 20 ids");
    for (const std::string& id : query.ids) {
        const bool is_funding = kind->name == "FUNDING_INSTRUMENT";
        const Entity* entity = world.find(kind->level, id);
        if (is_funding) entity = id == funding_id(world, *query.account) ? query.account : nullptr;
        if (entity == nullptr || entity->account != query.account->account)
            return Refusal{404, std::string(kind->name) + "_NOT_FOUND", "Not found: " + id, "entity_ids"};
    }
    return std::nullopt;
}

std::optional<Refusal> read_rest(const HttpServerRequest& request, StatsKind kind, StatsQuery& query) {
    const std::string_view granularity = request.query_value("granularity");
    if (granularity == "HOUR") {
        query.granularity = StatsQuery::Granularity::hour;
    } else if (granularity == "TOTAL") {
        query.granularity = StatsQuery::Granularity::total;
    } else if (granularity != "DAY") {
        return bad("granularity", "Expected TOTAL, DAY or HOUR");
    }
    query.metric_groups = list_param(request, "metric_groups");
    if (query.metric_groups.empty()) return bad("metric_groups", "Expected metric groups");
    for (const std::string& group : query.metric_groups) {
        if (!is_metric_group(group)) return bad("metric_groups", "Not a metric group: " + group);
        if (group == "MOBILE_CONVERSION" && query.metric_groups.size() > 1)
            return bad("metric_groups", "MOBILE_CONVERSION must be asked for separately");
    }
    query.placement = request.query_value("placement");
    if (std::find(std::begin(kPlacements), std::end(kPlacements), query.placement) == std::end(kPlacements))
        return bad("placement", "Expected one of ALL_ON_TWITTER, SPOTLIGHT, TREND");
    const std::string_view segmentation = request.query_value("segmentation_type");
    if (segmentation.empty()) return std::nullopt;
    if (kind == StatsKind::synchronous) return bad("segmentation_type", "Segments are for asynchronous jobs");
    query.segmentation = find_segmentation(segmentation);
    if (query.segmentation == nullptr) return bad("segmentation_type", "Not a segmentation");
    return std::nullopt;
}

// The numbers of an entity's point.
Segments measure_point(const World& world, const Entity& entity, const StatsQuery& query, size_t point) {
    Segments segments;
    const auto& ads = world.entities(Level::ad);
    for (uint32_t i = entity.first_ad; i < entity.end_ad; ++i) {
        if (query.granularity == StatsQuery::Granularity::day) {
            add_day(world, ads[i], query.first_day + static_cast<int32_t>(point), query.placement, query.segmentation,
                    segments);
        } else if (query.granularity == StatsQuery::Granularity::total) {
            const auto days = static_cast<int32_t>((query.end - query.start + kDay - 1) / kDay);
            for (int32_t day = 0; day < days; ++day)
                add_day(world, ads[i], query.first_day + day, query.placement, query.segmentation, segments);
        } else {
            const Timestamp moment{std::chrono::seconds(query.start + static_cast<int64_t>(point) * kHour)};
            const Zone& zone = *world.details(entity).zone;
            const int32_t day = zone.day_at(moment);
            const auto hour = static_cast<size_t>((moment - zone.start_of(day)) / std::chrono::hours(1));
            if (hour < 24) add_hour(world, ads[i], day, hour, query.placement, query.segmentation, segments);
        }
    }
    return segments;
}

// Arrays of zeros alone are null.
Json metrics_json(const StatsQuery& query, const std::vector<Metrics>& points,
                  const std::vector<FieldChange>& changes) {
    Json object = Json::object();
    for (const MetricInfo* metric : metrics_of(query.metric_groups)) {
        Json values = Json::array();
        bool has_value = false;
        for (const Metrics& point : points) {
            const int64_t value = metric->of == nullptr ? 0 : metric->of(point);
            has_value = has_value || value != 0;
            values.push_back(value);
        }
        if (!has_value) values = nullptr;
        if (metric->part.empty()) {
            object[std::string(metric->name)] = std::move(values);
        } else {
            object[std::string(metric->name)][std::string(metric->part)] = std::move(values);
        }
    }
    for (const FieldChange& change : changes) {
        if (change.kind == FieldChange::Kind::added) {
            object[change.field] = std::vector<Json>(points.size(), Json::parse(change.value, nullptr, false));
            continue;
        }
        if (change.kind == FieldChange::Kind::renamed && object.contains(change.field))
            object[change.value] = object[change.field];
        object.erase(change.field);
    }
    return object;
}

Json entity_json(const World& world, const StatsQuery& query, const std::string& id,
                 const std::vector<FieldChange>& changes) {
    const Entity* found = world.find(query.level, id);
    const Entity& entity = found == nullptr ? *query.account : *found;  // a funding instrument pays for all
    const size_t points = query.points();
    std::map<std::string, std::vector<Metrics>> segments;
    if (query.segmentation == nullptr) segments[""].resize(points);
    for (size_t point = 0; point < points; ++point) {
        for (const auto& [segment, metrics] : measure_point(world, entity, query, point)) {
            auto& series = segments[segment];
            series.resize(points);
            series[point] = metrics;
        }
    }
    Json id_data = Json::array();
    for (const auto& [segment, series] : segments) {
        const Json name = query.segmentation == nullptr
                              ? Json(nullptr)
                              : Json{{"segment_name", std::string(query.segmentation->name) + " " + segment},
                                     {"segment_value", segment}};
        id_data.push_back({{"segment", name}, {"metrics", metrics_json(query, series, changes)}});
    }
    return {{"id", id}, {"id_data", id_data}};
}

Json active_json(const World& world, const Entity& entity, int64_t start, int64_t end) {
    const Zone& zone = *world.details(entity).zone;
    const auto& ads = world.entities(Level::ad);
    std::optional<int32_t> first;
    int32_t last = 0;
    Segments by_placement[std::size(kPlacements)];
    const int32_t until = zone.day_at(Timestamp(std::chrono::seconds(end - 1)));
    for (int32_t day = zone.day_at(Timestamp(std::chrono::seconds(start))); day <= until; ++day) {
        bool has_delivery = false;
        for (uint32_t i = entity.first_ad; i < entity.end_ad; ++i) {
            for (size_t p = 0; p < std::size(kPlacements); ++p) {
                const size_t before = by_placement[p].size();
                add_day(world, ads[i], day, kPlacements[p], nullptr, by_placement[p]);
                has_delivery = has_delivery || by_placement[p].size() > before;
            }
            has_delivery = has_delivery || world.measure(ads[i], day).has_delivery();
        }
        if (!has_delivery) continue;
        first = first.value_or(day);
        last = day;
    }
    if (!first) return nullptr;
    Json placements = Json::array();
    for (size_t p = 0; p < std::size(kPlacements); ++p) {
        if (!by_placement[p].empty()) placements.push_back(std::string(kPlacements[p]));
    }
    const auto text = [](Timestamp time) { return format_timestamp(std::chrono::floor<std::chrono::seconds>(time)); };
    return {{"entity_id", entity.id},
            {"activity_start_time", text(zone.start_of(*first) + std::chrono::hours(1))},
            {"activity_end_time", text(zone.start_of(last + 1) - std::chrono::minutes(1))},
            {"placements", placements}};
}

}  // namespace

size_t StatsQuery::points() const {
    switch (granularity) {
        case Granularity::day: return static_cast<size_t>((end - start) / kDay);
        case Granularity::hour: return static_cast<size_t>((end - start) / kHour);
        case Granularity::total: break;
    }
    return 1;
}

std::string_view stats_stream(Level level) {
    for (const EntityKind& kind : kEntities) {
        if (kind.level == level) return kind.stream;
    }
    return "";
}

std::variant<StatsQuery, Refusal> read_stats_query(const HttpServerRequest& request, const World& world,
                                                   const Entity& account, StatsKind kind, Timestamp now) {
    StatsQuery query;
    query.account = &account;
    if (auto refusal = read_entities(request, world, query)) return *refusal;
    if (auto refusal = read_rest(request, kind, query)) return *refusal;
    if (auto refusal = read_window(request, world.details(account), kind, now, query)) return *refusal;
    return query;
}

std::string stats_body(const HttpServerRequest& request, const World& world, const StatsQuery& query,
                       const std::vector<FieldChange>& changes) {
    Json data = Json::array();
    for (const std::string& id : query.ids) data.push_back(entity_json(world, query, id, changes));
    return reply(request, 200, std::move(data),
                 {{"data_type", "stats"}, {"time_series_length", query.points()}, {"total_count", query.ids.size()}})
        .body;
}

HttpServerResponse answer_active_entities(const HttpServerRequest& request, const World& world, const Entity& account) {
    const EntityKind* kind = find_entity_kind(request.query_value("entity"));
    if (kind == nullptr || kind->name == "ACCOUNT") return refuse(request, bad("entity", "Not a kind of entity"));
    const auto start = read_time(request.query_value("start_time"), 0);
    const auto end = read_time(request.query_value("end_time"), 0);
    if (!start || *start % kHour != 0) return refuse(request, bad("start_time", "Expected a whole hour"));
    if (!end || *end % kHour != 0 || *end <= *start)
        return refuse(request, bad("end_time", "Expected a whole hour behind start_time"));
    if (*end - *start > kJobDaysMax * kDay) return refuse(request, bad_window("The window may have 90 days at most"));
    Json data = Json::array();
    for (const Entity& entity : world.entities(kind->level)) {
        if (entity.account != account.account) continue;
        Json active = active_json(world, entity, *start, *end);
        if (active.is_null()) continue;
        if (kind->name == "FUNDING_INSTRUMENT") active["entity_id"] = funding_id(world, entity);
        data.push_back(std::move(active));
    }
    return reply(request, 200, std::move(data), Json::object());
}

}  // namespace shaduf::sandbox::x_ads
