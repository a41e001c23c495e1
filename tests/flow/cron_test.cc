#include "flow/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"

namespace shaduf {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;

WallTime wall(const std::string& text) {
    const auto parsed = parse_timestamp(text);
    EXPECT_TRUE(parsed) << text;
    return WallTime(std::chrono::microseconds(parsed->microseconds));
}

std::string shown(WallTime time) {
    return time == WallTime::max() ? "never" : format_timestamp(time.time_since_epoch().count(), false);
}

// The first times behind `from`, as many as `expected` has.
void expect_times(const std::string& cron, const std::string& from, const std::vector<std::string>& expected) {
    const auto parsed = Cron::parse(cron);
    ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
    std::vector<std::string> found;
    WallTime at = wall(from);
    while (found.size() < expected.size()) {
        at = parsed.value().first_from(at + std::chrono::microseconds(1));
        found.push_back(shown(at));
        if (at == WallTime::max()) break;
    }
    EXPECT_THAT(found, ElementsAreArray(expected)) << cron << " behind " << from;
}

TEST(CronTest, NamesTimes) {
    struct Case {
        const char* cron;
        const char* from;
        std::vector<std::string> expected;
    };
    const Case cases[] = {
        {"* * * * *", "2026-11-22T10:00:30", {"2026-11-22T10:01:00", "2026-11-22T10:02:00"}},
        {"*/15 * * * *", "2026-11-22T23:45:00", {"2026-11-23T00:00:00", "2026-11-23T00:15:00"}},
        {"0 6 * * *", "2026-11-22T06:00:00", {"2026-11-23T06:00:00"}},
        {"30 6,18 * * *", "2026-12-31T07:00:00", {"2026-12-31T18:30:00", "2027-01-01T06:30:00"}},
        {"*/20 10 * * *", "2026-11-22T10:41:00", {"2026-11-23T10:00:00", "2026-11-23T10:20:00"}},
        {"5/20 10 * * *", "2026-11-22T00:00:00", {"2026-11-22T10:05:00", "2026-11-22T10:25:00", "2026-11-22T10:45:00"}},
        {"0 22-2/2 * * *",
         "2026-11-22T21:00:00",
         {"2026-11-22T22:00:00", "2026-11-23T00:00:00", "2026-11-23T02:00:00"}},
        {"0 0 * * MON-FRI", "2026-11-20T12:00:00", {"2026-11-23T00:00:00"}},
        {"0 0 * * fri-mon",
         "2026-11-20T12:00:00",
         {"2026-11-21T00:00:00", "2026-11-22T00:00:00", "2026-11-23T00:00:00", "2026-11-27T00:00:00"}},
        {"0 0 * * 7", "2026-11-20T12:00:00", {"2026-11-22T00:00:00"}},
        {"0 0 * * 0-7", "2026-11-20T12:00:00", {"2026-11-21T00:00:00", "2026-11-22T00:00:00"}},
        {"0 0 31 * *", "2026-11-20T12:00:00", {"2026-12-31T00:00:00", "2027-01-31T00:00:00", "2027-03-31T00:00:00"}},
        {"0 0 29 2 *", "2026-11-20T12:00:00", {"2028-02-29T00:00:00", "2032-02-29T00:00:00"}},
        {"0 0 29 2 *", "2096-11-20T12:00:00", {"2104-02-29T00:00:00"}},
        // Both fields of days: one is enough, but not with a star in front.
        {"0 0 13 * FRI", "2026-11-01T00:00:00", {"2026-11-06T00:00:00", "2026-11-13T00:00:00", "2026-11-20T00:00:00"}},
        {"0 0 */2 * FRI", "2026-11-01T00:00:00", {"2026-11-13T00:00:00", "2026-11-27T00:00:00"}},
        {"0 0 ? JAN,jun MON#1", "2026-11-01T00:00:00", {"2027-01-04T00:00:00", "2027-06-07T00:00:00"}},
        {"0 0 * * 5L", "2026-11-01T00:00:00", {"2026-11-27T00:00:00", "2026-12-25T00:00:00", "2027-01-29T00:00:00"}},
        {"0 0 * * 2#5", "2026-11-01T00:00:00", {"2026-12-29T00:00:00", "2027-03-30T00:00:00"}},
        {"0 0 L * *", "2027-01-31T00:00:00", {"2027-02-28T00:00:00", "2027-03-31T00:00:00"}},
        {"0 0 L-2,1 * *", "2026-11-02T00:00:00", {"2026-11-28T00:00:00", "2026-12-01T00:00:00", "2026-12-29T00:00:00"}},
        {"0 0 15W * *",
         "2026-07-20T00:00:00",
         {"2026-08-14T00:00:00", "2026-09-15T00:00:00", "2026-10-15T00:00:00", "2026-11-16T00:00:00"}},
        // August 1 of 2026 is a Saturday: the Friday before is another month's. May 31 of 2026 is a Sunday.
        {"0 0 1W * *", "2026-07-20T00:00:00", {"2026-08-03T00:00:00", "2026-09-01T00:00:00"}},
        {"0 0 31W * *", "2026-05-02T00:00:00", {"2026-05-29T00:00:00", "2026-07-31T00:00:00"}},
        {"0 0 LW * *",
         "2026-05-02T00:00:00",
         {"2026-05-29T00:00:00", "2026-06-30T00:00:00", "2026-07-31T00:00:00", "2026-08-31T00:00:00"}},
        {"*/30 0 12 * * *", "2026-11-22T12:00:00", {"2026-11-22T12:00:30", "2026-11-23T12:00:00"}},
        {"59 59 23 31 12 ?", "2026-12-31T23:59:59", {"2027-12-31T23:59:59"}},
        {"@hourly", "2026-11-22T12:00:00", {"2026-11-22T13:00:00"}},
        {"@daily", "2026-11-22T12:00:00", {"2026-11-23T00:00:00"}},
        {"@weekly", "2026-11-22T12:00:00", {"2026-11-29T00:00:00"}},
        {"@Monthly", "2026-11-22T12:00:00", {"2026-12-01T00:00:00"}},
        {"@yearly", "2026-11-22T12:00:00", {"2027-01-01T00:00:00"}},
        {"  0   6 * *  * ", "2026-11-22T12:00:00", {"2026-11-23T06:00:00"}},
    };
    for (const Case& c : cases) expect_times(c.cron, c.from, c.expected);
}

TEST(CronTest, RefusesWhatIsNoneAndSaysWhich) {
    struct Case {
        const char* cron;
        const char* error;
    };
    const Case cases[] = {
        {"", "cron expression has 0 fields: ; give five"},
        {"* * * *", "has 4 fields: * * * *; give five (minute hour day month weekday), or six with seconds in front"},
        {"* * * * * * *", "has 7 fields"},
        {"60 * * * *", "no valid minute: 60 of 60 * * * *; expected 0 to 59"},
        {"* 24 * * *", "no valid hour: 24 of * 24 * * *; expected 0 to 23, *, lists"},
        {"* * 0 * *", "no valid day of the month: 0"},
        {"* * * 13 *", "no valid month: 13 of * * * 13 *; expected 1 to 12 or JAN to DEC"},
        {"* * * * 8", "no valid day of the week: 8 of * * * * 8; expected 0 to 7 or SUN to SAT"},
        {"* * * * MOM", "no valid day of the week: MOM"},
        {"*/0 * * * *", "no valid minute: */0"},
        {"1,,2 * * * *", "no valid minute:  of"},
        {"1-2-3 * * * *", "no valid minute: 2-3"},
        {"-1 * * * *", "no valid minute"},
        {"* * L-31 * *", "no valid last day of the month: L-31"},
        {"* * * * 5#6", "no valid numbered day of the week: 5#6"},
        {"* * 32W * *", "no valid day of the month: 32"},
        {"@reboot", "no valid preset: @reboot"},
        {"0 0 30 2 *", "cron expression names a day that never comes: 0 0 30 2 *"},
    };
    for (const Case& c : cases) {
        const auto parsed = Cron::parse(c.cron);
        ASSERT_FALSE(parsed.ok()) << c.cron;
        EXPECT_EQ(parsed.error().kind(), ErrorKind::invalid_config);
        EXPECT_THAT(parsed.error().to_string(), HasSubstr(c.error)) << c.cron;
    }
}

}  // namespace
}  // namespace shaduf
