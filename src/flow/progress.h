#pragma once

#include <span>
#include <vector>

#include "flow/task_graph.h"
#include "flow/task_state.h"

namespace shaduf {

// How far a run has come in its graph. Which tasks may begin follows from the states of all, so that nothing but these
// has to be kept; a step costs what hangs on the task that moved, however large the graph. One thread at a time; the
// graph outlives it.
class Progress {
public:
    struct Change {
        TaskIndex task;
        TaskState to;
        bool operator==(const Change&) const = default;
    };

    explicit Progress(const TaskGraph& graph);
    // As it was left. REQUIRES: a state for each task.
    Progress(const TaskGraph& graph, std::vector<TaskState> states);

    TaskState operator[](TaskIndex task) const { return states_[task]; }
    std::span<const TaskState> states() const { return states_; }

    // What follows from the states as they stand: of a run that begins, or that was left in the middle.
    std::vector<Change> settle();
    // A task is in another state, as somebody says; gives what follows, without it. The failure of a task that allows
    // it becomes a warning. REQUIRES: not back to waiting.
    std::vector<Change> move(TaskIndex task, TaskState to);
    // These begin anew: they, and all behind them that have ended, wait again. Gives that and what follows.
    std::vector<Change> run_again(std::span<const TaskIndex> tasks);

    bool has_ended() const { return open_ == 0; }
    // running as long as it has not ended.
    RunState outcome() const;

private:
    // Of the tasks right before one, how many ended how.
    struct Counts {
        uint32_t succeeded = 0;
        uint32_t failed = 0;
        uint32_t skipped = 0;
        uint32_t ended() const { return succeeded + failed + skipped; }
    };

    void count(TaskIndex task, TaskState state, int by);
    void set(TaskIndex task, TaskState to);
    TaskState due_state(TaskIndex task) const;
    void follow(std::vector<TaskIndex> looked_at, std::vector<Change>& changes);

    const TaskGraph& graph_;
    std::vector<TaskState> states_;
    std::vector<Counts> counts_;
    size_t open_ = 0;  // that have not ended
};

}  // namespace shaduf
