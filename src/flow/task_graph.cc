#include "flow/task_graph.h"

#include <algorithm>

#include "base/text.h"

namespace shaduf {

Result<TaskGraph> TaskGraph::create(std::vector<TaskNode> tasks) {
    TaskGraph graph;
    graph.tasks_ = std::move(tasks);
    TRY(graph.connect());
    TRY(graph.order());
    return graph;
}

std::optional<TaskIndex> TaskGraph::find(std::string_view name) const {
    const auto found =
        std::lower_bound(by_name_.begin(), by_name_.end(), name,
                         [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
    return found == by_name_.end() || found->first != name ? std::nullopt : std::optional(found->second);
}

Result<void> TaskGraph::connect() {
    const auto count = static_cast<TaskIndex>(tasks_.size());
    for (TaskIndex task = 0; task < count; ++task) by_name_.emplace_back(tasks_[task].name, task);
    std::sort(by_name_.begin(), by_name_.end());
    for (size_t i = 1; i < by_name_.size(); ++i) {
        if (by_name_[i].first == by_name_[i - 1].first) {
            return Error(ErrorKind::invalid_config,
                         "two tasks have one name: " + std::string(by_name_[i].first) + "; rename one");
        }
    }
    std::vector<uint32_t> behind_count(count, 0);
    before_.begins.push_back(0);
    for (const TaskNode& task : tasks_) {
        std::vector<TaskIndex> before;
        for (const std::string& name : task.after) {
            const auto other = find(name);
            if (!other) {
                std::vector<std::string> known;
                for (const TaskNode& each : tasks_) known.push_back(each.name);
                return Error(ErrorKind::invalid_config, "task " + task.name + " comes after one that is not there: " +
                                                            name + did_you_mean(name, known));
            }
            before.push_back(*other);
        }
        std::sort(before.begin(), before.end());
        before.erase(std::unique(before.begin(), before.end()), before.end());
        for (const TaskIndex other : before) ++behind_count[other];
        before_.ends.insert(before_.ends.end(), before.begin(), before.end());
        before_.begins.push_back(static_cast<uint32_t>(before_.ends.size()));
    }
    behind_.begins.push_back(0);
    for (const uint32_t edges : behind_count) behind_.begins.push_back(behind_.begins.back() + edges);
    behind_.ends.resize(before_.ends.size());
    std::vector<uint32_t> next(behind_.begins.begin(), behind_.begins.end() - 1);
    for (TaskIndex task = 0; task < count; ++task) {
        for (const TaskIndex other : before_.of(task)) behind_.ends[next[other]++] = task;
    }
    return {};
}

Result<void> TaskGraph::order() {
    std::vector<uint32_t> open(tasks_.size());  // how many before each are not in the order yet
    for (TaskIndex task = 0; task < tasks_.size(); ++task) {
        open[task] = static_cast<uint32_t>(before_.of(task).size());
        if (open[task] == 0) order_.push_back(task);
    }
    for (size_t at = 0; at < order_.size(); ++at) {
        for (const TaskIndex task : behind_.of(order_[at])) {
            if (--open[task] == 0) order_.push_back(task);
        }
    }
    return order_.size() == tasks_.size() ? Result<void>() : circle(open);
}

// Whoever is not in the order has one before it that is not, either: walking back comes round.
Error TaskGraph::circle(const std::vector<uint32_t>& open) const {
    auto task =
        static_cast<TaskIndex>(std::find_if(open.begin(), open.end(), [](uint32_t n) { return n > 0; }) - open.begin());
    std::vector<TaskIndex> way;
    while (std::find(way.begin(), way.end(), task) == way.end()) {
        way.push_back(task);
        const auto before = before_.of(task);
        task = *std::find_if(before.begin(), before.end(), [&](TaskIndex other) { return open[other] > 0; });
    }
    way.erase(way.begin(), std::find(way.begin(), way.end(), task));
    std::string names = tasks_[task].name;
    for (auto at = way.rbegin(); at != way.rend(); ++at) names += " -> " + tasks_[*at].name;
    return {ErrorKind::invalid_config, "tasks wait for each other: " + names + "; take one of the depends_on out"};
}

std::vector<TaskIndex> TaskGraph::with_all_behind(std::span<const TaskIndex> tasks) const {
    std::vector<bool> wanted(tasks_.size(), false);
    for (const TaskIndex task : tasks) wanted[task] = true;
    std::vector<TaskIndex> found;
    for (const TaskIndex task : order_) {
        const auto before = before_.of(task);
        wanted[task] =
            wanted[task] || std::any_of(before.begin(), before.end(), [&](TaskIndex other) { return wanted[other]; });
        if (wanted[task]) found.push_back(task);
    }
    return found;
}

}  // namespace shaduf
