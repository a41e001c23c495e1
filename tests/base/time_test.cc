#include "base/time.h"

#include <gtest/gtest.h>

namespace shaduf {
namespace {

TEST(Time, ParsesDurations) {
    using std::chrono::milliseconds;
    struct Case {
        const char* text;
        std::optional<milliseconds> expected;
    };
    const Case cases[] = {
        {"250ms", milliseconds(250)},
        {"90s", milliseconds(90'000)},
        {"5m", milliseconds(300'000)},
        {"1h30m", milliseconds(5400'000)},
        {"28d", milliseconds(2419200'000)},
        {"2w", milliseconds(1209600'000)},
        {"0s", milliseconds(0)},
        {"", std::nullopt},
        {"5", std::nullopt},
        {"5 parsecs", std::nullopt},
        {"-5s", std::nullopt},
        {"m", std::nullopt},
        {"99999999999999999d", std::nullopt},
    };
    for (const auto& [text, expected] : cases) {
        SCOPED_TRACE(text);
        EXPECT_EQ(parse_duration(text), expected);
    }
}

TEST(Time, ParsesTimestamps) {
    struct Case {
        const char* text;
        const char* expected;  // as printed again; nullptr: not a timestamp
    };
    const Case cases[] = {
        {"2023-10-23T12:34:56Z", "2023-10-23T12:34:56Z"},
        {"2023-10-23 12:34:56", "2023-10-23T12:34:56"},
        {"2023-10-23T12:34", "2023-10-23T12:34:00"},
        {"2023-10-23T12:34:56.5Z", "2023-10-23T12:34:56.500000Z"},
        {"2023-10-23T12:34:56.123456789+02:00", "2023-10-23T10:34:56.123456Z"},
        {"2023-10-23T00:30:00+0530", "2023-10-22T19:00:00Z"},
        {"2023-10-23T00:30:00-03", "2023-10-23T03:30:00Z"},
        {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
        {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
        {"-0043-03-15 12:00:00", "-0043-03-15T12:00:00"},
        {"0000-02-29T00:00:00Z", "0000-02-29T00:00:00Z"},
        {"-0000-01-01T00:00:00Z", nullptr},
        {"2023-02-29T00:00:00Z", nullptr},
        {"2023-13-01T00:00:00Z", nullptr},
        {"2023-10-23T24:00:00Z", nullptr},
        {"2023-10-23T12:34:56.Z", nullptr},
        {"2023-10-23T12:34:56Zx", nullptr},
        {"2023-10-23", nullptr},
        {"20231023T123456Z", nullptr},
        {"", nullptr},
    };
    for (const auto& [text, expected] : cases) {
        SCOPED_TRACE(text);
        const auto parsed = parse_timestamp(text);
        ASSERT_EQ(parsed.has_value(), expected != nullptr);
        if (!parsed) continue;
        EXPECT_EQ(format_timestamp(parsed->microseconds, parsed->has_zone), expected);
    }
}

TEST(Time, DatesGoThereAndBack) {
    for (int32_t day = -4'371'587; day < 2'932'896; day += 997) {  // years -9999 to 9999
        EXPECT_EQ(parse_date(format_date(day)), day);
    }
    EXPECT_EQ(parse_date("1970-01-01"), 0);
    EXPECT_EQ(format_date(-735'160), "-0043-03-15");
    EXPECT_EQ(parse_date("-0043-03-15"), -735'160);
    EXPECT_EQ(parse_date("2023-02-30"), std::nullopt);
    EXPECT_EQ(parse_date("2023-1-1"), std::nullopt);
}

}  // namespace
}  // namespace shaduf
