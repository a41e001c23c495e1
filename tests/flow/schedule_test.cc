#include "flow/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"

namespace shaduf {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

Timestamp at(const std::string& text) {
    const auto parsed = parse_timestamp(text);
    EXPECT_TRUE(parsed) << text;
    return Timestamp(std::chrono::microseconds(parsed->microseconds));
}
std::string shown(Timestamp time) { return format_timestamp(time.time_since_epoch().count(), true); }
std::string shown(const std::optional<Timestamp>& time) { return time ? shown(*time) : "never"; }
std::vector<std::string> shown(const std::vector<Timestamp>& times) {
    std::vector<std::string> texts;
    for (const Timestamp time : times) texts.push_back(shown(time));
    return texts;
}

Zone zone(const std::string& name) { return Zone::find(name).release_value(); }
Schedule cron(const std::string& text, const std::string& where = "Etc/UTC") {
    return {Cron::parse(text).release_value(), zone(where)};
}

std::vector<Timestamp> between(const Schedule& schedule, Timestamp begin, Timestamp end) {
    std::vector<Timestamp> found;
    for (auto next = schedule.next(begin - std::chrono::microseconds(1)); next && *next < end;
         next = schedule.next(*next)) {
        found.push_back(*next);
    }
    return found;
}

// What clocks show at each minute of a year, and what that makes due, by the rules as they are written down.
struct Year {
    explicit Year(const std::string& name) : zone(Zone::find(name).release_value()) {
        for (Timestamp moment = begin; moment < end; moment += minutes(1)) {
            walls.push_back(zone.stretch_at(moment).wall(moment));
        }
    }
    std::vector<Timestamp> by_elapsed_time(const Cron& cron) const {
        std::vector<Timestamp> due;
        for (size_t i = 0; i < walls.size(); ++i) {
            if (cron.first_from(walls[i]) == walls[i]) due.push_back(begin + minutes(i));
        }
        return due;
    }
    std::vector<Timestamp> by_clock(const Cron& cron) const {
        std::vector<Timestamp> due;
        WallTime shown = walls.front() - minutes(1);  // the latest that clocks have shown
        for (size_t i = 0; i < walls.size(); ++i) {
            if (walls[i] <= shown) continue;
            // All that clocks came to, or jumped over, since.
            if (cron.first_from(shown + minutes(1)) <= walls[i]) due.push_back(begin + minutes(i));
            shown = walls[i];
        }
        return due;
    }

    Timestamp begin = at("2026-01-01T00:00:00Z");
    Timestamp end = at("2027-01-01T00:00:00Z");
    Zone zone;
    std::vector<WallTime> walls;
};

TEST(ScheduleTest, AYearOfMinutesWithItsChangesOfClocks) {
    for (const char* name :
         {"America/New_York", "Europe/Zurich", "Australia/Lord_Howe", "Australia/Sydney", "Etc/UTC"}) {
        const Year year(name);
        for (const char* text : {"* * * * *", "*/15 * * * *", "0 * * * *", "30 2 * * *", "0 2 * * *", "15 1,2,3 * * *",
                                 "*/10 2 * * *", "0 0 * * *", "45 */2 * * SUN", "0 3 1 * *", "7 0-22 * * *"}) {
            const Cron parsed = Cron::parse(text).release_value();
            const auto expected = parsed.is_of_each_hour() ? year.by_elapsed_time(parsed) : year.by_clock(parsed);
            ASSERT_EQ(between(Schedule(parsed, year.zone), year.begin, year.end), expected) << name << " " << text;
        }
    }
}

TEST(ScheduleTest, WhereClocksJumpItIsDueOnceBehindTheJump) {
    const Schedule nightly = cron("30 2 * * *", "America/New_York");
    EXPECT_THAT(shown(between(nightly, at("2026-03-07T00:00:00Z"), at("2026-03-10T00:00:00Z"))),
                ElementsAre("2026-03-07T07:30:00Z", "2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"));
    const Schedule quarters = cron("*/15 2 * * *", "America/New_York");
    EXPECT_THAT(shown(between(quarters, at("2026-03-08T00:00:00Z"), at("2026-03-09T00:00:00Z"))),
                ElementsAre("2026-03-08T07:00:00Z"));
    // By half an hour only.
    EXPECT_THAT(shown(between(cron("15 2 * * *", "Australia/Lord_Howe"), at("2026-10-03T00:00:00Z"),
                              at("2026-10-05T00:00:00Z"))),
                ElementsAre("2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"));
}

TEST(ScheduleTest, AnHourThatComesTwiceCountsOnceByTheClockAndTwiceByElapsedTime) {
    const Timestamp begin = at("2026-11-01T04:00:00Z");
    const Timestamp end = at("2026-11-01T09:00:00Z");
    EXPECT_THAT(shown(between(cron("30 1 * * *", "America/New_York"), begin, end)),
                ElementsAre("2026-11-01T05:30:00Z"));
    EXPECT_THAT(shown(between(cron("30 * * * *", "America/New_York"), begin, end)),
                ElementsAre("2026-11-01T04:30:00Z", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z",
                            "2026-11-01T07:30:00Z", "2026-11-01T08:30:00Z"));
}

TEST(ScheduleTest, PreviousIsTheInverseOfNext) {
    for (const char* name : {"America/New_York", "Australia/Lord_Howe", "Etc/UTC"}) {
        for (const char* text : {"*/7 * * * *", "30 2 * * *", "*/15 1 * * *", "0 0 1 * *"}) {
            const Schedule schedule = cron(text, name);
            std::optional<Timestamp> before;
            for (const Timestamp due : between(schedule, at("2026-10-01T00:00:00Z"), at("2026-11-15T00:00:00Z"))) {
                if (before) {
                    ASSERT_EQ(schedule.previous(due), before) << text << " in " << name << " at " << shown(due);
                }
                before = due;
            }
        }
    }
    EXPECT_EQ(shown(cron("0 0 29 2 *").previous(at("2026-11-22T00:00:00Z"))), "2024-02-29T00:00:00Z");
    EXPECT_EQ(shown(cron("0 0 29 2 *").previous(at("2103-11-22T00:00:00Z"))), "2096-02-29T00:00:00Z");
}

TEST(ScheduleTest, PeriodsGoByTheirAnchor) {
    const Schedule schedule(minutes(15), at("2026-01-01T00:05:00Z"));
    EXPECT_EQ(shown(schedule.next(at("2026-11-22T10:05:00Z"))), "2026-11-22T10:20:00Z");
    EXPECT_EQ(shown(schedule.next(at("2026-11-22T10:04:59Z"))), "2026-11-22T10:05:00Z");
    EXPECT_EQ(shown(schedule.previous(at("2026-11-22T10:05:00Z"))), "2026-11-22T09:50:00Z");
    EXPECT_EQ(shown(schedule.previous(at("2026-11-22T10:05:01Z"))), "2026-11-22T10:05:00Z");
    // Before the anchor, and before 1970, too.
    EXPECT_EQ(shown(schedule.next(at("1960-01-01T00:00:00Z"))), "1960-01-01T00:05:00Z");
    EXPECT_EQ(shown(schedule.previous(at("1960-01-01T00:05:00Z"))), "1959-12-31T23:50:00Z");
}

TEST(ScheduleTest, SetMomentsComeInOrderOnce) {
    const Schedule schedule({at("2026-03-01T00:00:00Z"), at("2026-01-01T00:00:00Z"), at("2026-03-01T00:00:00Z")});
    EXPECT_EQ(shown(schedule.next(at("2025-01-01T00:00:00Z"))), "2026-01-01T00:00:00Z");
    EXPECT_EQ(shown(schedule.next(at("2026-01-01T00:00:00Z"))), "2026-03-01T00:00:00Z");
    EXPECT_EQ(schedule.next(at("2026-03-01T00:00:00Z")), std::nullopt);
    EXPECT_EQ(shown(schedule.previous(at("2026-03-01T00:00:00Z"))), "2026-01-01T00:00:00Z");
    EXPECT_EQ(schedule.previous(at("2026-01-01T00:00:00Z")), std::nullopt);
}

TEST(ScheduleTest, ARunIsAboutTheTimeSinceTheOneBefore) {
    const Interval day = cron("0 6 * * *", "Europe/Zurich").interval_of(at("2026-03-29T04:00:00Z"));
    EXPECT_EQ(shown(day.begin), "2026-03-28T05:00:00Z");  // 23 hours before: clocks were changed
    EXPECT_EQ(shown(day.end), "2026-03-29T04:00:00Z");
    const Timestamp once = at("2026-01-01T00:00:00Z");
    EXPECT_EQ(Schedule({once}).interval_of(once), (Interval{once, once}));
}

TEST(MissedRunsTest, AreMadeGoodByTheirPolicy) {
    const Schedule hourly = cron("@hourly");
    const Timestamp seen = at("2026-11-22T00:00:00Z");
    const Timestamp now = at("2026-11-22T05:30:00Z");
    const auto run = [&](MissedRuns policy, minutes lateness, size_t count_max) {
        return shown(moments_to_run(hourly, seen, now, policy, lateness, count_max));
    };
    EXPECT_THAT(run(MissedRuns::all, minutes(5), 100),
                ElementsAre("2026-11-22T01:00:00Z", "2026-11-22T02:00:00Z", "2026-11-22T03:00:00Z",
                            "2026-11-22T04:00:00Z", "2026-11-22T05:00:00Z"));
    EXPECT_THAT(run(MissedRuns::all, minutes(5), 2), ElementsAre("2026-11-22T04:00:00Z", "2026-11-22T05:00:00Z"));
    EXPECT_THAT(run(MissedRuns::last, minutes(5), 100), ElementsAre("2026-11-22T05:00:00Z"));
    EXPECT_THAT(run(MissedRuns::none, minutes(5), 100), IsEmpty());
    // What is due by now was not missed.
    EXPECT_THAT(run(MissedRuns::none, minutes(30), 100), ElementsAre("2026-11-22T05:00:00Z"));
    EXPECT_THAT(run(MissedRuns::last, minutes(30), 100), ElementsAre("2026-11-22T05:00:00Z"));
    EXPECT_THAT(run(MissedRuns::all, minutes(30), 1), ElementsAre("2026-11-22T04:00:00Z", "2026-11-22T05:00:00Z"));
    EXPECT_THAT(moments_to_run(hourly, now, now, MissedRuns::all, minutes(5), 100), IsEmpty());
}

TEST(ZoneTest, KnowsNamesOnly) {
    const auto none = Zone::find("Mars/Olympus");
    ASSERT_FALSE(none.ok());
    EXPECT_EQ(none.error().to_string(), "time zone not found: Mars/Olympus; give one such as Europe/Zurich");
    EXPECT_EQ(zone("Europe/Zurich").name(), "Europe/Zurich");
}

}  // namespace
}  // namespace shaduf
