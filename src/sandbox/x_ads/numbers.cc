#include "sandbox/x_ads/numbers.h"

#include <algorithm>

namespace shaduf::sandbox::x_ads {
namespace {

int64_t reactions(const Metrics& m) { return m.engagements - m.clicks; }
int64_t retweets(const Metrics& m) { return reactions(m) / 5; }
int64_t replies(const Metrics& m) { return reactions(m) / 10; }
int64_t follows(const Metrics& m) { return reactions(m) / 20; }
int64_t likes(const Metrics& m) { return reactions(m) - retweets(m) - replies(m) - follows(m); }

constexpr MetricInfo kMetrics[] = {
    {"ENGAGEMENT", "impressions", "", [](const Metrics& m) { return m.impressions; }},
    {"ENGAGEMENT", "engagements", "", [](const Metrics& m) { return m.engagements; }},
    {"ENGAGEMENT", "likes", "", likes},
    {"ENGAGEMENT", "retweets", "", retweets},
    {"ENGAGEMENT", "replies", "", replies},
    {"ENGAGEMENT", "follows", "", follows},
    {"ENGAGEMENT", "clicks", "", [](const Metrics& m) { return m.clicks; }},
    {"ENGAGEMENT", "url_clicks", "", [](const Metrics& m) { return m.link_clicks; }},
    {"ENGAGEMENT", "app_clicks"},
    {"ENGAGEMENT", "card_engagements"},
    {"ENGAGEMENT", "qualified_impressions"},
    {"ENGAGEMENT", "carousel_swipes"},
    {"BILLING", "billed_engagements", "", [](const Metrics& m) { return m.engagements; }},
    {"BILLING", "billed_charge_local_micro", "", [](const Metrics& m) { return m.spend_micros; }},
    {"VIDEO", "video_total_views", "", [](const Metrics& m) { return m.video_views; }},
    {"VIDEO", "video_views_25", "", [](const Metrics& m) { return m.video_views * 4 / 5; }},
    {"VIDEO", "video_views_50", "", [](const Metrics& m) { return m.video_views * 3 / 5; }},
    {"VIDEO", "video_views_75", "", [](const Metrics& m) { return m.video_views * 2 / 5; }},
    {"VIDEO", "video_views_100", "", [](const Metrics& m) { return m.video_views * 3 / 10; }},
    {"VIDEO", "video_3s100pct_views", "", [](const Metrics& m) { return m.video_views / 2; }},
    {"VIDEO", "video_6s_views", "", [](const Metrics& m) { return m.video_views / 3; }},
    {"VIDEO", "video_15s_views", "", [](const Metrics& m) { return m.video_views / 4; }},
    {"VIDEO", "video_cta_clicks"},
    {"VIDEO", "video_content_starts", "", [](const Metrics& m) { return m.video_views; }},
    {"WEB_CONVERSION", "conversion_purchases", "order_quantity", [](const Metrics& m) { return m.purchases; }},
    {"WEB_CONVERSION", "conversion_purchases", "sale_amount_local_micro",
     [](const Metrics& m) { return m.purchase_value_micros; }},
    {"WEB_CONVERSION", "conversion_sign_ups", "order_quantity", [](const Metrics& m) { return m.leads; }},
    {"WEB_CONVERSION", "conversion_site_visits", "order_quantity"},
    {"MOBILE_CONVERSION", "mobile_conversion_installs", "order_quantity"},
    {"LIFE_TIME_VALUE_MOBILE_CONVERSION", "mobile_conversion_lifetime_value_purchases", "order_quantity"},
};

constexpr Share kPlacementShares[] = {{"ALL_ON_TWITTER", 0.9}, {"SPOTLIGHT", 0.06}, {"TREND", 0.04}};
constexpr Dimension kPlacement{"placement", kPlacementShares};
// Of those without a name X tells nothing.
constexpr Share kGenders[] = {{"1", 0.48}, {"2", 0.45}, {"", 0.07}};
constexpr Dimension kGender{"gender", kGenders};
constexpr Share kAges[] = {
    {"AGE_13_TO_24", 0.2}, {"AGE_25_TO_34", 0.35}, {"AGE_35_TO_49", 0.25}, {"AGE_OVER_50", 0.15}, {"", 0.05}};
constexpr Dimension kAge{"age", kAges};
constexpr Share kPlatforms[] = {{"0", 0.3}, {"1", 0.4}, {"3", 0.3}};
constexpr Dimension kPlatform{"platform", kPlatforms};
constexpr SegmentKind kSegmentations[] = {{"GENDER", &kGender}, {"AGE", &kAge}, {"PLATFORMS", &kPlatform}};

constexpr Share kHourShares[] = {{"0", 1},  {"1", 1},  {"2", 1},  {"3", 1},  {"4", 1},  {"5", 2},
                                 {"6", 3},  {"7", 4},  {"8", 5},  {"9", 5},  {"10", 5}, {"11", 5},
                                 {"12", 6}, {"13", 6}, {"14", 5}, {"15", 5}, {"16", 5}, {"17", 6},
                                 {"18", 7}, {"19", 8}, {"20", 8}, {"21", 6}, {"22", 4}, {"23", 2}};
constexpr Dimension kHour{"hour", kHourShares};

// Parts of one ad-day in one placement, further parted by `hour` (where given) and by segment.
void add_parts(const World& world, const Entity& ad, int32_t day, std::string_view placement, const size_t* hour,
               const SegmentKind* by, Segments& to) {
    const Metrics whole = world.measure(ad, day);
    if (!whole.has_delivery()) return;
    std::vector<const Dimension*> dimensions{&kPlacement};
    if (hour != nullptr) dimensions.push_back(&kHour);
    if (by != nullptr) dimensions.push_back(by->dimension);
    for (const Part& part : break_down(whole, world.key_of(ad), dimensions, world.details(ad).coin_micros)) {
        if (kPlacementShares[part.shares[0]].value != placement) continue;
        if (hour != nullptr && part.shares[1] != *hour) continue;
        const std::string_view segment = by == nullptr ? "" : by->dimension->shares[part.shares.back()].value;
        if (by == nullptr || !segment.empty()) to[std::string(segment)] += part.metrics;
    }
}

}  // namespace

std::vector<const MetricInfo*> metrics_of(const std::vector<std::string>& groups) {
    std::vector<const MetricInfo*> found;
    for (const MetricInfo& metric : kMetrics) {
        if (std::find(groups.begin(), groups.end(), metric.group) != groups.end()) found.push_back(&metric);
    }
    return found;
}

bool is_metric_group(std::string_view name) {
    return std::any_of(std::begin(kMetrics), std::end(kMetrics),
                       [&](const auto& metric) { return metric.group == name; });
}

const SegmentKind* find_segmentation(std::string_view name) {
    for (const SegmentKind& kind : kSegmentations) {
        if (kind.name == name) return &kind;
    }
    return nullptr;
}

void add_day(const World& world, const Entity& ad, int32_t day, std::string_view placement, const SegmentKind* by,
             Segments& to) {
    add_parts(world, ad, day, placement, nullptr, by, to);
}

void add_hour(const World& world, const Entity& ad, int32_t day, size_t hour, std::string_view placement,
              const SegmentKind* by, Segments& to) {
    add_parts(world, ad, day, placement, &hour, by, to);
}

}  // namespace shaduf::sandbox::x_ads
