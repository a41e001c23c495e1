#pragma once

#include <optional>
#include <string>

#include "base/registry.h"
#include "base/result.h"
#include "base/run_context.h"
#include "config/project.h"
#include "connectors/connector.h"
#include "flow/flow_files.h"

namespace shaduf {

// What a sensor has found. `state` is what it saw, to be kept and given to it the next time.
struct SensorLook {
    std::string state;
    std::optional<std::string> news;  // JSON, what a run is to be told; nullopt: there is nothing new
};

// Looks once. `before`: the state of the time before; "" the first time, when files and rows that are there are news,
// and an address is only looked at. Ends within a second of cancellation.
Result<SensorLook> look_at(const SensorTrigger& sensor, const std::string& before, const Project& project,
                           const Registry<ConnectorSpec>& connectors, RunContext& run);

}  // namespace shaduf
