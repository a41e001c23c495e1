#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "models/context/services.h"
#include "models/run/node_result.h"
#include "models/run/node_runner.h"

namespace shaduf::models {

struct GraphRunOptions {
    RunKind kind = RunKind::execute;
    int threads = 1;
    bool fail_fast = false;
    // Tests stand between a node and those that read it (build); else all run when their inputs have (test, run).
    bool tests_block = false;
    // Models with `publish: after_tests` are built beside, and published when their tests are done.
    bool audits = false;
    // Descendants of what failed run nevertheless.
    bool continue_on_error = false;
};

// Told of each node by the thread that runs it. Thread-safe.
class GraphRunListener {
public:
    virtual ~GraphRunListener() = default;
    virtual void started(const Node& node, size_t index, size_t total) = 0;
    virtual void ended(const Node& node, const NodeResult& result, size_t index, size_t total) = 0;
    // What was built beside is in its place now, or, as `result` says, is not.
    virtual void published(const Node& node, const NodeResult& result) = 0;
};

// Runs the nodes named by `selected` in the order of their dependencies, also of those through nodes that are not
// selected. Each thread has a session of its own. What depends on a failure is skipped. The results in the order in
// which they came to be; every selected node that is no ephemeral model has one.
Result<std::vector<NodeResult>> run_graph(const ContextServices& services, Compiler& compiler,
                                          const std::vector<const Node*>& selected, const GraphRunOptions& options,
                                          GraphRunListener& listener);

}  // namespace shaduf::models
