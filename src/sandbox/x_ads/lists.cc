#include "sandbox/x_ads/lists.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/time.h"

namespace shaduf::sandbox::x_ads {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kCountDefault = 200;
constexpr int64_t kCountMax = 1000;
constexpr size_t kIdsMax = 200;
constexpr std::string_view kCursorStart = "c-";

std::string base36(uint64_t value) {
    constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
    std::string text;
    for (; value > 0; value /= 36) text.insert(text.begin(), kDigits[value % 36]);
    return text.empty() ? "0" : text;
}

std::string time_text(Timestamp time) { return format_timestamp(std::chrono::floor<std::chrono::seconds>(time)); }

std::string status_text(Status status) { return status == Status::active ? "ACTIVE" : "PAUSED"; }

// Members that objects of all lists have.
void add_common(Json& object, const Entity& entity) {
    object["created_at"] = time_text(entity.created);
    object["updated_at"] = time_text(entity.updated);
    object["deleted"] = entity.status == Status::removed;
}

Json account_json(const World& world, const Entity& account) {
    Json object = {{"id", account.id},
                   {"name", account.name},
                   {"business_name", nullptr},
                   {"timezone", world.details(account).time_zone},
                   {"timezone_switch_at", time_text(account.created)},
                   {"business_id", nullptr},
                   {"approval_status", "ACCEPTED"},
                   {"industry_type", "RETAIL"}};
    add_common(object, account);
    return object;
}

Json campaign_json(const World& world, const Entity& campaign) {
    const bool is_paused = campaign.status != Status::active;
    Json object = {{"id", campaign.id},
                   {"name", campaign.name},
                   {"funding_instrument_id", funding_id(world, campaign)},
                   {"entity_status", status_text(campaign.status)},
                   {"effective_status", is_paused ? "PAUSED" : "RUNNING"},
                   {"servable", !is_paused},
                   {"reasons_not_servable", is_paused ? Json::array({"PAUSED_BY_ADVERTISER"}) : Json::array()},
                   {"budget_optimization", "CAMPAIGN"},
                   {"daily_budget_amount_local_micro", campaign.daily_budget_micros},
                   {"total_budget_amount_local_micro", nullptr},
                   {"standard_delivery", true},
                   {"frequency_cap", nullptr},
                   {"currency", world.details(campaign).currency}};
    add_common(object, campaign);
    return object;
}

Json line_item_json(const World& world, const Entity& item) {
    constexpr const char* kObjectives[] = {"WEBSITE_CLICKS", "ENGAGEMENTS", "VIDEO_VIEWS", "REACH"};
    Json object = {{"id", item.id},
                   {"campaign_id", world.above(item, Level::campaign).id},
                   {"name", item.name},
                   {"entity_status", status_text(item.status)},
                   {"objective", kObjectives[item.kind % 4]},
                   {"goal", "LINK_CLICKS"},
                   {"pay_by", "IMPRESSION"},
                   {"bid_strategy", "AUTO"},
                   {"bid_amount_local_micro", item.kind % 3 == 0 ? Json(item.daily_budget_micros / 10) : Json(nullptr)},
                   {"target_cpa_local_micro", nullptr},
                   {"product_type", "PROMOTED_TWEETS"},
                   {"placements", Json::array({"ALL_ON_TWITTER"})},
                   {"currency", world.details(item).currency},
                   {"start_time", time_text(item.created)},
                   {"end_time", nullptr}};
    add_common(object, item);
    return object;
}

// Beyond what a double holds, as tweets' ids are.
std::string tweet_id(const Entity& ad) { return std::to_string(1'750'000'000'000'000'001 + int64_t{ad.index} * 977); }

// One whose parent was deleted does not say so.
Json promoted_json(const World& world, const Entity& ad) {
    Json object = {{"id", ad.id},
                   {"line_item_id", world.above(ad, Level::ad_group).id},
                   {"tweet_id", tweet_id(ad)},
                   {"approval_status", "ACCEPTED"},
                   {"entity_status", status_text(ad.status)}};
    add_common(object, ad);
    return object;
}

Json funding_json(const World& world, const Entity& account) {
    Json object = {{"id", funding_id(world, account)},
                   {"type", "CREDIT_LINE"},
                   {"currency", world.details(account).currency},
                   {"description", account.name},
                   {"entity_status", "ACTIVE"},
                   {"able_to_fund", true},
                   {"cancelled", false},
                   {"credit_limit_local_micro", 37'500'000'000'000},
                   {"credit_remaining_local_micro", nullptr},
                   {"funded_amount_local_micro", nullptr},
                   {"start_time", time_text(account.created)},
                   {"end_time", nullptr}};
    add_common(object, account);
    object["deleted"] = false;
    return object;
}

Json tweet_json(const World&, const Entity& ad) {
    return {{"id", 1'750'000'000'000'000'001 + int64_t{ad.index} * 977},
            {"id_str", tweet_id(ad)},
            {"tweet_id", tweet_id(ad)},
            {"tweet_type", "PUBLISHED"},
            {"name", ad.name},
            {"full_text", "About " + ad.name},
            {"created_at", time_text(ad.created)}};
}

Json card_json(const World&, const Entity& campaign) {
    Json object = {{"id", "card" + campaign.id},
                   {"name", campaign.name},
                   {"card_uri", "card://17500000" + std::to_string(campaign.index)},
                   {"card_type", "IMAGE_WEBSITE"}};
    add_common(object, campaign);
    return object;
}

Json media_json(const World&, const Entity& campaign) {
    Json object = {{"media_key", "3_17500000" + std::to_string(campaign.index)},
                   {"name", campaign.name},
                   {"media_type", "IMAGE"},
                   {"media_status", "TRANSCODE_COMPLETED"},
                   {"media_url", nullptr}};
    add_common(object, campaign);
    return object;
}

Json creative_json(const World&, const Entity& item) {
    Json object = {{"id", "mc" + item.id},
                   {"line_item_id", item.id},
                   {"account_media_id", "am" + item.id},
                   {"approval_status", "ACCEPTED"},
                   {"entity_status", status_text(item.status)}};
    add_common(object, item);
    return object;
}

struct List {
    std::string_view name;
    Level level;
    Json (*write)(const World&, const Entity&);
    std::string_view ids_param = {};
    bool hides_below_deleted = false;
};
constexpr List kLists[] = {
    {"campaigns", Level::campaign, campaign_json, "campaign_ids"},
    {"line_items", Level::ad_group, line_item_json, "line_item_ids"},
    {"promoted_tweets", Level::ad, promoted_json, "promoted_tweet_ids", true},
    {"funding_instruments", Level::account, funding_json, "funding_instrument_ids"},
    {"tweets", Level::ad, tweet_json, "tweet_ids"},
    {"cards", Level::campaign, card_json, "card_ids"},
    {"media_library", Level::campaign, media_json, "media_keys"},
    {"media_creatives", Level::ad_group, creative_json, "media_creative_ids"},
};

bool is_below_deleted(const World& world, const Entity& ad) {
    return world.above(ad, Level::ad_group).status == Status::removed ||
           world.above(ad, Level::campaign).status == Status::removed;
}

std::optional<int64_t> number_param(const HttpServerRequest& request, std::string_view name, int64_t fallback) {
    const std::string_view text = request.query_value(name);
    if (text.empty()) return fallback;
    int64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// The page of `all` that the request asks for.
HttpServerResponse answer_page(const HttpServerRequest& request, std::vector<Json> all) {
    const auto count = number_param(request, "count", kCountDefault);
    if (!count || *count < 1 || *count > kCountMax)
        return refuse(request, {.message = "Expected a number from 1 to 1000", .parameter = "count"});
    const bool has_total = request.query_value("with_total_count") == "true";
    if (has_total && request.has_query("cursor"))
        return refuse(request, {.message = "cursor and with_total_count exclude each other", .parameter = "cursor"});
    size_t first = 0;
    if (const std::string_view cursor = request.query_value("cursor"); !cursor.empty()) {
        const std::string_view digits = cursor.substr(std::min(cursor.size(), kCursorStart.size()));
        const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), first, 36);
        if (!cursor.starts_with(kCursorStart) || failed != std::errc() || end != digits.data() + digits.size())
            return refuse(request, {.message = "Not a cursor of this list", .parameter = "cursor"});
    }
    Json data = Json::array();
    const size_t last = std::min(all.size(), first + static_cast<size_t>(*count));
    for (size_t i = first; i < last; ++i) data.push_back(std::move(all[i]));
    Json more = {{"next_cursor", last < all.size() ? Json(std::string(kCursorStart) + base36(last)) : Json(nullptr)}};
    if (has_total) more["total_count"] = all.size();
    return reply(request, 200, std::move(data), more);
}

void change_fields(Json& object, const std::vector<FieldChange>& changes) {
    for (const FieldChange& change : changes) {
        if (change.kind == FieldChange::Kind::added) {
            object[change.field] = Json::parse(change.value, nullptr, false);
            continue;
        }
        if (change.kind == FieldChange::Kind::renamed && object.contains(change.field))
            object[change.value] = object[change.field];
        object.erase(change.field);
    }
}

// X sorts by creation where it is not told otherwise.
std::optional<Refusal> sort_objects(const HttpServerRequest& request, std::vector<Json>& objects) {
    const std::string_view by = request.query_value("sort_by");
    if (by.empty()) return std::nullopt;
    const auto dash = by.find('-');
    const std::string field(by.substr(0, dash));
    const std::string_view direction = dash == std::string_view::npos ? "asc" : by.substr(dash + 1);
    if ((field != "updated_at" && field != "created_at") || (direction != "asc" && direction != "desc"))
        return Refusal{.message = "Not a way to sort this list", .parameter = "sort_by"};
    std::stable_sort(objects.begin(), objects.end(), [&](const Json& a, const Json& b) {
        const auto x = a.value(field, "");
        const auto y = b.value(field, "");
        return direction == "asc" ? x < y : y < x;
    });
    return std::nullopt;
}

}  // namespace

std::string funding_id(const World& world, const Entity& entity) {
    return "f" + world.entity(Level::account, entity.account).id.substr(5);
}

std::string make_id(Level level, uint32_t index, uint64_t seed) {
    constexpr uint64_t kShort = 60'466'176;            // 36^5: ids of six digits
    constexpr uint64_t kLong = 3'656'158'440'062'976;  // 36^10, of eleven
    constexpr uint64_t kStep = 1'000'003;              // has no divisor in common with 36
    const uint64_t mixed = (uint64_t{index} * kStep + seed * 7919) % (kShort * 35);
    return base36((level == Level::account ? kLong : kShort) + mixed);
}

HttpServerResponse answer_accounts(const HttpServerRequest& request, const World& world) {
    const auto wanted = list_param(request, "account_ids");
    std::vector<Json> all;
    for (const Entity& account : world.entities(Level::account)) {
        if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), account.id) == wanted.end()) continue;
        all.push_back(account_json(world, account));
    }
    return answer_page(request, std::move(all));
}

HttpServerResponse answer_account(const HttpServerRequest& request, const World& world, const Entity& account) {
    return reply(request, 200, account_json(world, account), Json::object());
}

HttpServerResponse answer_list(const HttpServerRequest& request, const Environment& environment, const World& world,
                               const Entity& account, const std::string& name) {
    const auto list =
        std::find_if(std::begin(kLists), std::end(kLists), [&](const List& one) { return one.name == name; });
    if (list == std::end(kLists)) return refuse(request, {404, "ROUTE_NOT_FOUND", "The route does not exist", ""});
    const bool with_deleted = request.query_value("with_deleted") == "true";
    const auto ids = list_param(request, list->ids_param);
    if (ids.size() > kIdsMax)
        return refuse(request, {.message = "Expected 200 ids at most", .parameter = std::string(list->ids_param)});
    const auto changes = environment.field_changes(list->name == "media_library" ? "media" : list->name);
    std::vector<Json> all;
    for (const Entity& entity : world.entities(list->level)) {
        if (entity.account != account.account || (!with_deleted && entity.status == Status::removed)) continue;
        if (!with_deleted && list->hides_below_deleted && is_below_deleted(world, entity)) continue;
        Json object = list->write(world, entity);
        const std::string id = object.contains("id") && object["id"].is_string() ? object["id"].get<std::string>()
                                                                                 : object.value("tweet_id", "");
        if (!ids.empty() && std::find(ids.begin(), ids.end(), id) == ids.end()) continue;
        change_fields(object, changes);
        all.push_back(std::move(object));
    }
    if (const auto refusal = sort_objects(request, all)) return refuse(request, *refusal);
    return answer_page(request, std::move(all));
}

}  // namespace shaduf::sandbox::x_ads
