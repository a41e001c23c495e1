#include "connectors/facebook_ads/fields.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace shaduf::facebook {
namespace {

using Names = std::span<const std::string_view>;

constexpr ListTraits kLists[] = {
    {ListKind::accounts, "accounts", "", "", 100},
    {ListKind::campaigns, "campaigns", "campaigns", "campaign", 200},
    {ListKind::ad_sets, "ad_sets", "adsets", "adset", 100},
    {ListKind::ads, "ads", "ads", "ad", 100},
    {ListKind::creatives, "creatives", "adcreatives", "", 100},
    {ListKind::activities, "activities", "activities", "", 500},
};

constexpr std::string_view kAccountFields[] = {"id",
                                               "name",
                                               "account_status",
                                               "age",
                                               "amount_spent",
                                               "balance",
                                               "business",
                                               "created_time",
                                               "disable_reason",
                                               "spend_cap",
                                               "currency",
                                               "timezone_name",
                                               "timezone_id",
                                               "min_daily_budget",
                                               "timezone_offset_hours_utc",
                                               "is_prepay_account"};
constexpr std::string_view kCampaignFields[] = {
    "id",          "name",         "status",       "effective_status", "objective",
    "buying_type", "bid_strategy", "daily_budget", "lifetime_budget",  "budget_remaining",
    "spend_cap",   "start_time",   "stop_time",    "created_time",     "updated_time"};
constexpr std::string_view kAdSetFields[] = {"id",
                                             "name",
                                             "campaign_id",
                                             "status",
                                             "effective_status",
                                             "optimization_goal",
                                             "billing_event",
                                             "bid_amount",
                                             "bid_strategy",
                                             "daily_budget",
                                             "lifetime_budget",
                                             "budget_remaining",
                                             "promoted_object",
                                             "targeting",
                                             "start_time",
                                             "end_time",
                                             "created_time",
                                             "updated_time"};
constexpr std::string_view kAdFields[] = {
    "id",       "name",           "campaign_id",      "adset_id",     "status",      "effective_status",
    "creative", "tracking_specs", "conversion_specs", "created_time", "updated_time"};
constexpr std::string_view kCreativeFields[] = {"id",
                                                "name",
                                                "status",
                                                "title",
                                                "body",
                                                "object_type",
                                                "object_story_id",
                                                "object_story_spec",
                                                "effective_object_story_id",
                                                "call_to_action_type",
                                                "thumbnail_url",
                                                "image_url",
                                                "link_url",
                                                "url_tags",
                                                "instagram_permalink_url"};
constexpr std::string_view kActivityFields[] = {
    "event_time",  "event_type",  "translated_event_type", "actor_id",         "actor_name", "object_id",
    "object_name", "object_type", "application_id",        "application_name", "extra_data", "date_time_in_timezone"};

// Asked for at every level; the names above a level come before them.
constexpr std::string_view kMetrics[] = {"impressions",
                                         "clicks",
                                         "spend",
                                         "reach",
                                         "frequency",
                                         "cpc",
                                         "cpm",
                                         "ctr",
                                         "unique_clicks",
                                         "actions",
                                         "action_values",
                                         "inline_link_clicks",
                                         "outbound_clicks",
                                         "conversions",
                                         "conversion_values",
                                         "cost_per_action_type",
                                         "purchase_roas",
                                         "video_play_actions",
                                         "objective"};
constexpr std::string_view kAccountNames[] = {"account_name"};
constexpr std::string_view kCampaignNames[] = {"account_name", "campaign_id", "campaign_name"};
constexpr std::string_view kAdSetNames[] = {"account_name", "campaign_id", "campaign_name", "adset_id", "adset_name"};
constexpr std::string_view kAdNames[] = {"account_name", "campaign_id", "campaign_name", "adset_id",
                                         "adset_name",   "ad_id",       "ad_name"};

// Counts, and money in minor units of the account's currency.
constexpr std::string_view kListIntegers[] = {
    "account_status",   "amount_spent", "balance",         "disable_reason",   "spend_cap", "timezone_id",
    "min_daily_budget", "daily_budget", "lifetime_budget", "budget_remaining", "bid_amount"};
constexpr std::string_view kListTimes[] = {"created_time", "updated_time", "start_time",
                                           "stop_time",    "end_time",     "event_time"};
constexpr std::string_view kListJson[] = {"promoted_object",  "targeting",           "tracking_specs",
                                          "conversion_specs", "object_story_spec",   "asset_feed_spec",
                                          "issues_info",      "learning_stage_info", "adlabels"};
constexpr std::string_view kListTexts[] = {"id",
                                           "account_id",
                                           "name",
                                           "status",
                                           "effective_status",
                                           "configured_status",
                                           "objective",
                                           "buying_type",
                                           "bid_strategy",
                                           "campaign_id",
                                           "adset_id",
                                           "optimization_goal",
                                           "billing_event",
                                           "title",
                                           "body",
                                           "object_type",
                                           "object_story_id",
                                           "effective_object_story_id",
                                           "call_to_action_type",
                                           "thumbnail_url",
                                           "image_url",
                                           "image_hash",
                                           "link_url",
                                           "url_tags",
                                           "instagram_permalink_url",
                                           "event_type",
                                           "translated_event_type",
                                           "actor_id",
                                           "actor_name",
                                           "object_id",
                                           "object_name",
                                           "application_id",
                                           "application_name",
                                           "extra_data",
                                           "date_time_in_timezone",
                                           "currency",
                                           "timezone_name",
                                           "source_campaign_id",
                                           "source_adset_id",
                                           "source_ad_id",
                                           "video_id"};

constexpr std::string_view kCounts[] = {"impressions",
                                        "clicks",
                                        "reach",
                                        "unique_clicks",
                                        "inline_link_clicks",
                                        "unique_inline_link_clicks",
                                        "inline_post_engagement",
                                        "full_view_impressions",
                                        "full_view_reach",
                                        "estimated_ad_recallers",
                                        "total_postbacks"};
constexpr std::string_view kMoney[] = {"spend", "social_spend", "auction_bid", "auction_max_competitor_bid"};
// Worked out by Facebook, with up to 17 digits.
constexpr std::string_view kRatios[] = {"frequency",
                                        "cpc",
                                        "cpm",
                                        "cpp",
                                        "ctr",
                                        "unique_ctr",
                                        "inline_link_click_ctr",
                                        "unique_inline_link_click_ctr",
                                        "unique_link_clicks_ctr",
                                        "cost_per_inline_link_click",
                                        "cost_per_inline_post_engagement",
                                        "cost_per_unique_click",
                                        "cost_per_unique_inline_link_click",
                                        "cost_per_estimated_ad_recallers",
                                        "estimated_ad_recall_rate",
                                        "full_view_frequency",
                                        "canvas_avg_view_percent",
                                        "canvas_avg_view_time",
                                        "instant_experience_clicks_to_open",
                                        "instant_experience_clicks_to_start",
                                        "qualifying_question_qualify_answer_rate"};
constexpr std::string_view kActionLists[] = {"actions",
                                             "action_values",
                                             "conversions",
                                             "conversion_values",
                                             "cost_per_action_type",
                                             "cost_per_conversion",
                                             "cost_per_unique_action_type",
                                             "cost_per_outbound_click",
                                             "cost_per_unique_outbound_click",
                                             "cost_per_thruplay",
                                             "cost_per_15_sec_video_view",
                                             "cost_per_2_sec_continuous_video_view",
                                             "cost_per_ad_click",
                                             "cost_per_one_thousand_ad_impression",
                                             "outbound_clicks",
                                             "outbound_clicks_ctr",
                                             "unique_actions",
                                             "unique_conversions",
                                             "unique_outbound_clicks",
                                             "unique_outbound_clicks_ctr",
                                             "unique_video_view_15_sec",
                                             "website_ctr",
                                             "website_purchase_roas",
                                             "mobile_app_purchase_roas",
                                             "purchase_roas",
                                             "ad_click_actions",
                                             "ad_impression_actions",
                                             "catalog_segment_actions",
                                             "catalog_segment_value",
                                             "converted_product_quantity",
                                             "converted_product_value",
                                             "interactive_component_tap",
                                             "onsite_conversion_messaging_detected_purchase_deduped",
                                             "catalog_segment_value_mobile_purchase_roas",
                                             "catalog_segment_value_omni_purchase_roas",
                                             "catalog_segment_value_website_purchase_roas"};
constexpr std::string_view kInsightsTexts[] = {"account_name",
                                               "campaign_id",
                                               "campaign_name",
                                               "adset_id",
                                               "adset_name",
                                               "ad_id",
                                               "ad_name",
                                               "objective",
                                               "optimization_goal",
                                               "buying_type",
                                               "quality_ranking",
                                               "engagement_rate_ranking",
                                               "conversion_rate_ranking",
                                               "attribution_setting",
                                               "account_currency",
                                               "account_id",
                                               "age",
                                               "gender",
                                               "country",
                                               "region",
                                               "dma",
                                               "comscore_market",
                                               "publisher_platform",
                                               "platform_position",
                                               "device_platform",
                                               "impression_device",
                                               "product_id",
                                               "frequency_value",
                                               "place_page_id",
                                               "user_segment_key",
                                               "hourly_stats_aggregated_by_advertiser_time_zone",
                                               "hourly_stats_aggregated_by_audience_time_zone",
                                               "app_id",
                                               "skan_campaign_id",
                                               "skan_conversion_id",
                                               "location"};
constexpr std::string_view kInsightsDates[] = {"date_start", "date_stop"};
constexpr std::string_view kInsightsTimes[] = {"created_time", "updated_time"};

constexpr BreakdownTraits kBreakdowns[] = {
    {"impression_device", false, true, 13},
    {"frequency_value", false, true, 6},
    {"hourly_stats_aggregated_by_advertiser_time_zone", false, false, 13},
    {"hourly_stats_aggregated_by_audience_time_zone", false, true, 13},
    {"image_asset", true, false, 0},
    {"video_asset", true, false, 0},
    {"title_asset", true, false, 0},
    {"body_asset", true, false, 0},
    {"description_asset", true, false, 0},
    {"link_url_asset", true, false, 0},
    {"call_to_action_asset", true, false, 0},
    {"ad_format_asset", false, false, 0},
};

bool has(Names names, std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); }

std::vector<std::string> as_texts(Names names) { return {names.begin(), names.end()}; }

Names names_of(Level level) {
    switch (level) {
        case Level::account: return kAccountNames;
        case Level::campaign: return kCampaignNames;
        case Level::ad_set: return kAdSetNames;
        case Level::ad: return kAdNames;
    }
    return {};
}

}  // namespace

const ListTraits* find_list(std::string_view stream) {
    const auto found = std::find_if(std::begin(kLists), std::end(kLists),
                                    [&](const ListTraits& list) { return list.stream == stream; });
    return found == std::end(kLists) ? nullptr : found;
}

std::span<const ListTraits> all_lists() { return kLists; }

std::string_view to_string(Level level) {
    switch (level) {
        case Level::account: return "account";
        case Level::campaign: return "campaign";
        case Level::ad_set: return "adset";
        case Level::ad: return "ad";
    }
    return "";
}

std::optional<Level> parse_level(std::string_view text) {
    if (text == "ad_set") return Level::ad_set;
    for (const Level level : {Level::account, Level::campaign, Level::ad_set, Level::ad}) {
        if (to_string(level) == text) return level;
    }
    return std::nullopt;
}

std::string_view id_column(Level level) {
    constexpr std::string_view kColumns[] = {"account_id", "campaign_id", "adset_id", "ad_id"};
    return kColumns[static_cast<size_t>(level)];
}

std::optional<Level> level_of_stream(std::string_view stream) {
    constexpr std::pair<std::string_view, Level> kStreams[] = {{"account_insights", Level::account},
                                                               {"campaign_insights", Level::campaign},
                                                               {"campaigns_insights", Level::campaign},
                                                               {"ad_set_insights", Level::ad_set},
                                                               {"ad_sets_insights", Level::ad_set},
                                                               {"ad_insights", Level::ad},
                                                               {"ads_insights", Level::ad}};
    for (const auto& [name, level] : kStreams) {
        if (name == stream) return level;
    }
    return std::nullopt;
}

std::vector<std::string> default_fields(ListKind kind) {
    switch (kind) {
        case ListKind::accounts: return as_texts(kAccountFields);
        case ListKind::campaigns: return as_texts(kCampaignFields);
        case ListKind::ad_sets: return as_texts(kAdSetFields);
        case ListKind::ads: return as_texts(kAdFields);
        case ListKind::creatives: return as_texts(kCreativeFields);
        case ListKind::activities: return as_texts(kActivityFields);
    }
    return {};
}

std::vector<std::string> default_fields(Level level) {
    std::vector<std::string> fields = as_texts(names_of(level));
    fields.insert(fields.end(), std::begin(kMetrics), std::end(kMetrics));
    return fields;
}

std::optional<DataType> type_of_list_field(std::string_view name) {
    if (has(kListIntegers, name)) return TypeKind::int64;
    if (has(kListTimes, name)) return TypeKind::timestamp_tz;
    if (has(kListJson, name)) return TypeKind::json;
    if (has(kListTexts, name)) return TypeKind::string;
    if (name == "age" || name == "timezone_offset_hours_utc") return TypeKind::float64;
    if (name == "is_prepay_account") return TypeKind::boolean;
    return std::nullopt;
}

bool is_action_list(std::string_view name) {
    const bool is_video = name.starts_with("video_") && name.ends_with("_actions");
    return is_video || has(kActionLists, name);
}

std::optional<DataType> type_of_insights_field(std::string_view name) {
    if (has(kInsightsTexts, name)) return TypeKind::string;
    if (has(kCounts, name)) return TypeKind::int64;
    if (has(kMoney, name)) return DataType::decimal(18, 6);
    if (has(kRatios, name)) return DataType::decimal(18);
    if (has(kInsightsDates, name)) return TypeKind::date;
    if (has(kInsightsTimes, name)) return TypeKind::date;
    if (is_action_list(name)) return TypeKind::json;
    return std::nullopt;
}

const BreakdownTraits* find_breakdown(std::string_view name) {
    const auto found = std::find_if(std::begin(kBreakdowns), std::end(kBreakdowns),
                                    [&](const BreakdownTraits& traits) { return traits.name == name; });
    return found == std::end(kBreakdowns) ? nullptr : found;
}

bool is_unique_metric(std::string_view name) {
    constexpr std::string_view kSilent[] = {"reach", "frequency", "cpp"};
    return has(kSilent, name) || name.starts_with("unique_") || name.starts_with("cost_per_unique_");
}

}  // namespace shaduf::facebook
