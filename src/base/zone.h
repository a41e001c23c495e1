#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace date {
class time_zone;
}

namespace shaduf {

// What a clock on the wall shows.
using WallTime = std::chrono::local_time<std::chrono::microseconds>;

// A time zone of the IANA database, as the system has it. Immutable, cheap to copy; thread-safe.
class Zone {
public:
    // invalid_config: no zone of that name.
    static Result<Zone> find(const std::string& name);
    static Zone utc();

    const std::string& name() const;

    // Time of one offset: from `begin` up to, but without, `end`, when clocks are changed.
    struct Stretch {
        Timestamp begin;
        Timestamp end;
        std::chrono::seconds offset;  // east of Greenwich
        WallTime wall(Timestamp moment) const { return WallTime((moment + offset).time_since_epoch()); }
        Timestamp moment(WallTime wall) const { return Timestamp(wall.time_since_epoch()) - offset; }
    };
    Stretch stretch_at(Timestamp moment) const;

    // The first moment at which clocks there show `wall` or, where they jump over it, a later time.
    Timestamp first_moment_of(WallTime wall) const;

    bool operator==(const Zone& other) const { return zone_ == other.zone_; }

private:
    explicit Zone(const date::time_zone* zone) : zone_(zone) {}

    const date::time_zone* zone_;  // of the library, which keeps it for ever
};

}  // namespace shaduf
