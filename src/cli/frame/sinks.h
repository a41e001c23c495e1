#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/frame/session.h"

namespace shaduf {

// A destination outside a run: where checkpoints and quarantine of some pipelines are.
struct OpenSink {
    const ConnectionConfig* connection;
    std::unique_ptr<Store> store;
};

// Those of `pipeline`, or of all pipelines when it is "", each connection once. Errors were printed already.
Result<std::vector<OpenSink>> open_sinks(Session& session, const std::string& pipeline);

}  // namespace shaduf
