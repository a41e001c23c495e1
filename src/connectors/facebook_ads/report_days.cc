#include "connectors/facebook_ads/report_days.h"

#include <algorithm>

#include "base/time.h"

namespace shaduf::facebook {
namespace {

using ads::Day;
using std::chrono::days;

constexpr int kMonthsKept = 37;
constexpr Day kMonday{days(4)};  // 1970-01-05

Day first_of_month(Day day) {
    const std::chrono::year_month_day date(day);
    return Day(date.year() / date.month() / 1);
}

}  // namespace

Day months_before(Day day, int months) {
    const std::chrono::year_month_day date(day);
    const auto month = date.year() / date.month() - std::chrono::months(months);
    const std::chrono::year_month_day_last last(month.year(), std::chrono::month_day_last(month.month()));
    return Day(month.year() / month.month() / std::min(date.day(), last.day()));
}

// A day less than is said, for time zones.
Day oldest_day(Day today) { return months_before(today, kMonthsKept) + days(1); }

int months_kept(const ReportSettings& report) {
    int months = kMonthsKept;
    for (const std::string& breakdown : report.breakdowns) {
        const BreakdownTraits* traits = find_breakdown(breakdown);
        if (traits != nullptr && traits->months > 0) months = std::min(months, traits->months);
    }
    return months;
}

ads::DayRange whole_range(const ReportSettings& report, const std::string& since, Day today) {
    Day first = today;
    if (const auto day = ads::parse_day(since))
        first = *day;
    else if (const auto ago = parse_duration(since))
        first = today - std::chrono::ceil<days>(*ago);
    const Day oldest = months_before(today, months_kept(report)) + days(1);
    first = std::min(std::max(first, oldest), today);
    if (report.increment.monthly) {
        const Day month = first_of_month(first);
        // A month that is not whole would change with every load.
        first = month < oldest ? first_of_month(month + days(31)) : month;
    } else if (report.increment.days > 1) {
        const int64_t length = report.increment.days;
        const int64_t into = (((first - kMonday).count() % length) + length) % length;
        const Day start = first - days(into);
        first = start < oldest ? start + days(length) : start;
    }
    return {std::min(first, today), today};
}

}  // namespace shaduf::facebook
