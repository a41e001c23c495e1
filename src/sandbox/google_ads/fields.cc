#include "sandbox/google_ads/fields.h"

#include <algorithm>

#include "base/text.h"
#include "base/time.h"

namespace shaduf::sandbox::google_ads {
namespace {

constexpr int kDaysInWeek = 7;

const Value kNull;
Value text(std::string_view value) { return std::string(value); }
Value whole(int64_t value) { return value; }
Value ratio(double above, double below) { return below == 0 ? 0.0 : above / below; }

std::string customer_of(const Row& row) { return row.account != nullptr ? row.account->id : std::string(kManagerId); }
Value label_of(const Entity& entity, std::string_view value) { return entity.kind % 3 == 0 ? text(value) : kNull; }

Value budget_of(const Row& row) { return whole(row.campaign->daily_budget_micros); }
Value campaign_start(const Row& row) { return text(format_date(row.campaign->first_day) + " 00:00:00"); }
Value keyword_status(const Row& row) { return text(status_name(row.ad_group->status)); }
Value final_urls(const Row& row) { return std::vector<std::string>{"https://shop.example/" + row.ad->id}; }
Value headlines(const Row& row) {
    if (ad_type_of(*row.ad) != "RESPONSIVE_SEARCH_AD") return kNull;
    return std::vector<std::string>{"{\"text\":\"" + keyword_text(*row.ad_group, 0) + "\"}",
                                    "{\"text\":\"Order today\"}"};
}
Value week_of(const Row& row) {
    const int32_t monday = row.day - (row.day + 3) % kDaysInWeek;  // 1970-01-01 was a Thursday
    return text(format_date(monday));
}
Value month_of(const Row& row) { return text(format_date(row.day).substr(0, 8) + "01"); }
Value action_name(const Row& row) {
    return text("customers/" + row.account->id + "/conversionActions/" +
                std::string(kActions[static_cast<size_t>(row.action)].id));
}
Value place_name(const Row& row) {
    return text("geoTargetConstants/" + std::string(kPlaces.shares[static_cast<size_t>(row.place)].value));
}
Value name_of_campaign(const Row& row) { return text(resource_name("campaign", row)); }
Value name_of_ad_group(const Row& row) { return text(resource_name("ad_group", row)); }
Value changed_budget(const Row& row) {
    return row.change->type == "CAMPAIGN_BUDGET" ? text(resource_name("campaign_budget", row)) : kNull;
}
Value ctr(const Row& row) {
    return ratio(static_cast<double>(row.numbers.clicks), static_cast<double>(row.numbers.impressions));
}
Value average_cpc(const Row& row) {
    return ratio(static_cast<double>(row.numbers.spend_micros), static_cast<double>(row.numbers.clicks));
}
Value account_zone(const Row& row) {
    return text(row.account == nullptr ? "Europe/Berlin" : row.world->details(*row.account).time_zone);
}
Value account_currency(const Row& row) {
    return text(row.account == nullptr ? "EUR" : row.world->details(*row.account).currency);
}
Value share_of(const Dimension& dimension, int share) {
    return share == kNone ? kNull : text(dimension.shares[static_cast<size_t>(share)].value);
}
Value client_name(const Row& row) {
    if (row.account != nullptr) return text(row.account->name);
    return text(row.client == kClosedId ? "Closed shop" : "Manager");
}
bool is_manager(const Row& row) { return row.account == nullptr && row.client != kClosedId; }

using C = Category;
using T = DataType;
constexpr C kAttribute = C::attribute;
constexpr C kSegment = C::segment;
constexpr C kMetric = C::metric;

const Field kFields[] = {
    {"customer.id", kAttribute, T::int64, [](const Row& r) { return text(customer_of(r)); }},
    {"customer.descriptive_name", kAttribute, T::text, client_name},
    {"customer.currency_code", kAttribute, T::text, account_currency},
    {"customer.time_zone", kAttribute, T::text, account_zone},
    {"customer.status", kAttribute, T::enumeration, [](const Row&) { return text("ENABLED"); }},
    {"customer.manager", kAttribute, T::boolean, [](const Row& r) { return Value(is_manager(r)); }},
    {"customer.test_account", kAttribute, T::boolean, [](const Row&) { return Value(false); }},
    {"customer.auto_tagging_enabled", kAttribute, T::boolean, [](const Row&) { return Value(true); }},

    {"customer_client.id", kAttribute, T::int64, [](const Row& r) { return text(r.client); }},
    {"customer_client.client_customer", kAttribute, T::resource_name,
     [](const Row& r) { return text("customers/" + std::string(r.client)); }},
    {"customer_client.descriptive_name", kAttribute, T::text, client_name},
    {"customer_client.manager", kAttribute, T::boolean, [](const Row& r) { return Value(is_manager(r)); }},
    {"customer_client.level", kAttribute, T::int64, [](const Row& r) { return whole(is_manager(r) ? 0 : 1); }},
    {"customer_client.hidden", kAttribute, T::boolean, [](const Row&) { return Value(false); }},
    {"customer_client.test_account", kAttribute, T::boolean, [](const Row&) { return Value(false); }},
    {"customer_client.time_zone", kAttribute, T::text, account_zone},
    {"customer_client.currency_code", kAttribute, T::text, account_currency},
    {"customer_client.status", kAttribute, T::enumeration,
     [](const Row& r) { return text(r.client == kClosedId ? "CANCELED" : "ENABLED"); }},

    {"campaign.id", kAttribute, T::int64, [](const Row& r) { return text(r.campaign->id); }},
    {"campaign.name", kAttribute, T::text, [](const Row& r) { return text(r.campaign->name); }},
    {"campaign.status", kAttribute, T::enumeration, [](const Row& r) { return text(status_name(r.campaign->status)); }},
    {"campaign.serving_status", kAttribute, T::enumeration,
     [](const Row& r) { return text(r.campaign->status == Status::active ? "SERVING" : "SUSPENDED"); }},
    {"campaign.primary_status", kAttribute, T::enumeration,
     [](const Row& r) { return text(r.campaign->status == Status::active ? "ELIGIBLE" : "PAUSED"); }},
    {"campaign.advertising_channel_type", kAttribute, T::enumeration,
     [](const Row& r) { return text(channel_of(*r.campaign)); }},
    {"campaign.advertising_channel_sub_type", kAttribute, T::enumeration, [](const Row&) { return kNull; }},
    {"campaign.bidding_strategy_type", kAttribute, T::enumeration,
     [](const Row& r) { return text(r.campaign->kind % 2 == 0 ? "MANUAL_CPC" : "TARGET_CPA"); }},
    {"campaign.campaign_budget", kAttribute, T::resource_name,
     [](const Row& r) { return text(resource_name("campaign_budget", r)); }},
    {"campaign.start_date_time", kAttribute, T::date, campaign_start},
    {"campaign.end_date_time", kAttribute, T::date, [](const Row&) { return text("2037-12-30 23:59:59"); }},
    {"campaign.optimization_score", kAttribute, T::real,
     [](const Row& r) { return Value(static_cast<double>(r.campaign->kind % 101) / 100); }},
    {"campaign.labels", kAttribute, T::resource_name,
     [](const Row& r) {
         if (r.campaign->kind % 2 == 0) return kNull;
         return Value(std::vector<std::string>{"customers/" + customer_of(r) + "/labels/81001"});
     },
     true},
    {"campaign.tracking_url_template", kAttribute, T::text,
     [](const Row& r) { return label_of(*r.campaign, "{lpurl}?c={campaignid}"); }},
    {"campaign.final_url_suffix", kAttribute, T::text, [](const Row&) { return kNull; }},

    {"campaign_budget.id", kAttribute, T::int64, [](const Row& r) { return text("7" + r.campaign->id); }},
    {"campaign_budget.name", kAttribute, T::text, [](const Row& r) { return text("Budget of " + r.campaign->name); }},
    {"campaign_budget.status", kAttribute, T::enumeration, [](const Row&) { return text("ENABLED"); }},
    {"campaign_budget.amount_micros", kAttribute, T::int64, budget_of},
    {"campaign_budget.total_amount_micros", kAttribute, T::int64, [](const Row&) { return whole(0); }},
    {"campaign_budget.period", kAttribute, T::enumeration, [](const Row&) { return text("DAILY"); }},
    {"campaign_budget.delivery_method", kAttribute, T::enumeration, [](const Row&) { return text("STANDARD"); }},
    {"campaign_budget.explicitly_shared", kAttribute, T::boolean, [](const Row&) { return Value(false); }},
    {"campaign_budget.type", kAttribute, T::enumeration, [](const Row&) { return text("STANDARD"); }},

    {"ad_group.id", kAttribute, T::int64, [](const Row& r) { return text(r.ad_group->id); }},
    {"ad_group.name", kAttribute, T::text, [](const Row& r) { return text(r.ad_group->name); }},
    {"ad_group.status", kAttribute, T::enumeration, [](const Row& r) { return text(status_name(r.ad_group->status)); }},
    {"ad_group.type", kAttribute, T::enumeration, [](const Row&) { return text("SEARCH_STANDARD"); }},
    {"ad_group.campaign", kAttribute, T::resource_name, name_of_campaign},
    {"ad_group.cpc_bid_micros", kAttribute, T::int64,
     [](const Row& r) { return whole((static_cast<int64_t>(r.ad_group->kind) % 200 + 1) * 10'000); }},
    {"ad_group.target_cpa_micros", kAttribute, T::int64, [](const Row&) { return whole(0); }},
    {"ad_group.target_roas", kAttribute, T::real, [](const Row&) { return Value(0.0); }},
    {"ad_group.labels", kAttribute, T::resource_name, [](const Row&) { return kNull; }, true},

    {"ad_group_ad.status", kAttribute, T::enumeration, [](const Row& r) { return text(status_name(r.ad->status)); }},
    {"ad_group_ad.ad_strength", kAttribute, T::enumeration, [](const Row&) { return text("GOOD"); }},
    {"ad_group_ad.ad_group", kAttribute, T::resource_name,
     name_of_ad_group},
    {"ad_group_ad.labels", kAttribute, T::resource_name, [](const Row&) { return kNull; }, true},
    {"ad_group_ad.policy_summary.approval_status", kAttribute, T::enumeration,
     [](const Row&) { return text("APPROVED"); }},
    {"ad_group_ad.ad.id", kAttribute, T::int64, [](const Row& r) { return text(r.ad->id); }},
    {"ad_group_ad.ad.name", kAttribute, T::text, [](const Row& r) { return text(r.ad->name); }},
    {"ad_group_ad.ad.type", kAttribute, T::enumeration, [](const Row& r) { return text(ad_type_of(*r.ad)); }},
    {"ad_group_ad.ad.display_url", kAttribute, T::text, [](const Row&) { return kNull; }},
    {"ad_group_ad.ad.tracking_url_template", kAttribute, T::text, [](const Row&) { return kNull; }},
    {"ad_group_ad.ad.final_urls", kAttribute, T::text, final_urls, true},
    {"ad_group_ad.ad.responsive_search_ad.headlines", kAttribute, T::text, headlines, true},
    {"ad_group_ad.ad.responsive_search_ad.descriptions", kAttribute, T::text, [](const Row&) { return kNull; }, true},

    {"ad_group_criterion.criterion_id", kAttribute, T::int64,
     [](const Row& r) { return text(keyword_id(*r.ad_group, r.keyword)); }},
    {"ad_group_criterion.type", kAttribute, T::enumeration,
     [](const Row& r) { return text(r.keyword < kKeywordsOfGroup ? "KEYWORD" : "USER_LIST"); }},
    {"ad_group_criterion.keyword.text", kAttribute, T::text,
     [](const Row& r) { return r.keyword < kKeywordsOfGroup ? text(keyword_text(*r.ad_group, r.keyword)) : kNull; }},
    {"ad_group_criterion.keyword.match_type", kAttribute, T::enumeration,
     [](const Row& r) { return r.keyword < kKeywordsOfGroup ? text(keyword_match_type(r.keyword)) : kNull; }},
    {"ad_group_criterion.status", kAttribute, T::enumeration, keyword_status},
    {"ad_group_criterion.negative", kAttribute, T::boolean, [](const Row&) { return Value(false); }},
    {"ad_group_criterion.cpc_bid_micros", kAttribute, T::int64,
     [](const Row& r) { return whole(r.keyword == 0 ? 500'000 : 0); }},
    {"ad_group_criterion.quality_info.quality_score", kAttribute, T::int32,
     [](const Row& r) { return r.keyword < kKeywordsOfGroup ? whole(3 + r.keyword * 2) : kNull; }},
    {"ad_group_criterion.approval_status", kAttribute, T::enumeration, [](const Row&) { return text("APPROVED"); }},
    {"ad_group_criterion.final_urls", kAttribute, T::text, [](const Row&) { return kNull; }, true},
    {"ad_group_criterion.labels", kAttribute, T::resource_name, [](const Row&) { return kNull; }, true},

    {"search_term_view.search_term", kAttribute, T::text,
     [](const Row& r) { return text(search_term(*r.ad_group, r.keyword, r.term)); }},
    {"search_term_view.status", kAttribute, T::enumeration,
     [](const Row& r) { return text(r.term == 0 ? "ADDED" : "NONE"); }},
    {"geographic_view.country_criterion_id", kAttribute, T::int64,
     [](const Row& r) { return text(kPlaces.shares[static_cast<size_t>(r.place)].value); }},
    {"geographic_view.location_type", kAttribute, T::enumeration,
     [](const Row&) { return text("LOCATION_OF_PRESENCE"); }},

    {"click_view.gclid", kAttribute, T::text,
     [](const Row& r) { return text(click_of(*r.world, *r.ad, r.day, r.click).gclid); }},
    {"click_view.page_number", kAttribute, T::int64,
     [](const Row& r) { return whole(click_of(*r.world, *r.ad, r.day, r.click).page); }},
    {"click_view.ad_group_ad", kAttribute, T::resource_name,
     [](const Row& r) { return text(resource_name("ad_group_ad", r)); }},
    {"click_view.keyword", kAttribute, T::resource_name,
     [](const Row& r) { return text(resource_name("ad_group_criterion", r)); }},
    {"click_view.keyword_info.text", kAttribute, T::text,
     [](const Row& r) { return text(keyword_text(*r.ad_group, r.keyword)); }},
    {"click_view.keyword_info.match_type", kAttribute, T::enumeration,
     [](const Row& r) { return text(keyword_match_type(r.keyword)); }},
    {"click_view.location_of_presence.country", kAttribute, T::resource_name,
     place_name},
    {"click_view.location_of_presence.city", kAttribute, T::resource_name, [](const Row&) { return kNull; }},

    {"change_status.last_change_date_time", kAttribute, T::date, [](const Row& r) { return text(r.change->time); }},
    {"change_status.resource_type", kAttribute, T::enumeration, [](const Row& r) { return text(r.change->type); }},
    {"change_status.resource_status", kAttribute, T::enumeration,
     [](const Row& r) {
         const Entity& entity = *r.change->entity;
         if (entity.status == Status::removed) return text("REMOVED");
         return text(entity.version == 0 ? "ADDED" : "CHANGED");
     }},
    {"change_status.campaign", kAttribute, T::resource_name, name_of_campaign},
    {"change_status.campaign_budget", kAttribute, T::resource_name,
     changed_budget},
    {"change_status.ad_group", kAttribute, T::resource_name, name_of_ad_group},
    {"change_status.ad_group_ad", kAttribute, T::resource_name,
     [](const Row& r) { return text(resource_name("ad_group_ad", r)); }},
    {"change_status.ad_group_criterion", kAttribute, T::resource_name,
     [](const Row& r) { return r.keyword == kNone ? kNull : text(resource_name("ad_group_criterion", r)); }},

    {"segments.date", kSegment, T::date, [](const Row& r) { return text(format_date(r.day)); }},
    {"segments.week", kSegment, T::date, week_of},
    {"segments.month", kSegment, T::date, month_of},
    {"segments.device", kSegment, T::enumeration, [](const Row& r) { return share_of(kDevices, r.device); }},
    {"segments.ad_network_type", kSegment, T::enumeration, [](const Row& r) { return share_of(kNetworks, r.network); }},
    {"segments.search_term_match_type", kSegment, T::enumeration,
     [](const Row& r) { return text(r.term == 0 ? keyword_match_type(r.keyword) : "BROAD"); }},
    {"segments.geo_target_most_specific_location", kSegment, T::resource_name,
     place_name},
    {"segments.click_type", kSegment, T::enumeration, [](const Row&) { return text("URL_CLICKS"); }},
    {"segments.conversion_action", kSegment, T::resource_name, action_name},
    {"segments.conversion_action_name", kSegment, T::text,
     [](const Row& r) { return text(kActions[static_cast<size_t>(r.action)].name); }},
    {"segments.conversion_action_category", kSegment, T::enumeration,
     [](const Row& r) { return text(kActions[static_cast<size_t>(r.action)].category); }},

    {"metrics.impressions", kMetric, T::int64, [](const Row& r) { return whole(r.numbers.impressions); }},
    {"metrics.clicks", kMetric, T::int64, [](const Row& r) { return whole(r.numbers.clicks); }},
    {"metrics.interactions", kMetric, T::int64, [](const Row& r) { return whole(r.numbers.engagements); }},
    {"metrics.cost_micros", kMetric, T::int64, [](const Row& r) { return whole(r.numbers.spend_micros); }},
    {"metrics.conversions", kMetric, T::real, [](const Row& r) { return Value(conversions_of(r.numbers, r.action)); }},
    {"metrics.conversions_value", kMetric, T::real,
     [](const Row& r) { return Value(conversions_value_of(r.numbers, r.action)); }},
    {"metrics.all_conversions", kMetric, T::real,
     [](const Row& r) { return Value(all_conversions_of(r.numbers, r.action)); }},
    {"metrics.all_conversions_value", kMetric, T::real,
     [](const Row& r) { return Value(conversions_value_of(r.numbers, r.action)); }},
    {"metrics.view_through_conversions", kMetric, T::int64,
     [](const Row& r) { return whole(view_through_of(r.numbers)); }},
    {"metrics.ctr", kMetric, T::real,
     ctr},
    {"metrics.average_cpc", kMetric, T::real,
     average_cpc},
    {"metrics.average_cpm", kMetric, T::real,
     [](const Row& r) {
         return ratio(static_cast<double>(r.numbers.spend_micros) * 1000, static_cast<double>(r.numbers.impressions));
     }},
    {"metrics.cost_per_conversion", kMetric, T::real,
     [](const Row& r) {
         return ratio(static_cast<double>(r.numbers.spend_micros), conversions_of(r.numbers, kNone));
     }},
};

constexpr std::string_view kCommon =
    " date week month device ad_network_type conversion_action conversion_action_name "
    "conversion_action_category ";
constexpr Resource kResources[] = {
    {"customer", "customer", kCommon, true},
    {"customer_client", "customer_client customer", "", false},
    {"campaign", "campaign campaign_budget customer", kCommon, true},
    {"campaign_budget", "campaign_budget customer", "", false},
    {"ad_group", "ad_group campaign customer", kCommon, true},
    {"ad_group_ad", "ad_group_ad ad_group campaign customer", kCommon, true},
    {"ad_group_criterion", "ad_group_criterion ad_group campaign customer", "", false},
    {"keyword_view", "keyword_view ad_group_criterion ad_group campaign customer", kCommon, true},
    {"search_term_view", "search_term_view ad_group campaign customer",
     " date week month device ad_network_type search_term_match_type ", true},
    {"geographic_view", "geographic_view campaign customer",
     " date week month device ad_network_type geo_target_most_specific_location ", true},
    {"click_view", "click_view ad_group campaign customer", " date device ad_network_type click_type ", true},
    {"change_status", "change_status customer campaign", "", false},
};

bool has_word(std::string_view words, std::string_view word) {
    for (const std::string_view one : split(words, ' ')) {
        if (one == word) return true;
    }
    return false;
}

std::string keyword_part(const Row& row) { return row.ad_group->id + "~" + keyword_id(*row.ad_group, row.keyword); }

}  // namespace

std::span<const Field> all_fields() { return kFields; }
std::span<const Resource> all_resources() { return kResources; }

const Field* find_field(std::string_view name) {
    const auto found =
        std::find_if(std::begin(kFields), std::end(kFields), [&](const Field& f) { return f.name == name; });
    return found == std::end(kFields) ? nullptr : &*found;
}
const Resource* find_resource(std::string_view name) {
    const auto found =
        std::find_if(std::begin(kResources), std::end(kResources), [&](const Resource& r) { return r.name == name; });
    return found == std::end(kResources) ? nullptr : &*found;
}

bool is_attributed(const Resource& resource, std::string_view other) { return has_word(resource.attributed, other); }
bool has_segment(const Resource& resource, std::string_view segment) {
    return has_word(resource.segments, segment.substr(segment.find('.') + 1));
}

std::string_view to_string(Category category) {
    constexpr std::string_view kNames[] = {"RESOURCE", "ATTRIBUTE", "SEGMENT", "METRIC"};
    return kNames[static_cast<size_t>(category)];
}
std::string_view to_string(DataType type) {
    constexpr std::string_view kNames[] = {"INT64",   "INT32", "DOUBLE", "STRING",
                                           "BOOLEAN", "ENUM",  "DATE",   "RESOURCE_NAME"};
    return kNames[static_cast<size_t>(type)];
}

std::string resource_name(std::string_view resource, const Row& row) {
    const std::string customer = "customers/" + customer_of(row);
    if (resource == "customer") return customer;
    if (resource == "customer_client")
        return "customers/" + std::string(kManagerId) + "/customerClients/" + std::string(row.client);
    if (resource == "change_status") {
        const std::string what = row.change->entity->id + "-" + std::to_string(row.keyword + 1);
        return customer + "/changeStatus/" + std::string(row.change->type) + "-" + what;
    }
    if (row.campaign == nullptr) return "";
    if (resource == "campaign") return customer + "/campaigns/" + row.campaign->id;
    if (resource == "campaign_budget") return customer + "/campaignBudgets/7" + row.campaign->id;
    if (resource == "geographic_view")
        return customer + "/geographicViews/" + std::string(kPlaces.shares[static_cast<size_t>(row.place)].value) +
               "~LOCATION_OF_PRESENCE";
    if (row.ad_group == nullptr) return "";
    if (resource == "ad_group") return customer + "/adGroups/" + row.ad_group->id;
    if (resource == "ad_group_criterion") return customer + "/adGroupCriteria/" + keyword_part(row);
    if (resource == "keyword_view") return customer + "/keywordViews/" + keyword_part(row);
    if (resource == "search_term_view")
        return customer + "/searchTermViews/" + row.campaign->id + "~" + row.ad_group->id + "~" +
               std::to_string(row.keyword * 2 + row.term);
    if (row.ad == nullptr) return "";
    if (resource == "ad_group_ad") return customer + "/adGroupAds/" + row.ad_group->id + "~" + row.ad->id;
    if (resource == "click_view")
        return customer + "/clickViews/" + format_date(row.day) + "~" +
               click_of(*row.world, *row.ad, row.day, row.click).gclid;
    return "";
}

}  // namespace shaduf::sandbox::google_ads
