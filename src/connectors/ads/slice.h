#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace shaduf::ads {

// A calendar day of some account's time zone; days since 1970-01-01.
using Day = std::chrono::sys_days;

// An advertiser's account (for CleverTap a project).
struct Account {
    std::string id;         // as the rows have it
    std::string name;       // "" where there is none
    std::string time_zone;  // IANA name; "" is UTC
    std::string currency;   // ISO 4217; "" where there is none
    std::string owner;      // through whom it is reached, such as a manager account; "" where there is none
};

// Both ends belong to it.
struct DayRange {
    Day first;
    Day last;
    int64_t days() const { return (last - first).count() + 1; }
    bool operator==(const DayRange&) const = default;
};

// The part of a stream that is fetched, archived, loaded and replaced as a whole.
struct Slice {
    Account account;
    std::string part;              // what else tells slices of an account apart, such as an event's name; "": nothing
    std::optional<DayRange> days;  // nullopt: the stream has no days
    // Streams of SliceKind::changes: what the last complete fetch of this account and part left; "": there was none.
    std::string cursor;

    // "account 123, events Charged, 2026-11-01 to 2026-11-07": for messages and places.
    std::string to_string() const;
};

// ISO 8601, "2026-11-01".
std::string format_day(Day day);
std::optional<Day> parse_day(std::string_view text);

// The calendar of a time zone by its IANA name ("" is UTC). An unknown name is invalid_config.
class Zone {
public:
    static Result<Zone> find(const std::string& name);
    Day day_of(Timestamp time) const;
    Timestamp start_of(Day day) const;  // the first instant of the day
    std::chrono::minutes offset_at(Timestamp time) const;

private:
    explicit Zone(const void* zone) : zone_(zone) {}
    const void* zone_;  // of the system's database; nullptr: UTC
};

}  // namespace shaduf::ads
