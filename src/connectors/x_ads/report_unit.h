#pragma once

#include <string>
#include <vector>

#include "connectors/ads/fetcher.h"
#include "connectors/ads/slice.h"
#include "connectors/x_ads/settings.h"
#include "connectors/x_ads/stats_rows.h"
#include "io/url.h"

namespace shaduf::x_ads {

inline constexpr size_t kEntitiesMax = 20;  // of one request

// What one request of statistics asks for (one a set of metric groups): some entities of one placement on some days.
struct ReportUnit {
    std::vector<std::string> ids;
    ads::DayRange days;
    std::string placement;
    int failures = 0;  // jobs that came to nothing
};

// Where days begin and end for the API. By day it wants midnights of the account's zone, and takes them to be as far
// from UTC as the zone is today, also for days on the other side of a change of the clocks. By hour it wants whole
// hours, and the days are those of the calendar.
class ReportCalendar {
public:
    ReportCalendar(const ads::Zone& zone, Timestamp now, bool hourly);
    Timestamp start_of(ads::Day day) const;
    Timestamp end_of(ads::Day day) const { return start_of(day + std::chrono::days(1)); }
    ads::Day day_of(Timestamp time) const;
    SeriesFrame frame_of(const ReportUnit& unit) const;

private:
    const ads::Zone zone_;
    const std::chrono::minutes offset_;
    const bool hourly_;
};

// The query of a unit.
QueryParams unit_params(const ReportUnit& unit, const ReportSettings& report, const ReportCalendar& calendar,
                        const std::vector<std::string>& metric_groups);

// Two units that are the whole, by days or else by entities; empty when it is one entity's day.
std::vector<ReportUnit> split_unit(const ReportUnit& unit);
// Into units of at most `days_max` days.
std::vector<ReportUnit> cut_unit(const ReportUnit& unit, int days_max);

// An entity with something to report, and when.
struct ActiveEntity {
    std::string id;
    ads::DayRange days;
    std::vector<std::string> placements;  // empty: not said
};
// Reads the entities out of an answer, within `days`.
Result<std::vector<ActiveEntity>> read_active_entities(const BufferPtr& body, const ads::DayRange& days,
                                                       const ReportCalendar& calendar);
// By placement, entities of about the same days together.
std::vector<ReportUnit> units_of(std::vector<ActiveEntity> entities, const std::vector<std::string>& placements);

// A page out of the answers of one unit.
ads::Page page_of(const ReportUnit& unit, const ReportCalendar& calendar, const std::vector<BufferPtr>& answers);

}  // namespace shaduf::x_ads
