#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace shaduf {

// Days and microseconds since 1970-01-01, proleptic Gregorian calendar, as Arrow and DuckDB count them. The parsers
// take exactly the whole text; they are on the hot path of decoding and allocate nothing. Years before 0000, which is
// 1 BC, have a sign and four digits, as ISO 8601 writes them: -0043-03-15 is in 44 BC.
struct ParsedTimestamp {
    int64_t microseconds;  // UTC when has_zone, else as the wall clock read
    bool has_zone;
};

int64_t days_from_civil(int year, unsigned month, unsigned day);
std::optional<int32_t> parse_date(std::string_view text);               // 2023-10-23
std::optional<int64_t> parse_time_of_day(std::string_view text);        // 12:34[:56[.123456]], in microseconds
std::optional<ParsedTimestamp> parse_timestamp(std::string_view text);  // date[T ]time[Z|+hh[:mm]]; RFC 3339 and looser
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);  // 250ms, 90s, 5m, 2h, 28d, 1h30m

std::string format_date(int32_t days);
std::string format_time_of_day(int64_t microseconds);               // 12:34:56 or 12:34:56.123456
std::string format_timestamp(int64_t microseconds, bool has_zone);  // 2023-10-23T12:34:56[.123456][Z]
std::string format_timestamp(Timestamp time);                       // with Z
std::string format_duration(std::chrono::nanoseconds duration);     // 850ms, 12.3s, 4m05s, 2h03m

}  // namespace shaduf
