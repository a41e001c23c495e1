#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/facebook_ads/errors.h"
#include "sandbox/facebook_ads/params.h"
#include "sandbox/world/metrics.h"

namespace shaduf::sandbox::facebook {

// A breakdown of insights, and what asking for it does to the other fields.
struct Breakdown {
    std::string_view name;
    Dimension dimension;
    uint8_t group;          // those of one bit may stand together, see parse_breakdowns
    bool is_asset = false;  // its value is an object with an id
    bool is_hourly = false;
    bool drops_results = false;  // actions off Facebook are not told with it
};

// An error for one that is unknown or gone, and for combinations that the API does not have.
Outcome<std::vector<const Breakdown*>> parse_breakdowns(const std::vector<std::string>& names);
const Breakdown* find_breakdown(std::string_view name);

}  // namespace shaduf::sandbox::facebook
