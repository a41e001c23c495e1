#pragma once

#include <chrono>
#include <optional>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/zone.h"
#include "flow/cron.h"

namespace shaduf {

struct Interval {
    Timestamp begin;
    Timestamp end;  // without it
    bool operator==(const Interval&) const = default;
};

// When something is due. Immutable; thread-safe.
//
// A cron expression goes by the clocks of its zone. When they are changed:
// - an expression that matches in each hour goes by time that passes: each moment at which clocks show a time that
//   matches, so in an hour that comes twice it is due twice, and in one that is left out not at all;
// - any other is due once for each time on the clock: at the first of two, and where clocks jump over it at the first
//   moment behind the jump, once for all times that were jumped over.
class Schedule {
public:
    Schedule(Cron cron, Zone zone) : kind_(OfCron{cron, zone}) {}
    // `anchor`, and each `period` before and behind it. REQUIRES: period > 0.
    Schedule(std::chrono::microseconds period, Timestamp anchor) : kind_(OfPeriod{period, anchor}) {}
    // Those moments, in any order.
    explicit Schedule(std::vector<Timestamp> moments);

    // The same, each moment so much later; what its runs are about stays.
    Schedule delayed_by(std::chrono::microseconds delay) const;

    // The first moment behind `moment`.
    std::optional<Timestamp> next(Timestamp moment) const;
    // The last moment before `moment`.
    std::optional<Timestamp> previous(Timestamp moment) const;

    // What a run that is due at `moment` is about: from the moment before up to it; where there is none, nothing.
    Interval interval_of(Timestamp moment) const;

private:
    struct OfCron {
        Cron cron;
        Zone zone;
    };
    struct OfPeriod {
        std::chrono::microseconds period;
        Timestamp anchor;
    };
    using OfMoments = std::vector<Timestamp>;

    static std::optional<Timestamp> next(const OfCron& of, Timestamp moment);
    static std::optional<Timestamp> previous(const OfCron& of, Timestamp moment);

    std::optional<Timestamp> next_on_time(Timestamp moment) const;
    std::optional<Timestamp> previous_on_time(Timestamp moment) const;

    std::variant<OfCron, OfPeriod, OfMoments> kind_;
    std::chrono::microseconds delay_{0};
};

// What becomes of moments that went by while nobody looked.
enum class MissedRuns : uint8_t { all, last, none };

// Those of (`seen`, `now`] that are to be made good, the earliest first. A moment that is not older than `lateness` was
// not missed, and is always among them. Of `all`, the latest `count_max`.
std::vector<Timestamp> moments_to_run(const Schedule& schedule, Timestamp seen, Timestamp now, MissedRuns policy,
                                      std::chrono::microseconds lateness, size_t count_max);

}  // namespace shaduf
