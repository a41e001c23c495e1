#pragma once

#include <string>

#include "base/result.h"
#include "connectors/ads/slice.h"
#include "connectors/facebook_ads/settings.h"

// The calendar of reports.
namespace shaduf::facebook {

ads::Day months_before(ads::Day day, int months);
// The first day that a report without special breakdowns can have, when it is asked for on `today`.
ads::Day oldest_day(ads::Day today);
// How many months back the report can go.
int months_kept(const ReportSettings& report);

// The days of a report whose rows are longer than a day, from `since` (a day or a duration, as the option has it) to
// today: it begins where a row does, the same in every load as long as `since` is (weeks on Mondays), so that rows that
// come again are the same rows.
ads::DayRange whole_range(const ReportSettings& report, const std::string& since, ads::Day today);

}  // namespace shaduf::facebook
