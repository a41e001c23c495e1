#include "connectors/google_ads/streams.h"

#include <algorithm>

#include "base/text.h"

namespace shaduf::google_ads {
namespace {

using ads::SliceKind;

constexpr std::string_view kDate = "segments.date";
// Numbers by day are kept for 37 months, clicks for 90 days.
constexpr int kRetentionDays = 1110;
constexpr int kClickRetentionDays = 90;

constexpr std::string_view kBreakdown = " segments.date segments.device segments.ad_network_type ";
constexpr std::string_view kNumbers =
    " metrics.impressions metrics.clicks metrics.interactions metrics.cost_micros metrics.conversions "
    "metrics.conversions_value metrics.all_conversions metrics.all_conversions_value "
    "metrics.view_through_conversions ";

struct Builtin {
    std::string_view name;
    std::string_view resource;
    std::string_view fields;  // separated by spaces; those with ? are not known to every version
    std::string_view breakdown = {};
    std::string_view numbers = {};
    std::string_view key = {};  // columns besides customer_id and those of `breakdown`
    std::string_view condition = {};
    std::string_view change_type = {};
    std::string_view key_fields = {};
};

constexpr Builtin kStreams[] = {
    {.name = "accounts",
     .resource = "customer",
     .fields = "customer.id customer.descriptive_name customer.currency_code customer.time_zone customer.status "
               "customer.manager customer.test_account customer.auto_tagging_enabled"},
    {.name = "campaigns",
     .resource = "campaign",
     .fields = "campaign.id campaign.name campaign.status campaign.serving_status? campaign.primary_status? "
               "campaign.advertising_channel_type campaign.advertising_channel_sub_type "
               "campaign.bidding_strategy_type campaign.campaign_budget campaign.start_date? campaign.end_date? "
               "campaign.start_date_time? campaign.end_date_time? campaign.optimization_score campaign.labels "
               "campaign.tracking_url_template campaign.final_url_suffix",
     .key = "campaign_id",
     .change_type = "CAMPAIGN",
     .key_fields = "campaign.id"},
    {.name = "campaign_budgets",
     .resource = "campaign_budget",
     .fields = "campaign_budget.id campaign_budget.name campaign_budget.status campaign_budget.amount_micros "
               "campaign_budget.total_amount_micros campaign_budget.period campaign_budget.delivery_method "
               "campaign_budget.explicitly_shared campaign_budget.type",
     .key = "campaign_budget_id",
     .change_type = "CAMPAIGN_BUDGET",
     .key_fields = "campaign_budget.id"},
    {.name = "ad_groups",
     .resource = "ad_group",
     .fields = "campaign.id ad_group.id ad_group.name ad_group.status ad_group.type ad_group.cpc_bid_micros "
               "ad_group.target_cpa_micros ad_group.target_roas ad_group.labels",
     .key = "ad_group_id",
     .change_type = "AD_GROUP",
     .key_fields = "ad_group.id"},
    {.name = "ads",
     .resource = "ad_group_ad",
     .fields = "campaign.id ad_group.id ad_group_ad.ad.id ad_group_ad.ad.name ad_group_ad.ad.type ad_group_ad.status "
               "ad_group_ad.ad_strength ad_group_ad.ad.final_urls ad_group_ad.ad.display_url "
               "ad_group_ad.ad.tracking_url_template ad_group_ad.ad.responsive_search_ad.headlines "
               "ad_group_ad.ad.responsive_search_ad.descriptions ad_group_ad.policy_summary.approval_status "
               "ad_group_ad.labels",
     .key = "ad_group_id ad_group_ad_ad_id",
     .change_type = "AD_GROUP_AD",
     .key_fields = "ad_group.id ad_group_ad.ad.id"},
    {.name = "keywords",
     .resource = "ad_group_criterion",
     .fields = "campaign.id ad_group.id ad_group_criterion.criterion_id ad_group_criterion.keyword.text "
               "ad_group_criterion.keyword.match_type ad_group_criterion.status ad_group_criterion.negative "
               "ad_group_criterion.cpc_bid_micros ad_group_criterion.quality_info.quality_score "
               "ad_group_criterion.approval_status ad_group_criterion.final_urls ad_group_criterion.labels",
     .key = "ad_group_id ad_group_criterion_criterion_id",
     .condition = "ad_group_criterion.type = 'KEYWORD'",
     .change_type = "AD_GROUP_CRITERION",
     .key_fields = "ad_group.id ad_group_criterion.criterion_id"},
    {.name = "account_report", .resource = "customer", .fields = "", .breakdown = kBreakdown, .numbers = kNumbers},
    {.name = "campaign_report",
     .resource = "campaign",
     .fields = "campaign.id campaign.name campaign.status campaign.advertising_channel_type",
     .breakdown = kBreakdown,
     .numbers = kNumbers,
     .key = "campaign_id"},
    {.name = "ad_group_report",
     .resource = "ad_group",
     .fields = "campaign.id campaign.name ad_group.id ad_group.name ad_group.status ad_group.type",
     .breakdown = kBreakdown,
     .numbers = kNumbers,
     .key = "ad_group_id"},
    {.name = "ad_report",
     .resource = "ad_group_ad",
     .fields = "campaign.id campaign.name ad_group.id ad_group.name ad_group_ad.ad.id ad_group_ad.ad.name "
               "ad_group_ad.ad.type ad_group_ad.status",
     .breakdown = kBreakdown,
     .numbers = kNumbers,
     .key = "ad_group_id ad_group_ad_ad_id"},
    {.name = "keyword_report",
     .resource = "keyword_view",
     .fields = "campaign.id campaign.name ad_group.id ad_group.name ad_group_criterion.criterion_id "
               "ad_group_criterion.keyword.text ad_group_criterion.keyword.match_type ad_group_criterion.status",
     .breakdown = kBreakdown,
     .numbers = kNumbers,
     .key = "ad_group_id ad_group_criterion_criterion_id"},
    {.name = "search_term_report",
     .resource = "search_term_view",
     .fields = "campaign.id campaign.name ad_group.id ad_group.name search_term_view.search_term "
               "search_term_view.status",
     .breakdown = " segments.date segments.device segments.search_term_match_type ",
     .numbers = " metrics.impressions metrics.clicks metrics.interactions metrics.cost_micros metrics.conversions "
                "metrics.conversions_value metrics.all_conversions metrics.all_conversions_value ",
     .key = "ad_group_id search_term_view_search_term"},
    {.name = "geo_report",
     .resource = "geographic_view",
     .fields = "campaign.id campaign.name geographic_view.country_criterion_id geographic_view.location_type",
     .breakdown = " segments.date segments.geo_target_most_specific_location ",
     .numbers = kNumbers,
     .key = "campaign_id geographic_view_country_criterion_id geographic_view_location_type"},
    {.name = "click_report",
     .resource = "click_view",
     .fields = "click_view.gclid click_view.page_number click_view.ad_group_ad click_view.keyword "
               "click_view.keyword_info.text click_view.keyword_info.match_type "
               "click_view.location_of_presence.country click_view.location_of_presence.city campaign.id "
               "campaign.name ad_group.id ad_group.name",
     .breakdown = " segments.date segments.device segments.ad_network_type segments.click_type ",
     .numbers = " metrics.clicks ",
     .key = "click_view_gclid"},
    {.name = "conversion_report",
     .resource = "campaign",
     .fields = "campaign.id campaign.name",
     .breakdown = " segments.date segments.conversion_action segments.conversion_action_name "
                  "segments.conversion_action_category ",
     .numbers = " metrics.conversions metrics.conversions_value metrics.all_conversions "
                "metrics.all_conversions_value ",
     .key = "campaign_id"},
};

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> all;
    for (const std::string_view word : split(text, ' ')) {
        if (!word.empty()) all.emplace_back(word);
    }
    return all;
}

const Builtin* find_builtin(std::string_view name) {
    const auto found = std::find_if(std::begin(kStreams), std::end(kStreams),
                                    [&](const Builtin& stream) { return stream.name == name; });
    return found == std::end(kStreams) ? nullptr : &*found;
}

std::string column_of(std::string field) {
    std::replace(field.begin(), field.end(), '.', '_');
    return field;
}

void set_days(StreamShape& shape) {
    shape.kind = SliceKind::by_day;
    shape.retention_days = kRetentionDays;
    if (shape.query.resource != "click_view") return;
    shape.retention_days = kClickRetentionDays;
    shape.slice_days = shape.history_days = 1;  // a query of click_view asks for exactly one day
}

StreamShape shape_of_builtin(const Builtin& stream) {
    StreamShape shape;
    shape.query.resource = stream.resource;
    shape.query.conditions = stream.condition;
    for (std::string field : words(stream.fields)) {
        if (field.ends_with('?')) {
            field.pop_back();
            shape.optional.push_back(field);
        }
        shape.query.add_field(field);
    }
    for (const std::string& field : words(std::string(stream.breakdown) + std::string(stream.numbers)))
        shape.query.add_field(field);
    shape.key = {"customer_id"};
    for (std::string& column : words(stream.key)) shape.key.push_back(std::move(column));
    // Of a conversion action, its name and category follow from itself.
    const bool by_action = stream.name == "conversion_report";
    for (const std::string& field : words(stream.breakdown)) {
        if (!by_action || field == kDate || field == "segments.conversion_action")
            shape.key.push_back(column_of(field));
    }
    if (shape.query.selects(kDate)) set_days(shape);
    if (stream.change_type.empty()) return shape;
    const std::string resource(stream.resource);
    shape.kind = SliceKind::changes;
    shape.entity = EntityShape{std::string(stream.change_type), "change_status." + resource, words(stream.key_fields),
                               resource + ".status"};
    return shape;
}

Result<StreamShape> shape_of_query(const Options& options) {
    StreamShape shape;
    auto query = Query::parse(options.text("query"));
    if (!query.ok()) return options.error("query", query.error().message());
    shape.query = query.release_value();
    const auto& filtered = shape.query.filtered;
    const bool filters_date = std::find(filtered.begin(), filtered.end(), kDate) != filtered.end();
    if (shape.query.selects(kDate)) {
        if (filters_date)
            return options.error("query",
                                 "query: leave the condition of segments.date out; since and lookback say which days "
                                 "are loaded");
        if (!shape.query.limit.empty())
            return options.error("query", "query: LIMIT cannot be asked day by day; leave it or segments.date out");
        shape.query.order.clear();  // a table has none
        set_days(shape);
    } else if (shape.query.resource == "click_view") {
        return options.error("query", "query: click_view is asked day by day; select segments.date");
    }
    if (shape.query.resource == "change_status" || shape.query.resource == "change_event")
        return options.error("query", "query: " + shape.query.resource +
                                          " cannot be loaded; campaigns, ad_groups, ads and keywords follow changes");
    return shape;
}

}  // namespace

std::vector<std::string_view> builtin_streams() {
    std::vector<std::string_view> names;
    for (const Builtin& stream : kStreams) names.push_back(stream.name);
    return names;
}

Result<StreamShape> shape_of(const std::string& stream, const Options& options) {
    StreamShape shape;
    const Builtin* builtin = find_builtin(stream);
    if (options.has("query")) {
        shape = TRY(shape_of_query(options));
    } else if (builtin != nullptr) {
        shape = shape_of_builtin(*builtin);
    } else {
        std::vector<std::string> known;
        for (const std::string_view name : builtin_streams()) known.emplace_back(name);
        return Error(ErrorKind::invalid_config, "stream not found: " + stream + did_you_mean(stream, known) +
                                                    "; a stream of another name needs a query");
    }
    for (const std::string& field : options.text_list("fields")) {
        const std::string name = to_lower(trim(field));
        const auto wrong = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.");
        if (wrong != std::string::npos || name.find('.') == std::string::npos)
            return options.error("fields", "fields: expected names such as campaign.labels: " + field);
        const bool parts_days =
            shape.kind != SliceKind::by_day && (name.starts_with("segments.") || name.starts_with("metrics."));
        if (parts_days && !options.has("query"))
            return options.error("fields", "fields: a list has no numbers: " + field + "; use a report or a query");
        shape.query.add_field(name);
        if (name.starts_with("segments.") && !shape.key.empty()) shape.key.push_back(column_of(name));
    }
    shape.keeps_resource_names = options.boolean("resource_names");
    return shape;
}

bool has_days(const std::string& stream, const Options& options) {
    const auto shape = shape_of(stream, options);
    return shape.ok() && shape.value().kind == SliceKind::by_day;
}

}  // namespace shaduf::google_ads
