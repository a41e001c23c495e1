#include "flow/schedule.h"

#include <algorithm>
#include <deque>

namespace shaduf {
namespace {

using std::chrono::microseconds;

constexpr microseconds kTick{1};
// How far back the last moment of a cron expression is looked for; what comes once in four years is within it, and so
// is February 29 around 2100.
constexpr microseconds kLongestPause = std::chrono::days(41 * 366);

int64_t floor_divide(microseconds number, microseconds by) {
    return number / by - (number % by < microseconds(0) ? 1 : 0);
}

// Each moment at which clocks show a time that matches.
std::optional<Timestamp> next_by_elapsed_time(const Cron& cron, const Zone& zone, Timestamp moment) {
    Timestamp from = moment + kTick;
    for (;;) {
        const Zone::Stretch stretch = zone.stretch_at(from);
        const WallTime wall = cron.first_from(stretch.wall(from));
        if (wall == WallTime::max()) return std::nullopt;
        const Timestamp found = stretch.moment(wall);
        if (found < stretch.end) return found;
        from = stretch.end;
    }
}

std::optional<Timestamp> next_by_clock(const Cron& cron, const Zone& zone, Timestamp moment) {
    WallTime wall = zone.stretch_at(moment).wall(moment);
    for (;;) {
        wall = cron.first_from(wall + kTick);
        if (wall == WallTime::max()) return std::nullopt;
        const Timestamp found = zone.first_moment_of(wall);
        if (found > moment) return found;
    }
}

}  // namespace

Schedule::Schedule(std::vector<Timestamp> moments) : kind_(std::move(moments)) {
    auto& sorted = std::get<OfMoments>(kind_);
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
}

std::optional<Timestamp> Schedule::next(const OfCron& of, Timestamp moment) {
    return of.cron.is_of_each_hour() ? next_by_elapsed_time(of.cron, of.zone, moment)
                                     : next_by_clock(of.cron, of.zone, moment);
}

// Looks back over stretches that double, so that few moments are passed over, however far apart they are.
std::optional<Timestamp> Schedule::previous(const OfCron& of, Timestamp moment) {
    for (microseconds back = std::chrono::minutes(1);; back *= 2) {
        std::optional<Timestamp> last;
        for (auto at = next(of, moment - back - kTick); at && *at < moment; at = next(of, *at)) last = at;
        if (last || back > kLongestPause) return last;
    }
}

Schedule Schedule::delayed_by(microseconds delay) const {
    Schedule later = *this;
    later.delay_ += delay;
    return later;
}

std::optional<Timestamp> Schedule::next(Timestamp moment) const {
    const auto found = next_on_time(moment - delay_);
    return found ? std::optional(*found + delay_) : std::nullopt;
}

std::optional<Timestamp> Schedule::previous(Timestamp moment) const {
    const auto found = previous_on_time(moment - delay_);
    return found ? std::optional(*found + delay_) : std::nullopt;
}

std::optional<Timestamp> Schedule::next_on_time(Timestamp moment) const {
    if (const auto* of = std::get_if<OfCron>(&kind_)) return next(*of, moment);
    if (const auto* of = std::get_if<OfPeriod>(&kind_)) {
        return of->anchor + (floor_divide(moment - of->anchor, of->period) + 1) * of->period;
    }
    const auto& moments = std::get<OfMoments>(kind_);
    const auto found = std::upper_bound(moments.begin(), moments.end(), moment);
    return found == moments.end() ? std::nullopt : std::optional(*found);
}

std::optional<Timestamp> Schedule::previous_on_time(Timestamp moment) const {
    if (const auto* of = std::get_if<OfCron>(&kind_)) return previous(*of, moment);
    if (const auto* of = std::get_if<OfPeriod>(&kind_)) {
        return of->anchor + floor_divide(moment - kTick - of->anchor, of->period) * of->period;
    }
    const auto& moments = std::get<OfMoments>(kind_);
    const auto found = std::lower_bound(moments.begin(), moments.end(), moment);
    return found == moments.begin() ? std::nullopt : std::optional(*(found - 1));
}

Interval Schedule::interval_of(Timestamp moment) const {
    const Timestamp on_time = moment - delay_;
    return {previous_on_time(on_time).value_or(on_time), on_time};
}

std::vector<Timestamp> moments_to_run(const Schedule& schedule, Timestamp seen, Timestamp now, MissedRuns policy,
                                      microseconds lateness, size_t count_max) {
    std::deque<Timestamp> missed;
    std::vector<Timestamp> due;
    const size_t keep = policy == MissedRuns::all ? count_max : policy == MissedRuns::last ? 1 : 0;
    for (auto at = schedule.next(seen); at && *at <= now; at = schedule.next(*at)) {
        if (*at >= now - lateness) {
            due.push_back(*at);
            continue;
        }
        missed.push_back(*at);
        if (missed.size() > keep) missed.pop_front();
    }
    // The last one is the newest of all: where one is due anyway, none of those before it is.
    if (policy == MissedRuns::last && !due.empty()) missed.clear();
    due.insert(due.begin(), missed.begin(), missed.end());
    return due;
}

}  // namespace shaduf
