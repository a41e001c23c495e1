#include "base/zone.h"

#include <date/tz.h>

#include <algorithm>
#include <exception>

namespace shaduf {
namespace {

// The library's stretches at both ends reach beyond what microseconds can count.
Timestamp within_range(date::sys_seconds time) {
    constexpr auto kMin = std::chrono::ceil<std::chrono::seconds>(Timestamp::min());
    constexpr auto kMax = std::chrono::floor<std::chrono::seconds>(Timestamp::max());
    return std::clamp<std::chrono::sys_seconds>(time, kMin, kMax);
}

}  // namespace

Result<Zone> Zone::find(const std::string& name) {
    try {
        return Zone(date::locate_zone(name));
    } catch (const std::exception&) {
        return Error(ErrorKind::invalid_config, "time zone not found: " + name + "; give one such as Europe/Zurich");
    }
}

Zone Zone::utc() { return Zone(date::locate_zone("Etc/UTC")); }

const std::string& Zone::name() const { return zone_->name(); }

Zone::Stretch Zone::stretch_at(Timestamp moment) const {
    const date::sys_info info = zone_->get_info(moment);
    return {within_range(info.begin), within_range(info.end), info.offset};
}

Timestamp Zone::first_moment_of(WallTime wall) const {
    const date::local_info info = zone_->get_info(date::local_time<std::chrono::microseconds>(wall.time_since_epoch()));
    const Timestamp first = Timestamp(wall.time_since_epoch()) - info.first.offset;
    return info.result == date::local_info::nonexistent ? Timestamp(info.first.end) : first;
}

}  // namespace shaduf
