#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/world/world.h"

// What an account holds besides the world's campaigns, ad groups and ads: keywords, search terms, places, clicks,
// conversion actions. All follows from the world's entities.
namespace shaduf::sandbox::google_ads {

inline constexpr std::string_view kManagerId = "9990001111";
inline constexpr std::string_view kClosedId = "9990002222";  // below the manager, and canceled
inline constexpr int kNone = -1;

std::string make_id(Level level, uint32_t index, uint64_t seed);

// What segments and views part the numbers of an ad's day by.
extern const Dimension kDevices;
extern const Dimension kNetworks;
extern const Dimension kPlaces;    // ids of countries
extern const Dimension kKeywords;  // of an ad group: "0", "1", "2"
extern const Dimension kTerms;     // of a keyword: "0", "1"

inline constexpr int kKeywordsOfGroup = 3;
std::string keyword_id(const Entity& ad_group, int keyword);
std::string keyword_text(const Entity& ad_group, int keyword);
std::string_view keyword_match_type(int keyword);
// The audience that each ad group has besides its keywords: a criterion that is none.
std::string audience_id(const Entity& ad_group);
std::string search_term(const Entity& ad_group, int keyword, int term);

struct ConversionAction {
    std::string_view id;
    std::string_view name;
    std::string_view category;
};
extern const ConversionAction kActions[2];  // purchases, leads

// Of numbers, by one of kActions or (kNone) by all. A lead counts half: credit is shared with other campaigns.
double conversions_of(const Metrics& metrics, int action);
double conversions_value_of(const Metrics& metrics, int action);
double all_conversions_of(const Metrics& metrics, int action);
int64_t view_through_of(const Metrics& metrics);

// One click of an ad's day.
struct Click {
    std::string gclid;
    int device = 0;
    int network = 0;
    int keyword = 0;
    int place = 0;
    int64_t page = 0;  // of the results
};
Click click_of(const World& world, const Entity& ad, int32_t day, int64_t number);

std::string_view status_name(Status status);
std::string_view channel_of(const Entity& campaign);
std::string_view ad_type_of(const Entity& ad);
std::string time_text(Timestamp moment, const Entity& account, const World& world);

}  // namespace shaduf::sandbox::google_ads
