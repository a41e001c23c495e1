#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "flow/flow_spec.h"
#include "flow/task_graph.h"
#include "flow/task_state.h"

namespace shaduf {

using RunId = std::string;

enum class RunType : uint8_t { scheduled, manual, backfill, event };
std::string_view to_string(RunType type);

// A run as it is kept.
struct RunRow {
    RunId id;
    std::string flow;
    std::string revision;
    RunType type = RunType::manual;
    Timestamp due{};   // scheduled and backfill: one of a flow, a type and this
    Interval about{};  // what data
    RunState state = RunState::queued;
    std::string inputs;  // JSON
    std::string why;     // it is in this state
    std::string actor;   // who asked for it; "": the schedule
    Timestamp created{};
    std::optional<Timestamp> began;
    std::optional<Timestamp> ended;
    bool operator==(const RunRow&) const = default;
};

// A task as it is kept, once it does not just wait any more.
struct TaskRow {
    RunId run;
    TaskIndex task = 0;
    TaskState state = TaskState::waiting;
    int attempt = 0;                       // of the run's tries, from 1
    int tries = 0;                         // since it was last run again by somebody
    int lost = 0;                          // of the tries since then, those whose worker was gone: not among `tries`
    std::optional<Timestamp> since;        // when it was queued
    std::optional<Timestamp> first_begun;  // the first of these tries
    std::optional<Timestamp> began;        // this try
    std::optional<Timestamp> ended;
    std::optional<Timestamp> comes_again;  // retrying
    std::string worker;
    std::string why;
    std::string outputs;  // JSON
    bool operator==(const TaskRow&) const = default;
};

// As TaskStart has it.
inline int round_of(const TaskRow& task) { return task.attempt - task.tries - task.lost; }

// One line of the history: appended, never changed.
struct Transition {
    RunId run;
    std::optional<TaskIndex> task;  // none: the run
    int attempt = 0;
    std::string to;
    std::string why;
    std::string actor;
    Timestamp at{};
};

// What one step of the engine changes. All of it is kept in one transaction, or nothing.
struct FlowChanges {
    std::vector<RunRow> runs;    // new or changed, whole
    std::vector<TaskRow> tasks;  // new or changed, whole
    std::vector<Transition> history;
    std::map<std::string, Timestamp> seen;                     // by flow: up to when its schedules were looked at
    std::map<std::string, std::optional<std::string>> values;  // as of RunStore::keep_value
    std::map<int64_t, std::string> answers;                    // to commands of other processes, by their number
    bool empty() const {
        return runs.empty() && tasks.empty() && history.empty() && seen.empty() && values.empty() && answers.empty();
    }
};

// What is left of the time before: runs that have not ended, with the tasks of theirs that do not just wait, and how
// far schedules were looked at.
struct FlowRemains {
    std::vector<RunRow> runs;
    std::vector<TaskRow> tasks;
    std::map<std::string, Timestamp> seen;
    std::map<std::pair<std::string, std::string>, FlowPtr> specs;  // by flow and revision, of those runs
    std::set<std::string> workers;                                 // that are still there, with what they run
};

}  // namespace shaduf
