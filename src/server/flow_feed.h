#pragma once

#include <atomic>

#include "flow/flow_files.h"
#include "flow/run_rows.h"
#include "flow/task_board.h"

namespace shaduf::server {

class LiveEvents;
class RunViews;

// Tells clients what the scheduler and the tries of this process do. Thread-safe; `events` outlives it.
class FlowFeed {
public:
    explicit FlowFeed(LiveEvents& events) : events_(events) {}
    // Nothing is told before; the views outlive it.
    void begin(RunViews& views) { views_.store(&views); }

    void hear(const FlowChanges& changes);
    void hear(const TaskBoard::Change& change);

private:
    LiveEvents& events_;
    std::atomic<RunViews*> views_{nullptr};
};

}  // namespace shaduf::server
