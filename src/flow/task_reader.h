#pragma once

#include <span>
#include <string>
#include <vector>

#include "flow/flow_reader.h"
#include "flow/task_config.h"

namespace shaduf {

// The pool of which every task takes a place, unless it only waits for others.
inline constexpr std::string_view kTasksPool = "tasks";
// The keys of a task of any type; besides it has one that names its type.
std::span<const FieldSpec> task_fields();
// Whether a task of this type does nothing by itself: it takes no place, so that what it waits for gets one.
bool only_waits(std::string_view type);

// The tasks of a flow's file: a map of names to tasks.
class TasksReader {
public:
    TasksReader(const std::string& flow, const FlowReaderParts& parts, std::vector<Error>& errors);
    void read(const Node& tasks, const Node& defaults);

    std::vector<TaskNode> nodes;
    std::vector<TaskSpec> specs;      // by the place of the node
    std::vector<std::string> writes;  // tables that are known before
    bool is_endless = false;

private:
    void fail(const Place& place, std::string message);
    Node with_defaults(const Node& task, const Node& defaults) const;
    void read_task(const std::string& name, const Node& task, const Node& given);
    void read_node(const Options& options, TaskNode& node);
    void read_spec(const Node& task, const Options& options, TaskSpec& spec);
    void read_places(const Node& task, const Options& options, TaskSpec& spec);
    void read_type(const Node& task, const Options& options, TaskSpec& spec);
    void check_options(const TaskTypeSpec& type, const Node& written);

    const std::string& flow_;
    const FlowReaderParts& parts_;
    std::vector<Error>& errors_;
    std::vector<FieldSpec> fields_;  // of a task, with those that name types
    bool never_ends_ = false;        // the task that is being read: then it holds no place
};

}  // namespace shaduf
