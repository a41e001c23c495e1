#pragma once

#include <string>
#include <vector>

#include "config/node.h"
#include "flow/flow_files.h"

namespace shaduf {

// What flows of a project have in common.
struct FlowReaderParts {
    const Project& project;
    const Registry<TaskTypeSpec>& types;
    const std::map<std::string, uint32_t>& pools;
};

// The flow of one file. What is wrong goes to `errors`; then what is given is not to be used.
FlowInfo read_flow(const std::string& name, const Node& node, const FlowReaderParts& parts, std::vector<Error>& errors);

// The keys of a flow, and of a sensor; SensorTrigger::config has the latter.
std::span<const FieldSpec> flow_fields();
std::span<const FieldSpec> sensor_fields();

}  // namespace shaduf
