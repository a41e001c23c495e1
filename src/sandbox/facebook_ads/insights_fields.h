#pragma once

#include <string_view>

#include "sandbox/facebook_ads/insights_rows.h"

namespace shaduf::sandbox::facebook {

// What a field is written from.
struct FieldContext {
    const World& world;
    const InsightsQuery& query;
    const InsightsRow& row;
    bool has_reach;         // people are counted only for the last 13 months of a breakdown
    bool has_results;       // some breakdowns do not tell what happened off the platform
    std::string_view name;  // under which it is written
};

// nullptr: known, but never there; or not known at all, see is_insights_field.
WriteField insights_field(std::string_view name);

}  // namespace shaduf::sandbox::facebook
