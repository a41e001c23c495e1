#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/facebook_ads/breakdowns.h"
#include "sandbox/facebook_ads/params.h"
#include "sandbox/platform.h"
#include "sandbox/world/world.h"

namespace shaduf::sandbox::facebook {

// What was asked of insights, all defaults filled in. A plain value: a report keeps one.
struct InsightsQuery {
    const Entity* entity = nullptr;  // of the world it was parsed for; told anew by `entity_id`
    std::string entity_id;
    Level entity_level = Level::account;
    Level level = Level::account;
    std::vector<std::string> fields;
    std::vector<DayRange> ranges;   // whole, as asked
    std::vector<DayRange> periods;  // of one row each, per entity
    std::vector<const Breakdown*> breakdowns;
    std::vector<std::string> action_breakdowns;
    std::vector<std::string> windows;  // of attribution, beside "value"
    std::vector<Filter> filters;
    std::string sort_field;
    bool sort_descending = false;
    std::vector<std::string> summary;  // fields of the summary; empty: none

    bool wants(std::string_view field) const;
};

// The error is the one that the API gives: an unknown field, a bad range, one before the retention, and so on.
Outcome<InsightsQuery> parse_insights(const Params& params, const World& world, const Entity& entity);

// Days of a date_preset, as seen on `today`; nullopt: there is none of that name.
std::optional<DayRange> preset_range(std::string_view preset, int32_t today, int32_t first_day);

inline constexpr int kRetentionMonths = 37;
inline constexpr int kReachMonths = 13;
// The day so many months before, of the same number where there is one.
int32_t months_before(int32_t day, int months);

bool is_insights_field(std::string_view name);

}  // namespace shaduf::sandbox::facebook
