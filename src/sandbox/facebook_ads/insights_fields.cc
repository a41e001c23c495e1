#include "sandbox/facebook_ads/insights_fields.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "base/time.h"
#include "sandbox/facebook_ads/objects.h"
#include "sandbox/world/zone.h"

namespace shaduf::sandbox::facebook {
namespace {

using Context = FieldContext;

void put_count(const Context& at, int64_t value, JsonText& out) { out.field(at.name, std::to_string(value)); }

// `a / b * factor`, six digits behind the point; nothing when there is no b, as the API has it.
void put_ratio(const Context& at, int64_t a, int64_t b, double factor, JsonText& out) {
    if (b == 0) return;
    const double value = static_cast<double>(a) / static_cast<double>(b) * factor;
    out.field(at.name, format_micros(std::llround(value * 1e6)));
}

// What is spent is told in millionths; of a cost, the ratio is one of money.
void put_cost(const Context& at, int64_t count, double per, JsonText& out) {
    put_ratio(at, at.row.metrics.spend_micros, count, per / 1e6, out);
}

void put_owner(const Context& at, Level level, bool is_name, JsonText& out) {
    if (level > at.row.entity->level) return;
    const Entity& owner = at.world.above(*at.row.entity, level);
    out.field(at.name, is_name ? owner.name : owner.id);
}

std::vector<Action> actions(const Context& at) { return actions_of(at.row.metrics, at.has_results); }

std::vector<Action> values(const Context& at) {
    std::vector<Action> found;
    if (!at.has_results || at.row.metrics.purchases == 0) return found;
    for (const std::string_view type : {"omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase"}) {
        found.push_back({type, at.row.metrics.purchase_value_micros});
    }
    return found;
}

void put_actions(const Context& at, const std::vector<Action>& found, JsonText& out) {
    if (found.empty()) return;
    out.key(at.name);
    write_actions(found, at.query, out);
}

void put_one_action(const Context& at, std::string_view type, int64_t value, JsonText& out) {
    if (value > 0) put_actions(at, {{type, value}}, out);
}

// Money by action, so in millionths: [{"action_type": ..., "value": "4.5"}].
void put_money(const Context& at, const std::vector<Action>& found, JsonText& out) {
    if (found.empty()) return;
    out.key(at.name).open('[');
    for (const Action& action : found) {
        out.open('{').field("action_type", action.type).field("value", format_micros(action.value)).close('}');
    }
    out.close(']');
}

std::vector<Action> costs(const Context& at) {
    std::vector<Action> found;
    for (const Action& action : actions(at)) {
        if (action.value > 0) found.push_back({action.type, at.row.metrics.spend_micros / action.value});
    }
    return found;
}

std::vector<Action> returns(const Context& at) {
    const Metrics& metrics = at.row.metrics;
    if (!at.has_results || metrics.purchases == 0 || metrics.spend_micros == 0) return {};
    const double ratio = static_cast<double>(metrics.purchase_value_micros) / static_cast<double>(metrics.spend_micros);
    return {{"omni_purchase", std::llround(ratio * 1e6)}};
}

bool is_hourly(const Context& at) {
    return std::any_of(at.query.breakdowns.begin(), at.query.breakdowns.end(),
                       [](const Breakdown* breakdown) { return breakdown->is_hourly; });
}
int64_t reach_of(const Context& at) { return is_hourly(at) ? 0 : at.row.metrics.reach(); }

void put_time(const Context& at, Timestamp moment, JsonText& out) {
    const auto zone = at.world.details(*at.row.entity).zone;
    out.field(at.name, format_date(zone->day_at(moment)));
}

// Short, since each row of the table names it.
const Metrics& m(const Context& at) { return at.row.metrics; }

struct Field {
    std::string_view name;
    WriteField write;
};

constexpr auto kFields = std::to_array<Field>({
    {"account_id", [](const Context& at, JsonText& out) { put_owner(at, Level::account, false, out); }},
    {"account_name", [](const Context& at, JsonText& out) { put_owner(at, Level::account, true, out); }},
    {"account_currency",
     [](const Context& at, JsonText& out) { out.field(at.name, at.world.details(*at.row.entity).currency); }},
    {"campaign_id", [](const Context& at, JsonText& out) { put_owner(at, Level::campaign, false, out); }},
    {"campaign_name", [](const Context& at, JsonText& out) { put_owner(at, Level::campaign, true, out); }},
    {"adset_id", [](const Context& at, JsonText& out) { put_owner(at, Level::ad_group, false, out); }},
    {"adset_name", [](const Context& at, JsonText& out) { put_owner(at, Level::ad_group, true, out); }},
    {"ad_id", [](const Context& at, JsonText& out) { put_owner(at, Level::ad, false, out); }},
    {"ad_name", [](const Context& at, JsonText& out) { put_owner(at, Level::ad, true, out); }},
    {"objective",
     [](const Context& at, JsonText& out) {
         if (at.row.entity->level >= Level::campaign)
             out.field(at.name, objective_of(at.world.above(*at.row.entity, Level::campaign)));
     }},
    {"buying_type", [](const Context& at, JsonText& out) { out.field(at.name, "AUCTION"); }},
    {"optimization_goal", [](const Context& at, JsonText& out) { out.field(at.name, "LINK_CLICKS"); }},
    {"attribution_setting", [](const Context& at, JsonText& out) { out.field(at.name, "7d_click_1d_view"); }},
    {"created_time", [](const Context& at, JsonText& out) { put_time(at, at.row.entity->created, out); }},
    {"updated_time", [](const Context& at, JsonText& out) { put_time(at, at.row.entity->updated, out); }},
    {"impressions", [](const Context& at, JsonText& out) { put_count(at, m(at).impressions, out); }},
    {"clicks", [](const Context& at, JsonText& out) { put_count(at, m(at).clicks, out); }},
    {"spend", [](const Context& at, JsonText& out) { out.field(at.name, format_micros(m(at).spend_micros)); }},
    {"social_spend", [](const Context& at, JsonText& out) { out.field(at.name, "0"); }},
    {"reach",
     [](const Context& at, JsonText& out) {
         if (at.has_reach) put_count(at, reach_of(at), out);
     }},
    {"frequency",
     [](const Context& at, JsonText& out) {
         if (is_hourly(at)) return put_count(at, 0, out);
         if (at.has_reach) put_ratio(at, m(at).impressions, reach_of(at), 1, out);
     }},
    {"cpp",
     [](const Context& at, JsonText& out) {
         if (at.has_reach) put_cost(at, reach_of(at), 1000, out);
     }},
    {"cpm", [](const Context& at, JsonText& out) { put_cost(at, m(at).impressions, 1000, out); }},
    {"cpc", [](const Context& at, JsonText& out) { put_cost(at, m(at).clicks, 1, out); }},
    {"ctr",
     [](const Context& at, JsonText& out) { put_ratio(at, m(at).clicks, m(at).impressions, 100, out); }},
    {"unique_clicks", [](const Context& at, JsonText& out) { put_count(at, m(at).clicks * 9 / 10, out); }},
    {"unique_ctr",
     [](const Context& at, JsonText& out) { put_ratio(at, m(at).clicks * 9 / 10, m(at).reach(), 100, out); }},
    {"cost_per_unique_click",
     [](const Context& at, JsonText& out) { put_cost(at, m(at).clicks * 9 / 10, 1, out); }},
    {"inline_link_clicks", [](const Context& at, JsonText& out) { put_count(at, m(at).link_clicks, out); }},
    {"inline_link_click_ctr",
     [](const Context& at, JsonText& out) { put_ratio(at, m(at).link_clicks, m(at).impressions, 100, out); }},
    {"cost_per_inline_link_click",
     [](const Context& at, JsonText& out) { put_cost(at, m(at).link_clicks, 1, out); }},
    {"inline_post_engagement", [](const Context& at, JsonText& out) { put_count(at, m(at).engagements, out); }},
    {"cost_per_inline_post_engagement",
     [](const Context& at, JsonText& out) { put_cost(at, m(at).engagements, 1, out); }},
    {"actions", [](const Context& at, JsonText& out) { put_actions(at, actions(at), out); }},
    {"unique_actions", [](const Context& at, JsonText& out) { put_actions(at, actions(at), out); }},
    {"action_values", [](const Context& at, JsonText& out) { put_money(at, values(at), out); }},
    {"conversions",
     [](const Context& at, JsonText& out) {
         if (at.has_results) put_one_action(at, "offsite_conversion.fb_pixel_lead", m(at).leads, out);
     }},
    {"cost_per_action_type", [](const Context& at, JsonText& out) { put_money(at, costs(at), out); }},
    {"purchase_roas", [](const Context& at, JsonText& out) { put_money(at, returns(at), out); }},
    {"website_purchase_roas", [](const Context& at, JsonText& out) { put_money(at, returns(at), out); }},
    {"outbound_clicks",
     [](const Context& at, JsonText& out) { put_one_action(at, "outbound_click", m(at).link_clicks, out); }},
    {"website_ctr",
     [](const Context& at, JsonText& out) {
         const Metrics& metrics = m(at);
         if (metrics.link_clicks == 0) return;
         put_money(at, {{"link_click", metrics.link_clicks * 100'000'000 / metrics.impressions}}, out);
     }},
    {"video_play_actions",
     [](const Context& at, JsonText& out) { put_one_action(at, "video_view", m(at).video_views, out); }},
    {"video_p25_watched_actions",
     [](const Context& at, JsonText& out) { put_one_action(at, "video_view", m(at).video_views * 6 / 10, out); }},
    {"video_p50_watched_actions",
     [](const Context& at, JsonText& out) { put_one_action(at, "video_view", m(at).video_views * 4 / 10, out); }},
    {"video_p75_watched_actions",
     [](const Context& at, JsonText& out) { put_one_action(at, "video_view", m(at).video_views * 3 / 10, out); }},
    {"video_p100_watched_actions",
     [](const Context& at, JsonText& out) { put_one_action(at, "video_view", m(at).video_views * 2 / 10, out); }},
    {"video_thruplay_watched_actions",
     [](const Context& at, JsonText& out) { put_one_action(at, "video_view", m(at).video_views / 4, out); }},
    {"date_start", [](const Context&, JsonText&) {}},  // always there
    {"date_stop", [](const Context&, JsonText&) {}},
});

// May be asked for, and are empty in the accounts of this world.
constexpr auto kEmptyFields = std::to_array<std::string_view>({
    "ad_click_actions",
    "ad_impression_actions",
    "adset_end",
    "adset_start",
    "advanced_actions_28d_view",
    "advanced_reach_1d_lookback",
    "advanced_reach_28d_lookback",
    "advanced_reach_7d_lookback",
    "age_targeting",
    "aggregated_play_time_per_reach",
    "anchor_event_attribution_setting",
    "anchor_events_performance_indicator",
    "auction_bid",
    "auction_competitiveness",
    "auction_max_competitor_bid",
    "average_purchases_conversion_value",
    "canvas_avg_view_percent",
    "canvas_avg_view_time",
    "catalog_segment_actions",
    "catalog_segment_value",
    "catalog_segment_value_mobile_purchase_roas",
    "catalog_segment_value_omni_purchase_roas",
    "catalog_segment_value_website_purchase_roas",
    "conversion_lead_rate",
    "conversion_leads",
    "conversion_rate_ranking",
    "conversion_values",
    "cost_per_15_sec_video_view",
    "cost_per_2_sec_continuous_video_view",
    "cost_per_6_sec_video_view",
    "cost_per_ad_click",
    "cost_per_conversion",
    "cost_per_conversion_lead",
    "cost_per_dda_countby_convs",
    "cost_per_estimated_ad_recallers",
    "cost_per_message_delivered",
    "cost_per_mmp_credited_install",
    "cost_per_objective_result",
    "cost_per_one_thousand_ad_impression",
    "cost_per_outbound_click",
    "cost_per_result",
    "cost_per_thruplay",
    "cost_per_unique_action_type",
    "cost_per_unique_conversion",
    "cost_per_unique_inline_link_click",
    "cost_per_unique_outbound_click",
    "creative_diversity_data",
    "creative_diversity_label",
    "creative_diversity_score",
    "creative_fatigue_summary",
    "creative_fatigued_ads",
    "creative_media_type",
    "dda_countby_convs",
    "dda_results",
    "engagement_rate_ranking",
    "estimated_ad_recall_rate",
    "estimated_ad_recall_rate_lower_bound",
    "estimated_ad_recall_rate_upper_bound",
    "estimated_ad_recallers",
    "estimated_ad_recallers_lower_bound",
    "estimated_ad_recallers_upper_bound",
    "full_view_impressions",
    "full_view_reach",
    "gender_targeting",
    "instagram_profile_follow",
    "instagram_profile_visits",
    "instagram_upcoming_event_reminders_set",
    "instant_experience_clicks_to_open",
    "instant_experience_clicks_to_start",
    "instant_experience_outbound_clicks",
    "interactive_component_tap",
    "labels",
    "landing_page_view_actions_per_link_click",
    "landing_page_view_per_link_click",
    "landing_page_view_per_purchase_rate",
    "link_clicks_per_results",
    "location",
    "marketing_messages_click_rate_benchmark",
    "marketing_messages_cost_per_delivered",
    "marketing_messages_cost_per_link_btn_click",
    "marketing_messages_delivered",
    "marketing_messages_delivery_rate",
    "marketing_messages_link_btn_click",
    "marketing_messages_link_btn_click_rate",
    "marketing_messages_media_view_rate",
    "marketing_messages_phone_call_btn_click_rate",
    "marketing_messages_quick_reply_btn_click",
    "marketing_messages_quick_reply_btn_click_rate",
    "marketing_messages_read",
    "marketing_messages_read_rate",
    "marketing_messages_read_rate_benchmark",
    "marketing_messages_sent",
    "marketing_messages_spend",
    "marketing_messages_spend_currency",
    "messages_delivered",
    "messages_delivered_ctr",
    "mmp_credited_install",
    "mobile_app_purchase_roas",
    "msa_seller_budget",
    "multi_event_conversion_attribution_setting",
    "objective_result_rate",
    "objective_results",
    "onsite_conversion_messaging_detected_purchase_deduped",
    "opportunity_score_l4",
    "outbound_clicks_ctr",
    "place_page_name",
    "playable_average_game_length",
    "playable_game_start_rate",
    "product_group_retailer_id",
    "product_retailer_id",
    "product_views",
    "purchase_per_landing_page_view",
    "purchases_per_link_click",
    "qualifying_question_qualify_answer_rate",
    "quality_ranking",
    "read_rate",
    "result_rate",
    "result_values_performance_indicator",
    "results",
    "shop_clicks",
    "shops_assisted_purchases",
    "total_card_view",
    "total_postbacks",
    "total_postbacks_detailed",
    "total_postbacks_detailed_v4",
    "unique_conversions",
    "unique_inline_link_click_ctr",
    "unique_inline_link_clicks",
    "unique_link_clicks_ctr",
    "unique_outbound_clicks",
    "unique_outbound_clicks_ctr",
    "unique_video_continuous_2_sec_watched_actions",
    "unique_video_view_15_sec",
    "video_15_sec_watched_actions",
    "video_30_sec_watched_actions",
    "video_6_sec_watched_actions",
    "video_avg_time_watched_actions",
    "video_continuous_2_sec_watched_actions",
    "video_p95_watched_actions",
    "video_play_curve_actions",
    "video_play_retention_0_to_15s_actions",
    "video_play_retention_20_to_60s_actions",
    "video_play_retention_graph_actions",
    "video_time_watched_actions",
    "video_view_per_impression",
    "wish_bid",
});

// Actions of devices, where they are asked for by device.
constexpr std::array<std::string_view, 3> kDevices{"android_smartphone", "desktop", "iphone"};
constexpr std::array<double, 3> kDeviceShares{0.4, 0.15, 0.45};

// What of an action's value a window has: whatever came by a view within a day is in none of those of clicks.
std::optional<int64_t> in_window(std::string_view window, int64_t value) {
    const int64_t by_view = value / 10;
    const int64_t by_click = value - by_view;
    if (window == "1d_view") return by_view;
    if (window == "1d_click") return by_click * 6 / 10;
    if (window == "7d_click" || window == "28d_click") return by_click;
    if (window == "1d_ev" || window == "incrementality") return by_view / 2;
    if (window == "default") return value;
    return std::nullopt;  // 7d_view and 28d_view are taken and never told, as are those of SKAdNetwork
}

void write_action(const Action& action, std::string_view device, const InsightsQuery& query, JsonText& out) {
    out.open('{');
    for (const std::string& breakdown : query.action_breakdowns) {
        if (breakdown == "action_type") {
            out.field("action_type", action.type);
        } else if (breakdown == "action_device") {
            out.field("action_device", device);
        } else {
            out.field(breakdown, "unknown");
        }
    }
    out.field("value", std::to_string(action.value));
    for (const std::string& window : query.windows) {
        const auto value = in_window(window, action.value);
        if (value && *value > 0 && window != "default") out.field(window, std::to_string(*value));
    }
    out.close('}');
}

}  // namespace

WriteField insights_field(std::string_view name) {
    static const auto kByName = [] {
        std::unordered_map<std::string_view, WriteField> fields;
        for (const Field& field : kFields) fields.emplace(field.name, field.write);
        return fields;
    }();
    const auto found = kByName.find(name);
    return found == kByName.end() ? nullptr : found->second;
}

bool is_insights_field(std::string_view name) {
    return insights_field(name) != nullptr ||
           std::find(kEmptyFields.begin(), kEmptyFields.end(), name) != kEmptyFields.end();
}

std::vector<Action> actions_of(const Metrics& metrics, bool with_results) {
    std::vector<Action> found;
    const auto add = [&](std::string_view type, int64_t value) {
        if (value > 0) found.push_back({type, value});
    };
    // Those above hold those below: to sum them up counts people twice.
    add("page_engagement", metrics.engagements + metrics.video_views);
    add("post_engagement", metrics.engagements + metrics.video_views);
    add("link_click", metrics.link_clicks);
    add("landing_page_view", metrics.link_clicks * 7 / 10);
    add("video_view", metrics.video_views);
    if (!with_results) return found;
    add("lead", metrics.leads);
    add("omni_purchase", metrics.purchases);
    add("purchase", metrics.purchases);
    add("offsite_conversion.fb_pixel_purchase", metrics.purchases);
    return found;
}

void write_actions(const std::vector<Action>& actions, const InsightsQuery& query, JsonText& out) {
    const bool by_device = std::find(query.action_breakdowns.begin(), query.action_breakdowns.end(), "action_device") !=
                           query.action_breakdowns.end();
    out.open('[');
    for (const Action& action : actions) {
        if (!by_device) {
            write_action(action, {}, query, out);
            continue;
        }
        std::array<int64_t, kDevices.size()> parts{};
        split_number(action.value, kDeviceShares, parts);
        for (size_t i = 0; i < parts.size(); ++i) {
            if (parts[i] > 0) write_action({action.type, parts[i]}, kDevices[i], query, out);
        }
    }
    out.close(']');
}

}  // namespace shaduf::sandbox::facebook
