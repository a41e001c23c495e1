#include "sandbox/google_ads/model.h"

#include <array>

#include "base/time.h"
#include "sandbox/world/dice.h"
#include "sandbox/world/zone.h"

namespace shaduf::sandbox::google_ads {
namespace {

constexpr Share kDeviceShares[] = {{"MOBILE", 0.61}, {"DESKTOP", 0.31}, {"TABLET", 0.08}};
constexpr Share kNetworkShares[] = {{"SEARCH", 0.72}, {"CONTENT", 0.2}, {"SEARCH_PARTNERS", 0.08}};
constexpr Share kPlaceShares[] = {{"2276", 0.55}, {"2040", 0.2}, {"2756", 0.15}, {"2840", 0.1}};
constexpr Share kKeywordShares[] = {{"0", 0.55}, {"1", 0.3}, {"2", 0.15}};
constexpr Share kTermShares[] = {{"0", 0.7}, {"1", 0.3}};

constexpr std::array<std::string_view, 6> kThings = {"running shoes",  "rain jacket", "standing desk",
                                                     "coffee grinder", "city bike",   "noise cancelling headphones"};
constexpr std::array<std::string_view, 3> kWishes = {"", "buy ", "best "};
constexpr std::array<std::string_view, 2> kEndings = {"", " near me"};

uint64_t number_of(std::string_view id) {
    uint64_t number = 0;
    for (const char c : id) number = number * 10 + static_cast<uint64_t>(c >= '0' && c <= '9' ? c - '0' : c % 10);
    return number;
}

}  // namespace

const Dimension kDevices{"device", kDeviceShares};
const Dimension kNetworks{"ad_network_type", kNetworkShares};
const Dimension kPlaces{"country", kPlaceShares};
const Dimension kKeywords{"keyword", kKeywordShares};
const Dimension kTerms{"search_term", kTermShares};
const ConversionAction kActions[2] = {{"71001", "Purchase", "PURCHASE"}, {"71002", "Lead form", "SUBMIT_LEAD_FORM"}};

// Ten digits, as Google has them, for accounts; more for what is in them.
std::string make_id(Level level, uint32_t index, uint64_t seed) {
    constexpr uint64_t kFirst[] = {1'234'500'000, 20'100'000'000, 140'200'000'000, 680'300'000'000};
    constexpr uint64_t kStep = 7919;
    return std::to_string(kFirst[static_cast<size_t>(level)] + mix(seed) % kStep + index * kStep);
}

std::string keyword_id(const Entity& ad_group, int keyword) {
    return std::to_string(300'000'000'000ULL + number_of(ad_group.id) % 100'000'000'000ULL * 4 +
                          static_cast<uint64_t>(keyword));
}
std::string audience_id(const Entity& ad_group) { return keyword_id(ad_group, kKeywordsOfGroup); }

std::string keyword_text(const Entity& ad_group, int keyword) {
    return std::string(kWishes[static_cast<size_t>(keyword)]) + std::string(kThings[ad_group.kind % kThings.size()]);
}
std::string_view keyword_match_type(int keyword) {
    constexpr std::array<std::string_view, 3> kTypes = {"EXACT", "PHRASE", "BROAD"};
    return kTypes[static_cast<size_t>(keyword)];
}
std::string search_term(const Entity& ad_group, int keyword, int term) {
    return keyword_text(ad_group, keyword) + std::string(kEndings[static_cast<size_t>(term)]);
}

double conversions_of(const Metrics& metrics, int action) {
    const double purchases = action == 1 ? 0 : static_cast<double>(metrics.purchases);
    return purchases + (action == 0 ? 0 : static_cast<double>(metrics.leads) / 2);
}
double conversions_value_of(const Metrics& metrics, int action) {
    return action == 1 ? 0 : static_cast<double>(metrics.purchase_value_micros) / 1e6;
}
double all_conversions_of(const Metrics& metrics, int action) {
    const double purchases = action == 1 ? 0 : static_cast<double>(metrics.purchases);
    return purchases + (action == 0 ? 0 : static_cast<double>(metrics.leads));
}
int64_t view_through_of(const Metrics& metrics) { return metrics.purchases / 7; }

Click click_of(const World& world, const Entity& ad, int32_t day, int64_t number) {
    const uint64_t key =
        dice(world.key_of(ad), 71, static_cast<uint64_t>(static_cast<int64_t>(day)), static_cast<uint64_t>(number));
    constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    Click click;
    click.gclid = "Cj0KCQ";
    for (uint64_t i = 0; i < 4; ++i) {
        uint64_t rolled = dice(key, i);
        for (int j = 0; j < 8; ++j, rolled >>= 6U) click.gclid += kLetters[rolled & 63U];
    }
    click.device = static_cast<int>(dice(key, 11) % kDevices.shares.size());
    click.network = static_cast<int>(dice(key, 12) % kNetworks.shares.size());
    click.keyword = static_cast<int>(dice(key, 13) % kKeywordsOfGroup);
    click.place = static_cast<int>(dice(key, 14) % kPlaces.shares.size());
    click.page = static_cast<int64_t>(dice(key, 15) % 3);
    return click;
}

std::string_view status_name(Status status) {
    switch (status) {
        case Status::active: return "ENABLED";
        case Status::paused: return "PAUSED";
        case Status::removed: break;
    }
    return "REMOVED";
}
std::string_view channel_of(const Entity& campaign) {
    constexpr std::array<std::string_view, 4> kChannels = {"SEARCH", "SEARCH", "DISPLAY", "SHOPPING"};
    return kChannels[campaign.kind % kChannels.size()];
}
std::string_view ad_type_of(const Entity& ad) {
    constexpr std::array<std::string_view, 2> kTypes = {"RESPONSIVE_SEARCH_AD", "RESPONSIVE_DISPLAY_AD"};
    return kTypes[ad.kind % kTypes.size()];
}

// "2026-11-01 13:00:00.123456", as the account's clocks read.
std::string time_text(Timestamp moment, const Entity& account, const World& world) {
    const auto offset = std::chrono::seconds(world.details(account).zone->offset_at(moment));
    const auto local = std::chrono::floor<std::chrono::microseconds>(moment + offset);
    std::string text = format_timestamp(std::chrono::floor<std::chrono::seconds>(local));
    text[text.find('T')] = ' ';
    text.resize(19);
    const auto part = local.time_since_epoch().count() % 1'000'000;
    const std::string digits = std::to_string(part);
    return text + "." + std::string(6 - digits.size(), '0') + digits;
}

}  // namespace shaduf::sandbox::google_ads
