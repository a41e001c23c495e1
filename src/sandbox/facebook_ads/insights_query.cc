#include "sandbox/facebook_ads/insights_query.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/time.h"

namespace shaduf::sandbox::facebook {
namespace {

using Json = nlohmann::json;

constexpr size_t kPeriodsMax = 20'000;
constexpr int32_t kIncrementMax = 90;
constexpr std::string_view kDefaultFields[] = {"account_id", "campaign_id", "adset_id",
                                               "ad_id",      "impressions", "spend"};
constexpr std::string_view kWindows[] = {"1d_view",
                                         "7d_view",
                                         "28d_view",
                                         "1d_click",
                                         "7d_click",
                                         "28d_click",
                                         "1d_ev",
                                         "default",
                                         "dda",
                                         "incrementality",
                                         "skan_view",
                                         "skan_click",
                                         "skan_view_second_postback",
                                         "skan_click_second_postback",
                                         "skan_view_third_postback",
                                         "skan_click_third_postback"};

constexpr std::string_view kActionBreakdowns[] = {"action_type",
                                                  "action_device",
                                                  "action_canvas_component_name",
                                                  "action_carousel_card_id",
                                                  "action_carousel_card_name",
                                                  "action_destination",
                                                  "action_reaction",
                                                  "action_target_id",
                                                  "action_video_sound",
                                                  "action_video_type",
                                                  "conversion_destination",
                                                  "matched_persona_id",
                                                  "matched_persona_name",
                                                  "signal_source_bucket",
                                                  "standard_event_content_type",
                                                  "is_business_ai_assisted"};

std::chrono::year_month_day date_of(int32_t day) {
    return std::chrono::year_month_day(std::chrono::sys_days(std::chrono::days(day)));
}
int32_t day_of(std::chrono::year_month_day date) {
    return static_cast<int32_t>(std::chrono::sys_days(date).time_since_epoch().count());
}
int32_t first_of_month(int32_t day) {
    const auto date = date_of(day);
    return day_of(date.year() / date.month() / 1);
}
int32_t last_of_month(int32_t day) {
    const auto date = date_of(day);
    return day_of(date.year() / date.month() / std::chrono::last);
}

Outcome<DayRange> parse_range(const Json& json, const std::string& param) {
    if (!json.is_object() || !json.contains("since") || !json.contains("until") || !json["since"].is_string() ||
        !json["until"].is_string()) {
        return bad_param("param " + param + " must have the keys since and until, as YYYY-MM-DD.", param);
    }
    const auto since = parse_date(json["since"].get<std::string>());
    const auto until = parse_date(json["until"].get<std::string>());
    if (!since || !until) {
        return bad_param("Must be a date representation in the format YYYY-MM-DD", param);
    }
    if (*since > *until) return bad_param("param " + param + "[since] must be before [until].", param);
    return DayRange{*since, *until};
}

// Each step of parsing sets its part of `query`, or gives the error.
using Step = std::optional<GraphError>;

Step read_level(const Params& params, const Entity& entity, InsightsQuery& query) {
    query.entity = &entity;
    query.entity_id = entity.id;
    query.entity_level = entity.level;
    query.level = entity.level;
    const std::string_view level = params.text("level");
    if (level.empty()) return std::nullopt;
    constexpr std::pair<std::string_view, Level> kLevels[] = {
        {"account", Level::account}, {"campaign", Level::campaign}, {"adset", Level::ad_group}, {"ad", Level::ad}};
    for (const auto& [name, value] : kLevels) {
        if (name != level) continue;
        query.level = std::max(value, entity.level);
        return std::nullopt;
    }
    return bad_param("param level must be one of {account, campaign, adset, ad}", "level");
}

Step read_fields(const Params& params, InsightsQuery& query) {
    const auto parsed = parse_fields(params.text("fields"));
    if (const auto* error = std::get_if<GraphError>(&parsed)) return *error;
    for (const FieldRequest& field : std::get<0>(parsed)) {
        if (find_breakdown(field.name) != nullptr) {
            return bad_param(
                field.name +
                    " is not valid for fields param. please check "
                    "https://developers.facebook.com/docs/marketing-api/reference/ads-insights/ for all valid values",
                "fields");
        }
        if (!is_insights_field(field.name)) {
            return bad_param(field.name + " is not valid for fields param.", "fields");
        }
        query.fields.push_back(field.name);
    }
    if (query.fields.empty()) query.fields.assign(std::begin(kDefaultFields), std::end(kDefaultFields));
    return std::nullopt;
}

Step read_ranges(const Params& params, const World& world, int32_t today, InsightsQuery& query) {
    if (params.has("time_ranges")) {
        const std::string_view text = params.text("time_ranges");
        const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
        if (!json.is_array() || json.empty()) return bad_param("param time_ranges must be an array.", "time_ranges");
        for (const Json& entry : json) {
            const auto range = parse_range(entry, "time_ranges");
            if (const auto* error = std::get_if<GraphError>(&range)) return *error;
            query.ranges.push_back(std::get<0>(range));
        }
    } else if (params.has("time_range")) {
        const std::string_view text = params.text("time_range");
        const auto range = parse_range(Json::parse(text.begin(), text.end(), nullptr, false), "time_range");
        if (const auto* error = std::get_if<GraphError>(&range)) return *error;
        query.ranges.push_back(std::get<0>(range));
    } else {
        const std::string_view preset = params.has("date_preset") ? params.text("date_preset") : "last_30d";
        const auto range =
            preset_range(preset, today, std::max(world.first_day(), months_before(today, kRetentionMonths)));
        if (!range)
            return bad_param("param date_preset must be one of {today, yesterday, last_7d, ...}", "date_preset");
        query.ranges.push_back(*range);
    }
    for (const DayRange& range : query.ranges) {
        if (range.since >= months_before(today, kRetentionMonths)) continue;
        return GraphError{
            .message = "(#3018) The start date of the time range cannot be beyond 37 months from the current date",
            .code = 3018};
    }
    return std::nullopt;
}

void cut_into(DayRange range, int32_t days, std::vector<DayRange>& periods) {
    for (int32_t day = range.since; day <= range.until && periods.size() <= kPeriodsMax; day += days) {
        periods.push_back({day, std::min(range.until, day + days - 1)});
    }
}

Step read_periods(const Params& params, InsightsQuery& query) {
    const std::string_view text = params.text("time_increment");
    for (const DayRange& range : query.ranges) {
        // A time_increment says nothing beside several ranges.
        if (text.empty() || text == "all_days" || query.ranges.size() > 1) {
            query.periods.push_back(range);
        } else if (text == "monthly") {
            for (int32_t day = range.since; day <= range.until; day = last_of_month(day) + 1) {
                query.periods.push_back({day, std::min(range.until, last_of_month(day))});
            }
        } else {
            int32_t days = 0;
            const auto parsed = std::from_chars(text.data(), text.data() + text.size(), days);
            if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || days < 1 ||
                days > kIncrementMax) {
                return bad_param("param time_increment must be an integer from 1 to 90, monthly or all_days",
                                 "time_increment");
            }
            cut_into(range, days, query.periods);
        }
    }
    if (query.periods.size() > kPeriodsMax) return bad_param("too many time ranges", "time_ranges");
    return std::nullopt;
}

Step read_breakdowns(const Params& params, InsightsQuery& query) {
    const auto names = params.list("breakdowns");
    if (const auto* error = std::get_if<GraphError>(&names)) return *error;
    auto breakdowns = parse_breakdowns(std::get<0>(names));
    if (const auto* error = std::get_if<GraphError>(&breakdowns)) return *error;
    query.breakdowns = std::move(std::get<0>(breakdowns));
    const auto actions = params.list("action_breakdowns");
    if (const auto* error = std::get_if<GraphError>(&actions)) return *error;
    for (const std::string& name : std::get<0>(actions)) {
        if (std::find(std::begin(kActionBreakdowns), std::end(kActionBreakdowns), name) ==
            std::end(kActionBreakdowns)) {
            return bad_param(
                "action_breakdowns[0] must be one of the following values: action_type, action_device, "
                "action_destination, action_reaction, action_target_id, action_video_sound, ...",
                "action_breakdowns");
        }
        const bool is_new = std::find(query.action_breakdowns.begin(), query.action_breakdowns.end(), name) ==
                            query.action_breakdowns.end();
        if (is_new) query.action_breakdowns.push_back(name);
    }
    if (query.action_breakdowns.empty()) query.action_breakdowns = {"action_type"};
    const auto windows = params.list("action_attribution_windows");
    if (const auto* error = std::get_if<GraphError>(&windows)) return *error;
    for (const std::string& window : std::get<0>(windows)) {
        if (std::find(std::begin(kWindows), std::end(kWindows), window) == std::end(kWindows)) {
            return bad_param(
                "param action_attribution_windows[0] must be one of {1d_view, 1d_click, 7d_click, 28d_click, "
                "1d_ev, dda, default, ...}",
                "action_attribution_windows");
        }
        query.windows.push_back(window);
    }
    return std::nullopt;
}

// Of an object above the row ("campaign.id"), or a number of the row ("impressions", "ad.impressions").
bool is_filter_field(std::string_view field) {
    const size_t dot = field.find('.');
    if (dot == std::string_view::npos) return field == "action_type" || is_insights_field(field);
    constexpr std::string_view kOwners[] = {"account", "campaign", "adset", "ad"};
    constexpr std::string_view kParts[] = {"id",     "name",          "effective_status", "configured_status",
                                           "status", "delivery_info", "updated_time",     "created_time"};
    const auto rest = field.substr(dot + 1);
    return std::find(std::begin(kOwners), std::end(kOwners), field.substr(0, dot)) != std::end(kOwners) &&
           (std::find(std::begin(kParts), std::end(kParts), rest) != std::end(kParts) || is_insights_field(rest));
}

Step read_order(const Params& params, InsightsQuery& query) {
    const auto filters = parse_filters(params.text("filtering"));
    if (const auto* error = std::get_if<GraphError>(&filters)) return *error;
    query.filters = std::get<0>(filters);
    for (const Filter& filter : query.filters) {
        if (is_filter_field(filter.field)) continue;
        return bad_param("Filtering field " + filter.field + " with operation " + filter.op + " is not supported",
                         "filtering");
    }
    const auto sort = params.list("sort");
    if (const auto* error = std::get_if<GraphError>(&sort)) return *error;
    if (!std::get<0>(sort).empty()) {
        const std::string& order = std::get<0>(sort).front();
        for (const std::string_view ending : {"_ascending", "_descending"}) {
            if (!order.ends_with(ending)) continue;
            query.sort_field = order.substr(0, order.size() - ending.size());
            query.sort_descending = ending == "_descending";
        }
        if (!is_insights_field(query.sort_field)) {
            return bad_param("param sort must be a field with _ascending or _descending", "sort");
        }
    }
    const auto summary = params.list("summary");
    if (const auto* error = std::get_if<GraphError>(&summary)) return *error;
    query.summary = std::get<0>(summary);
    if (query.summary.empty() && params.text("default_summary") == "true") query.summary = query.fields;
    return std::nullopt;
}

}  // namespace

int32_t months_before(int32_t day, int months) {
    const auto date = date_of(day);
    const auto month = date.year() / date.month() - std::chrono::months(months);
    const auto same = month / date.day();
    return same.ok() ? day_of(same) : day_of(month / std::chrono::last);
}

std::optional<DayRange> preset_range(std::string_view preset, int32_t today, int32_t first_day) {
    const int32_t yesterday = today - 1;
    const int32_t last_month_end = first_of_month(today) - 1;
    const int32_t monday = today - (today + 3) % 7;
    const auto date = date_of(today);
    const auto quarter_of = [](int32_t day) {
        const auto of = date_of(day);
        const unsigned month = (static_cast<unsigned>(of.month()) - 1) / 3 * 3 + 1;
        return day_of(of.year() / std::chrono::month(month) / 1);
    };
    const int32_t quarter = quarter_of(today);
    const int32_t year = day_of(date.year() / 1 / 1);
    const std::pair<std::string_view, DayRange> presets[] = {
        {"today", {today, today}},
        {"yesterday", {yesterday, yesterday}},
        {"last_3d", {today - 3, yesterday}},
        {"last_7d", {today - 7, yesterday}},
        {"last_14d", {today - 14, yesterday}},
        {"last_28d", {today - 28, yesterday}},
        {"last_30d", {today - 30, yesterday}},
        {"last_90d", {today - 90, yesterday}},
        {"this_week_mon_today", {monday, today}},
        {"this_week_sun_today", {today - (today + 4) % 7, today}},
        {"last_week_mon_sun", {monday - 7, monday - 1}},
        {"last_week_sun_sat", {today - (today + 4) % 7 - 7, today - (today + 4) % 7 - 1}},
        {"this_month", {first_of_month(today), today}},
        {"last_month", {first_of_month(last_month_end), last_month_end}},
        {"this_quarter", {quarter, today}},
        {"last_quarter", {quarter_of(quarter - 1), quarter - 1}},
        {"this_year", {year, today}},
        {"last_year", {day_of((date.year() - std::chrono::years(1)) / 1 / 1), year - 1}},
        {"maximum", {first_day, today}},
        {"data_maximum", {first_day, today}},
    };
    for (const auto& [name, range] : presets) {
        if (name == preset) return range;
    }
    return std::nullopt;
}

bool InsightsQuery::wants(std::string_view field) const {
    return std::find(fields.begin(), fields.end(), field) != fields.end();
}

Outcome<InsightsQuery> parse_insights(const Params& params, const World& world, const Entity& entity) {
    InsightsQuery query;
    const int32_t today = world.details(entity).today;
    if (auto error = read_level(params, entity, query)) return *error;
    if (auto error = read_fields(params, query)) return *error;
    if (auto error = read_ranges(params, world, today, query)) return *error;
    if (auto error = read_periods(params, query)) return *error;
    if (auto error = read_breakdowns(params, query)) return *error;
    if (auto error = read_order(params, query)) return *error;
    return query;
}

}  // namespace shaduf::sandbox::facebook
