#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/zone.h"

namespace shaduf {

// When clocks on a wall show a time that a cron expression names. Five fields (minute, hour, day of the month, month,
// day of the week), six with seconds in front, or a preset (@hourly, @daily, @midnight, @weekly, @monthly, @yearly,
// @annually). As in crontab(5): lists, ranges (22-2 goes over midnight), steps, names of months and days, Sunday is 0
// and 7, and where neither field of days begins with `*`, one of them is enough. Besides, as Quartz has them: `?`, L
// (the last day), L-2, 15W (the weekday nearest to the 15th in its month), LW, 5L (the last Friday), 5#2 (the second
// one). Immutable; thread-safe.
class Cron {
public:
    // invalid_config: which field, what was found, what it may be. So is what never comes, such as February 30.
    static Result<Cron> parse(std::string_view text);

    // The first time that matches, at or behind `from`.
    WallTime first_from(WallTime from) const;

    // It matches in each hour of the day: then it is meant by time that passes, not by the clock.
    bool is_of_each_hour() const { return hours_ == (1U << 24) - 1; }

    bool operator==(const Cron&) const = default;

private:
    friend class CronParser;
    Cron() = default;

    bool matches(std::chrono::year_month_day day) const;
    bool matches_day_of_month(std::chrono::year_month_day day) const;
    bool matches_day_of_week(std::chrono::year_month_day day) const;
    std::optional<WallTime> search(WallTime from) const;

    // A bit for each value.
    uint64_t seconds_ = 0;
    uint64_t minutes_ = 0;
    uint32_t hours_ = 0;
    uint32_t months_ = 0;
    uint32_t days_ = 0;
    uint32_t days_before_last_ = 0;  // L: bit 0, L-2: bit 2
    uint32_t nearest_weekdays_ = 0;  // 15W
    bool last_weekday_ = false;      // LW
    uint32_t weekdays_ = 0;
    uint32_t last_weekdays_ = 0;                   // 5L
    std::array<uint32_t, 6> numbered_weekdays_{};  // 5#2: bit 5 of the second
    bool either_day_ = false;                      // both fields of days are set
};

}  // namespace shaduf
