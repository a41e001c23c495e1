#pragma once

#include <string>

#include "models/command/event_log.h"
#include "models/run/node_result.h"

namespace shaduf::models {

struct Node;

// What happens to one node of a run, as dbt's events have it. `started_at`, `finished_at`: "" when not yet.
struct NodeMoment {
    const Node& node;
    std::string started_at;
    size_t index = 0, total = 0;
    std::string description;  // "sql table model main.orders"
    std::string line;         // for people
};

// NodeStart and LogStartLine.
Event node_start(const NodeMoment& moment);
Event start_line(const NodeMoment& moment);
// LogModelResult, LogTestResult, LogSeedResult, ..., SkippingDetails; and NodeFinished.
Event result_line(const NodeMoment& moment, const NodeResult& result);
Event node_finished(const NodeMoment& moment, const NodeResult& result);

// Now, as these events have it: UTC, without a zone.
std::string event_time_now();

}  // namespace shaduf::models
