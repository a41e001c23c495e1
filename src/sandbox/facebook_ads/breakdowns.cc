#include "sandbox/facebook_ads/breakdowns.h"

#include <array>

namespace shaduf::sandbox::facebook {
namespace {

constexpr Share kAges[] = {{"18-24", 0.16}, {"25-34", 0.27}, {"35-44", 0.23},
                           {"45-54", 0.17}, {"55-64", 0.11}, {"65+", 0.06}};
constexpr Share kGenders[] = {{"female", 0.51}, {"male", 0.46}, {"unknown", 0.03}};
constexpr Share kCountries[] = {{"DE", 0.34}, {"US", 0.28}, {"GB", 0.14}, {"FR", 0.12}, {"AT", 0.07}, {"CH", 0.05}};
constexpr Share kRegions[] = {{"Bavaria", 0.3}, {"California", 0.3}, {"England", 0.2}, {"Tokyo", 0.2}};
constexpr Share kMarkets[] = {{"New York", 0.4}, {"Los Angeles", 0.35}, {"Chicago", 0.25}};
constexpr Share kPublishers[] = {
    {"facebook", 0.52}, {"instagram", 0.38}, {"audience_network", 0.07}, {"messenger", 0.03}};
constexpr Share kPositions[] = {
    {"feed", 0.6}, {"facebook_stories", 0.18}, {"instagram_reels", 0.15}, {"right_hand_column", 0.07}};
constexpr Share kDevicePlatforms[] = {{"mobile_app", 0.82}, {"desktop", 0.13}, {"mobile_web", 0.05}};
constexpr Share kImpressionDevices[] = {
    {"iphone", 0.42}, {"android_smartphone", 0.4}, {"desktop", 0.13}, {"ipad", 0.05}};
constexpr Share kProducts[] = {{"sku-1001, Red mug", 0.5}, {"sku-1002, Blue mug", 0.3}, {"sku-1003, Green mug", 0.2}};
constexpr Share kFrequencies[] = {{"1", 0.6}, {"2", 0.22}, {"3", 0.1}, {"4", 0.05}, {"5", 0.03}};
constexpr Share kAssets[] = {{"7001", 0.6}, {"7002", 0.4}};
constexpr Share kHours[] = {
    {"00:00:00 - 00:59:59", 2}, {"01:00:00 - 01:59:59", 1}, {"02:00:00 - 02:59:59", 1}, {"03:00:00 - 03:59:59", 1},
    {"04:00:00 - 04:59:59", 1}, {"05:00:00 - 05:59:59", 2}, {"06:00:00 - 06:59:59", 3}, {"07:00:00 - 07:59:59", 4},
    {"08:00:00 - 08:59:59", 5}, {"09:00:00 - 09:59:59", 5}, {"10:00:00 - 10:59:59", 5}, {"11:00:00 - 11:59:59", 5},
    {"12:00:00 - 12:59:59", 6}, {"13:00:00 - 13:59:59", 5}, {"14:00:00 - 14:59:59", 5}, {"15:00:00 - 15:59:59", 5},
    {"16:00:00 - 16:59:59", 5}, {"17:00:00 - 17:59:59", 6}, {"18:00:00 - 18:59:59", 7}, {"19:00:00 - 19:59:59", 8},
    {"20:00:00 - 20:59:59", 8}, {"21:00:00 - 21:59:59", 7}, {"22:00:00 - 22:59:59", 5}, {"23:00:00 - 23:59:59", 3}};

// Whom, where and by what it was shown; those of one group may be combined.
constexpr uint8_t kPeople = 1;
constexpr uint8_t kPlacement = 2;
constexpr uint8_t kPlace = 4;
constexpr uint8_t kAlone = 8;
constexpr uint8_t kAsset = 16;

constexpr Breakdown kBreakdowns[] = {
    {"age", {"age", kAges}, kPeople | kAsset},
    {"gender", {"gender", kGenders}, kPeople | kAsset},
    {"country", {"country", kCountries}, kPeople | kPlace},
    {"region", {"region", kRegions}, kPlace, false, false, true},
    {"comscore_market", {"comscore_market", kMarkets}, kAlone, false, false, true},
    {"publisher_platform", {"publisher_platform", kPublishers}, kPlacement},
    {"platform_position", {"platform_position", kPositions}, kPlacement},
    {"device_platform", {"device_platform", kDevicePlatforms}, kPlacement},
    {"impression_device", {"impression_device", kImpressionDevices}, kPlacement},
    {"product_id", {"product_id", kProducts}, kAlone},
    {"frequency_value", {"frequency_value", kFrequencies}, kAlone},
    {"hourly_stats_aggregated_by_advertiser_time_zone",
     {"hourly_stats_aggregated_by_advertiser_time_zone", kHours},
     kAlone,
     false,
     true,
     true},
    {"hourly_stats_aggregated_by_audience_time_zone",
     {"hourly_stats_aggregated_by_audience_time_zone", kHours},
     kAlone,
     false,
     true,
     true},
    {"image_asset", {"image_asset", kAssets}, kAsset, true},
    {"video_asset", {"video_asset", kAssets}, kAsset, true},
    {"body_asset", {"body_asset", kAssets}, kAsset, true},
    {"title_asset", {"title_asset", kAssets}, kAsset, true},
    {"description_asset", {"description_asset", kAssets}, kAsset, true},
    {"link_url_asset", {"link_url_asset", kAssets}, kAsset, true},
    {"call_to_action_asset", {"call_to_action_asset", kAssets}, kAsset, true},
    {"ad_format_asset", {"ad_format_asset", kAssets}, kAsset, true},
};

GraphError bad_combination(const std::vector<std::string>& names) {
    std::string all = "action_type";
    for (const std::string& name : names) all += ", " + name;
    return {.message = "(#100) Current combination of data breakdown columns (" + all + ") is invalid",
            .code = 100,
            .subcode = 1504041,
            .user_title = "Invalid Breakdown Combination"};
}

}  // namespace

const Breakdown* find_breakdown(std::string_view name) {
    for (const Breakdown& breakdown : kBreakdowns) {
        if (breakdown.name == name) return &breakdown;
    }
    return nullptr;
}

Outcome<std::vector<const Breakdown*>> parse_breakdowns(const std::vector<std::string>& names) {
    std::vector<const Breakdown*> found;
    uint8_t groups = 0xFF;
    for (const std::string& name : names) {
        const Breakdown* breakdown = find_breakdown(name);
        if (breakdown == nullptr) {
            return bad_param("breakdowns[0] must be one of the following values: age, gender, country, region, " +
                                 std::string("publisher_platform, platform_position, device_platform, ") +
                                 "impression_device, product_id, frequency_value; got " + name,
                             "breakdowns");
        }
        for (const Breakdown* before : found) {
            if (before == breakdown) return bad_combination(names);
        }
        groups &= breakdown->group;
        found.push_back(breakdown);
    }
    if (found.size() > 1 && (groups == 0 || (groups & kAlone) != 0)) return bad_combination(names);
    return found;
}

}  // namespace shaduf::sandbox::facebook
