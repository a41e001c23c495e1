#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/world/world.h"

// What an entity did, as X counts it.
namespace shaduf::sandbox::x_ads {

inline constexpr std::string_view kPlacements[] = {"ALL_ON_TWITTER", "SPOTLIGHT", "TREND"};

// One metric of a group. A conversion has parts, and is an object of arrays.
struct MetricInfo {
    std::string_view group;
    std::string_view name;
    std::string_view part = {};
    int64_t (*of)(const Metrics&) = nullptr;  // nullptr: always null here
};
std::vector<const MetricInfo*> metrics_of(const std::vector<std::string>& groups);
bool is_metric_group(std::string_view name);

struct SegmentKind {
    std::string_view name;  // GENDER
    const Dimension* dimension;
};
const SegmentKind* find_segmentation(std::string_view name);

// An ad's numbers of one day or hour, of one placement, by the shares of a segmentation (or as a whole, with the key
// ""). Segments that X does not tell are left out.
using Segments = std::map<std::string, Metrics>;
void add_day(const World& world, const Entity& ad, int32_t day, std::string_view placement, const SegmentKind* by,
             Segments& to);
void add_hour(const World& world, const Entity& ad, int32_t day, size_t hour, std::string_view placement,
              const SegmentKind* by, Segments& to);

}  // namespace shaduf::sandbox::x_ads
