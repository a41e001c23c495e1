#include <algorithm>

#include "connectors/x_ads/stats_rows.h"

namespace shaduf::x_ads {
namespace {

constexpr std::string_view kMobileConversion = "MOBILE_CONVERSION";

struct Metric {
    std::string_view group;
    std::string_view name;
    bool is_money = false;
};
constexpr Metric kMetrics[] = {
    {"ENGAGEMENT", "impressions"},
    {"ENGAGEMENT", "engagements"},
    {"ENGAGEMENT", "likes"},
    {"ENGAGEMENT", "retweets"},
    {"ENGAGEMENT", "replies"},
    {"ENGAGEMENT", "follows"},
    {"ENGAGEMENT", "clicks"},
    {"ENGAGEMENT", "url_clicks"},
    {"ENGAGEMENT", "app_clicks"},
    {"ENGAGEMENT", "card_engagements"},
    {"ENGAGEMENT", "qualified_impressions"},
    {"ENGAGEMENT", "carousel_swipes"},
    {"BILLING", "billed_engagements"},
    {"BILLING", "billed_charge", true},
    {"VIDEO", "video_total_views"},
    {"VIDEO", "video_views_25"},
    {"VIDEO", "video_views_50"},
    {"VIDEO", "video_views_75"},
    {"VIDEO", "video_views_100"},
    {"VIDEO", "video_3s100pct_views"},
    {"VIDEO", "video_6s_views"},
    {"VIDEO", "video_15s_views"},
    {"VIDEO", "video_cta_clicks"},
    {"VIDEO", "video_content_starts"},
};
constexpr int kMoneyDigits = 38;
constexpr int kMoneyScale = 6;

ShapeColumn column(std::string_view name, DataType type) {
    return {std::string(name), std::move(type), {std::string(name)}, true};
}

}  // namespace

std::vector<ShapeColumn> report_columns(const ReportSettings& report) {
    std::vector<ShapeColumn> columns;
    for (const char* name : {"account_id", "account_time_zone", "account_currency", "entity", "placement"})
        columns.push_back(column(name, TypeKind::string));
    columns.push_back(column("date", TypeKind::date));
    if (report.hourly) columns.push_back(column("hour_start", TypeKind::timestamp_tz));
    columns.push_back(column("entity_id", TypeKind::string));
    if (!report.segmentation.empty()) {
        columns.push_back(column("segment_name", TypeKind::string));
        columns.push_back(column("segment_value", TypeKind::string));
    }
    for (const Metric& metric : kMetrics) {
        const auto& groups = report.metric_groups;
        if (std::find(groups.begin(), groups.end(), metric.group) == groups.end()) continue;
        columns.push_back(
            column(metric.name, metric.is_money ? DataType::decimal(kMoneyDigits, kMoneyScale) : TypeKind::int64));
    }
    return columns;
}

std::vector<std::vector<std::string>> groups_by_request(const ReportSettings& report) {
    std::vector<std::vector<std::string>> requests;
    std::vector<std::string> others = report.metric_groups;
    const auto mobile = std::find(others.begin(), others.end(), kMobileConversion);
    if (mobile != others.end()) {
        others.erase(mobile);
        requests.push_back({std::string(kMobileConversion)});
    }
    if (!others.empty()) requests.insert(requests.begin(), std::move(others));
    return requests;
}

}  // namespace shaduf::x_ads
