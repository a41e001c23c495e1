#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/zone.h"
#include "config/node.h"
#include "flow/schedule.h"

namespace shaduf {

// Schedules as a file has them.
struct WrittenSchedules {
    std::vector<Schedule> schedules;
    std::vector<std::string> as_written;  // "0 6 * * *", "every 15m"
};

// A text (cron, a preset, "every 15m"), a map {cron | every | at, zone} or a list of these. What is wrong goes to
// `errors`.
WrittenSchedules read_schedules(const Node& node, const Zone& zone, std::vector<Error>& errors);

// A date or a time, by clocks of the zone unless it names an offset. invalid_config: it is none.
Result<Timestamp> read_moment(const Node& node, const Zone& zone);

}  // namespace shaduf
