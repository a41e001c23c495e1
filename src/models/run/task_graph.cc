#include "models/run/task_graph.h"

#include <algorithm>
#include <utility>

#include "models/run/publication.h"

namespace shaduf::models {

TaskGraph::TaskGraph(const Manifest& manifest, const std::vector<const Node*>& selected) : manifest_(manifest) {
    for (const Node* node : selected) {
        index_.emplace(node->unique_id, tasks_.size());
        tasks_.emplace_back().node = node;
    }
}

void TaskGraph::order_by_inputs() {
    for (size_t i = 0; i < tasks_.size(); ++i) {
        for (const size_t input : inputs_of(*tasks_[i].node)) add_edge(input, i);
        add_edge_to_tested(i);
    }
}

void TaskGraph::block_by_tests() {
    const size_t count = tasks_.size();
    for (size_t test = 0; test < count; ++test) {
        if (!is_test(test)) continue;
        for (const size_t dependent : dependents_of_all(inputs_of(*tasks_[test].node))) {
            if (!is_test(dependent)) add_edge(test, dependent);
        }
    }
}

void TaskGraph::publish_after_tests() {
    const size_t count = tasks_.size();
    for (size_t model = 0; model < count; ++model) {
        if (publishes_after_tests(*tasks_[model].node)) add_publication(model);
    }
}

void TaskGraph::add_publication(size_t model) {
    const std::vector<size_t> readers = std::exchange(tasks_[model].dependents, {});
    const Tasks after = built_from(readers);
    const size_t publication = tasks_.size();
    tasks_.push_back({.node = tasks_[model].node, .kind = Task::Kind::publish});
    for (const size_t reader : readers) {
        --tasks_[reader].waits_for;
        const std::vector<size_t> inputs = inputs_of(*tasks_[reader].node);
        const bool is_late =
            std::any_of(inputs.begin(), inputs.end(), [&](size_t input) { return after.contains(input); });
        const bool audits = is_test(reader) && !is_late;
        add_edge(audits ? model : publication, reader);
        if (audits) add_edge(reader, publication);
    }
    add_edge(model, publication);
}

TaskGraph::Tasks TaskGraph::built_from(const std::vector<size_t>& readers) const {
    Tasks all;
    for (const size_t reader : readers) {
        if (is_test(reader) || !all.insert(reader).second) continue;
        all.merge(descendants_of(reader));
    }
    return all;
}

void TaskGraph::add_edge(size_t from, size_t to) {
    auto& dependents = tasks_[from].dependents;
    if (from == to || std::find(dependents.begin(), dependents.end(), to) != dependents.end()) return;
    dependents.push_back(to);
    ++tasks_[to].waits_for;
}

// A unit test needs what its model reads, and the model is not built before it.
void TaskGraph::add_edge_to_tested(size_t task) {
    const UnitTest* test = tasks_[task].node->unit_test;
    if (test == nullptr || test->depends_on_nodes.empty()) return;
    const auto model = index_.find(test->depends_on_nodes.front());
    if (model != index_.end()) add_edge(task, model->second);
}

// Selected nodes that this one reads, directly or through nodes that are not selected.
std::vector<size_t> TaskGraph::inputs_of(const Node& node) const {
    std::vector<size_t> inputs;
    std::vector<const Node*> open = {&node};
    std::unordered_set<std::string_view> seen;
    while (!open.empty()) {
        const Node* at = open.back();
        open.pop_back();
        for (const std::string& id : at->depends_on_nodes) {
            if (!seen.insert(id).second) continue;
            const auto known = index_.find(id);
            if (known != index_.end())
                inputs.push_back(known->second);
            else if (const Node* beyond = manifest_.node(id))
                open.push_back(beyond);
        }
    }
    return inputs;
}

// The first nodes that come after every one of `tested`.
std::vector<size_t> TaskGraph::dependents_of_all(const std::vector<size_t>& tested) const {
    if (tested.empty()) return {};
    if (tested.size() == 1) return tasks_[tested[0]].dependents;
    std::unordered_map<size_t, size_t> reached;
    for (const size_t from : tested) {
        for (const size_t task : descendants_of(from)) ++reached[task];
    }
    Tasks after;
    for (const auto& [task, times] : reached) {
        if (times == tested.size()) after.insert(task);
    }
    std::vector<size_t> first;
    for (const size_t task : after) {
        const std::vector<size_t> inputs = inputs_of(*tasks_[task].node);
        const bool is_behind = std::any_of(inputs.begin(), inputs.end(), [&](size_t in) { return after.contains(in); });
        if (!is_behind) first.push_back(task);
    }
    return first;
}

// Itself counts: a node that was tested together with its input comes after both.
TaskGraph::Tasks TaskGraph::descendants_of(size_t from) const {
    Tasks seen;
    std::vector<size_t> open = {from};
    while (!open.empty()) {
        const size_t at = open.back();
        open.pop_back();
        for (const size_t next : tasks_[at].dependents) {
            if (!is_test(next) && seen.insert(next).second) open.push_back(next);
        }
    }
    return seen;
}

}  // namespace shaduf::models
