#include "flow/flow_spec.h"

#include <algorithm>

namespace shaduf {

std::optional<Timestamp> first_due(const FlowSpec& flow, Timestamp moment) {
    if (flow.starts) moment = std::max(moment, *flow.starts - std::chrono::microseconds(1));
    std::optional<Timestamp> first;
    for (const Schedule& schedule : flow.schedules) {
        const auto next = schedule.next(moment);
        if (next && (!flow.ends || *next < *flow.ends) && (!first || *next < *first)) first = next;
    }
    return first;
}

}  // namespace shaduf
