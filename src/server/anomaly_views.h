#pragma once

#include <string>

#include "observe/anomalies/anomaly_watch.h"
#include "server/endpoint.h"

namespace shaduf {
class JsonWriter;
}

namespace shaduf::server {

// Anomaly of the API.
extern const Shape kAnomaly;
void write_anomaly(JsonWriter& json, const observe::AnomalyWatch::TableState& table, const observe::Anomaly& anomaly);

// Those that are not over, the newest first.
Result<std::vector<std::pair<observe::AnomalyWatch::TableState, observe::Anomaly>>> open_anomalies(
    observe::AnomalyWatch* watch);

}  // namespace shaduf::server
