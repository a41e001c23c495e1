#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "flow/flow_files.h"
#include "server/run_views.h"

namespace shaduf::server {

// What was due by now and has not come about.
struct Lateness {
    Timestamp due;  // what has not succeeded since
};
// A flow is late when nothing has succeeded since a moment of its schedule, and twice the time has passed that it
// usually takes, at least 5 minutes; or when it says by itself how old its last success may be. One that rests, or that
// never ends, is not late.
std::optional<Lateness> lateness_of(const FlowInfo& flow, const RunViews::Recent& recent, bool is_paused,
                                    Timestamp now);

// Of the runs that have ended: how many in a row have failed up to the last one, and since when.
struct Failing {
    const RunRow* last = nullptr;
    Timestamp since{};
    int64_t times = 0;
};
std::optional<Failing> failing_of(const RunViews::Recent& recent);

}  // namespace shaduf::server
