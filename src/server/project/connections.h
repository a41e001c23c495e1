#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"
#include "connectors/connector.h"
#include "server/serve_context.h"

namespace shaduf::server {

// The connections of shaduf.yml as they are written, also while the project has errors. invalid_config: the file itself
// cannot be read.
Result<Node> written_connections(const ServeContext& serve);
// What shaduf.yml has of a connection, or an error of not_found.
Result<Node> written_connection(const ServeContext& serve, const std::string& name);

// A connection as it would be with these options, references replaced: of type `type`, or of the one that is there.
// Options that are not given stay as they are written.
Result<ConnectionConfig> connection_with(ServeContext& serve, const std::string& name, const std::string& type,
                                         const Node& options);

struct TrialStep {
    std::string name;  // resolve, connect, sign_in, streams
    bool ok = false;
    std::chrono::milliseconds took{0};
    std::string found;
    std::string advice;  // what to do; "" when all is well
};
struct Trial {
    bool ok = false;
    std::chrono::milliseconds took{0};
    std::vector<TrialStep> steps;  // up to the first that fails
};
// Reaches the system, step by step. Steps that the options tell no host for are left out.
Trial try_connection(RunContext& run, const ConnectorSpec& spec, const ConnectionConfig& connection);

// What is remembered of a connection between calls: JSON, with "at". nullopt: nothing. Written whole or not at all.
std::optional<std::string> remembered(const ServeContext& serve, std::string_view what, const std::string& name);
Result<void> remember(const ServeContext& serve, std::string_view what, const std::string& name, std::string_view json);

}  // namespace shaduf::server
