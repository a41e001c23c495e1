#include "connectors/x_ads/list_streams.h"

namespace shaduf::x_ads {
namespace {

constexpr int kMoneyDigits = 38;
constexpr int kMoneyScale = 6;

constexpr std::string_view kTimes[] = {"created_at", "updated_at"};
constexpr std::string_view kFlightTimes[] = {"start_time", "end_time", "created_at", "updated_at"};
constexpr std::string_view kDeleted[] = {"deleted"};

constexpr std::string_view kAccountTexts[] = {"id", "name", "timezone", "approval_status", "industry_type"};
constexpr std::string_view kAccountTimes[] = {"timezone_switch_at", "created_at", "updated_at"};
constexpr std::string_view kCampaignTexts[] = {
    "id", "name", "funding_instrument_id", "entity_status", "currency", "effective_status", "budget_optimization"};
constexpr std::string_view kCampaignAmounts[] = {"daily_budget_amount", "total_budget_amount"};
constexpr std::string_view kCampaignFlags[] = {"servable", "standard_delivery", "deleted"};
constexpr std::string_view kLineItemTexts[] = {"id",   "campaign_id", "name",         "entity_status", "objective",
                                               "goal", "pay_by",      "bid_strategy", "product_type",  "currency"};
constexpr std::string_view kLineItemAmounts[] = {"bid_amount", "target_cpa", "daily_budget_amount",
                                                 "total_budget_amount"};
constexpr std::string_view kPromotedTexts[] = {"id", "line_item_id", "tweet_id", "approval_status", "entity_status"};
constexpr std::string_view kFundingTexts[] = {"id", "type", "currency", "description", "entity_status"};
constexpr std::string_view kFundingAmounts[] = {"credit_limit", "credit_remaining", "funded_amount"};
constexpr std::string_view kFundingFlags[] = {"able_to_fund", "cancelled", "deleted"};
constexpr std::string_view kCardTexts[] = {"id", "name", "card_uri", "card_type"};
constexpr std::string_view kMediaTexts[] = {"media_key",    "name",      "media_type",
                                            "media_status", "media_url", "file_name"};
constexpr std::string_view kCreativeTexts[] = {"id", "line_item_id", "account_media_id", "approval_status",
                                               "entity_status"};
constexpr std::string_view kTweetTexts[] = {"id", "id_str", "tweet_id", "tweet_type", "full_text", "name"};

constexpr ListStream kStreams[] = {
    {.name = "accounts",
     .path = "",
     .is_sorted = false,
     .texts = kAccountTexts,
     .timestamps = kAccountTimes,
     .booleans = kDeleted},
    {.name = "campaigns",
     .path = "/campaigns",
     .texts = kCampaignTexts,
     .timestamps = kTimes,
     .amounts = kCampaignAmounts,
     .booleans = kCampaignFlags},
    {.name = "line_items",
     .path = "/line_items",
     .texts = kLineItemTexts,
     .timestamps = kFlightTimes,
     .amounts = kLineItemAmounts,
     .booleans = kDeleted},
    {.name = "promoted_tweets",
     .path = "/promoted_tweets",
     .texts = kPromotedTexts,
     .timestamps = kTimes,
     .booleans = kDeleted},
    {.name = "funding_instruments",
     .path = "/funding_instruments",
     .texts = kFundingTexts,
     .timestamps = kFlightTimes,
     .amounts = kFundingAmounts,
     .booleans = kFundingFlags},
    {.name = "cards", .path = "/cards", .texts = kCardTexts, .timestamps = kTimes, .booleans = kDeleted},
    {.name = "media",
     .path = "/media_library",
     .key = "media_key",
     .texts = kMediaTexts,
     .timestamps = kTimes,
     .booleans = kDeleted},
    {.name = "media_creatives",
     .path = "/media_creatives",
     .texts = kCreativeTexts,
     .timestamps = kTimes,
     .booleans = kDeleted},
    {.name = "tweets",
     .path = "/tweets",
     .key = "tweet_id",
     .is_sorted = false,
     .params = "tweet_type=PUBLISHED&timeline_type=ALL",
     .texts = kTweetTexts},
};

}  // namespace

std::span<const ListStream> list_streams() { return kStreams; }

const ListStream* find_list_stream(std::string_view name) {
    for (const ListStream& stream : kStreams) {
        if (stream.name == name) return &stream;
    }
    return nullptr;
}

std::vector<ShapeColumn> list_columns(const ListStream& stream) {
    std::vector<ShapeColumn> columns;
    const auto add = [&](std::string_view name, DataType type) {
        columns.push_back({std::string(name), std::move(type), {std::string(name)}, true});
    };
    for (const char* name : {"account_id", "account_time_zone", "account_currency"}) add(name, TypeKind::string);
    for (const std::string_view name : stream.texts) add(name, TypeKind::string);
    for (const std::string_view name : stream.amounts) add(name, DataType::decimal(kMoneyDigits, kMoneyScale));
    for (const std::string_view name : stream.booleans) add(name, TypeKind::boolean);
    for (const std::string_view name : stream.timestamps) add(name, TypeKind::timestamp_tz);
    return columns;
}

}  // namespace shaduf::x_ads
