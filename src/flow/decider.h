#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "flow/desk_local.h"
#include "flow/flow_files.h"
#include "flow/run_store.h"
#include "flow/scheduler.h"
#include "flow/triggers.h"

namespace shaduf {

// What decides when flows run, in the process that leads: the scheduler, the desk and the triggers over one store.
// Thread-safe once it is started.
class FlowDecider {
public:
    struct Parts {
        RunContext& world;
        const Registry<ConnectorSpec>& connectors;
        std::function<Result<std::shared_ptr<const Project>>()> project;
        RunStore* store = nullptr;
        TaskRunner* runner = nullptr;
        FlowWatcher watcher = {};  // may be empty
        bool begins_runs = true;   // false: nothing runs but what is asked for, and what was left open
    };
    explicit FlowDecider(Parts parts);
    ~FlowDecider();  // as close

    // Goes on with the runs that were left open; `workers` are still there, with what they run.
    Result<void> start(std::shared_ptr<const FlowSet> flows, const std::set<std::string>& workers);
    // Flows and pools as they are now; runs that were created keep their definitions.
    Result<void> reload(std::shared_ptr<const FlowSet> flows);
    // Nothing begins any more, and what waits for a place goes on waiting for the process that comes next.
    void close();
    // Waits until what was told is kept.
    void settle();

    Scheduler& scheduler() { return *scheduler_; }
    LocalDesk& desk() { return *desk_; }
    std::shared_ptr<const FlowSet> flows() const;

private:
    Result<void> keep_definitions(const FlowSet& flows);
    Result<std::vector<FlowPtr>> specs(const FlowSet& flows) const;
    FlowPtr for_engine(const FlowPtr& flow, bool is_paused) const;
    FlowPtr spec(const std::string& flow) const;

    const Parts parts_;
    mutable std::mutex mutex_;
    std::shared_ptr<const FlowSet> flows_;
    bool knows_kept_ = false;
    std::set<std::pair<std::string, std::string>> kept_;  // definitions, by flow and revision
    std::unique_ptr<FlowTriggers> triggers_;
    std::unique_ptr<Scheduler> scheduler_;
    std::unique_ptr<LocalDesk> desk_;
    bool is_started_ = false;
    bool is_closed_ = false;
};

}  // namespace shaduf
