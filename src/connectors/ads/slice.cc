#include "connectors/ads/slice.h"

#include <date/tz.h>

#include "base/time.h"

namespace shaduf::ads {
namespace {

const date::time_zone& zone_of(const void* zone) { return *static_cast<const date::time_zone*>(zone); }

// date's own types of time are the library's, not the standard's, under this compiler.
date::sys_time<std::chrono::microseconds> as_date(Timestamp time) {
    return date::sys_time<std::chrono::microseconds>(time.time_since_epoch());
}

}  // namespace

std::string Slice::to_string() const {
    std::string text = "account " + account.id;
    if (!part.empty()) text += ", " + part;
    if (!days) return text;
    text += ", " + format_day(days->first);
    return days->first == days->last ? text : text + " to " + format_day(days->last);
}

std::string format_day(Day day) { return format_date(static_cast<int32_t>(day.time_since_epoch().count())); }

std::optional<Day> parse_day(std::string_view text) {
    const auto days = parse_date(text);
    if (!days) return std::nullopt;
    return Day(std::chrono::days(*days));
}

Result<Zone> Zone::find(const std::string& name) {
    if (name.empty() || name == "UTC") return Zone(nullptr);
    try {
        return Zone(date::locate_zone(name));
    } catch (const std::exception&) {
        return Error(ErrorKind::invalid_config, "time zone not found: " + name +
                                                    "; give its IANA name, such as Europe/Berlin, and see that tzdata "
                                                    "is installed");
    }
}

Day Zone::day_of(Timestamp time) const {
    if (zone_ == nullptr) return std::chrono::floor<std::chrono::days>(time);
    const auto local = zone_of(zone_).to_local(as_date(time));
    return Day(date::floor<date::days>(local).time_since_epoch());
}

Timestamp Zone::start_of(Day day) const {
    if (zone_ == nullptr) return day;
    const date::local_days local(day.time_since_epoch());
    // Where the clocks go forward at midnight the day begins at the first time there is.
    const auto start = zone_of(zone_).to_sys(local, date::choose::earliest);
    return Timestamp(std::chrono::duration_cast<std::chrono::microseconds>(start.time_since_epoch()));
}

std::chrono::minutes Zone::offset_at(Timestamp time) const {
    if (zone_ == nullptr) return std::chrono::minutes(0);
    const auto info = zone_of(zone_).get_info(as_date(time));
    return std::chrono::duration_cast<std::chrono::minutes>(info.offset);
}

}  // namespace shaduf::ads
