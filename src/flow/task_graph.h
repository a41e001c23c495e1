#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "flow/task_state.h"

namespace shaduf {

// A task of a graph, by its place among the graph's tasks.
using TaskIndex = uint32_t;

struct TaskNode {
    std::string name;
    std::vector<std::string> after;  // by name
    TriggerRule rule = TriggerRule::all_success;
    bool allows_failure = false;  // a failure counts as a warning, here and behind it
    bool needs_approval = false;
};

// The tasks of one flow, in the order they were given, and which come before which. Immutable; thread-safe.
class TaskGraph {
public:
    // invalid_config: a name that is given twice or is not there, or the tasks of a circle.
    static Result<TaskGraph> create(std::vector<TaskNode> tasks);

    size_t size() const { return tasks_.size(); }
    const TaskNode& operator[](TaskIndex task) const { return tasks_[task]; }
    std::optional<TaskIndex> find(std::string_view name) const;
    std::span<const TaskIndex> before(TaskIndex task) const { return before_.of(task); }
    std::span<const TaskIndex> behind(TaskIndex task) const { return behind_.of(task); }
    // Each task behind those that come before it.
    std::span<const TaskIndex> in_order() const { return order_; }
    // The tasks and all that come behind them, once each, in order.
    std::vector<TaskIndex> with_all_behind(std::span<const TaskIndex> tasks) const;

private:
    // Lists of one edge's other ends, one behind the other.
    struct Edges {
        std::vector<uint32_t> begins;  // by task, and the end of the last
        std::vector<TaskIndex> ends;
        std::span<const TaskIndex> of(TaskIndex task) const {
            return std::span(ends).subspan(begins[task], begins[task + 1] - begins[task]);
        }
    };

    TaskGraph() = default;
    Result<void> connect();
    Result<void> order();
    Error circle(const std::vector<uint32_t>& open) const;

    std::vector<TaskNode> tasks_;
    std::vector<std::pair<std::string_view, TaskIndex>> by_name_;  // sorted
    Edges before_;
    Edges behind_;
    std::vector<TaskIndex> order_;
};

}  // namespace shaduf
