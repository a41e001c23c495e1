#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "flow/flow_spec.h"
#include "flow/run_rows.h"
#include "flow/task_log.h"

namespace shaduf {

// Shows one run while it goes on: a line for each state of a task, and what tasks say. Any thread tells it, one shows.
class FlowLive {
public:
    FlowLive(std::ostream& out, bool is_quiet) : out_(out), is_quiet_(is_quiet) {}

    void hear(const FlowChanges& changes);
    void hear_log(const TryId& id);
    // Shows the run until it has ended. False: canceled before that.
    bool show(const RunId& run, const FlowSpec& flow, LogStore& logs, const Cancellation& cancellation);
    // Its end: the store has it before this hears of it.
    void end(const RunId& run);

private:
    void show_state(const Transition& line, const FlowSpec& flow, LogStore& logs);
    void show_lines(const TryId& id, LogStore& logs);

    std::ostream& out_;
    const bool is_quiet_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Transition> states_;
    bool has_lines_ = false;
    std::set<RunId> ended_;
    std::map<TryId, int64_t> shown_;  // of the tries that run: how many lines
};

}  // namespace shaduf
