#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "models/manifest.h"

namespace shaduf::models {

// One thing that a run does, and what waits for it. By index of the graph's table.
struct Task {
    enum class Kind : uint8_t {
        run,
        publish,  // a model that was built beside, when its tests have passed
    };
    const Node* node = nullptr;
    Kind kind = Kind::run;
    std::vector<size_t> dependents;
    size_t waits_for = 0;  // how many tasks that are not done yet
    bool is_skipped = false;
    std::string cause;  // what made it be skipped
};

// The selected nodes and the order among them. Edges are found over nodes that are not selected. Made by one thread;
// who runs the tasks guards them.
class TaskGraph {
public:
    // All outlive it.
    TaskGraph(const Manifest& manifest, const std::vector<const Node*>& selected);

    // Without it, nobody waits for anybody. REQUIRES: before all others
    void order_by_inputs();

    // A model with `publish: after_tests` stands before its tests alone; whoever else reads it waits for its
    // publication, a task of its own. A test that also reads what is built from the model comes behind that.
    // REQUIRES: before block_by_tests
    void publish_after_tests();
    // Whoever reads a tested node waits for its tests as well; a test of several nodes blocks those that come after
    // all of them.
    void block_by_tests();

    std::vector<Task>& tasks() { return tasks_; }

private:
    using Tasks = std::unordered_set<size_t>;
    void add_edge(size_t from, size_t to);
    void add_edge_to_tested(size_t task);
    void add_publication(size_t model);
    std::vector<size_t> inputs_of(const Node& node) const;
    std::vector<size_t> dependents_of_all(const std::vector<size_t>& tested) const;
    Tasks descendants_of(size_t from) const;
    Tasks built_from(const std::vector<size_t>& readers) const;
    bool is_test(size_t task) const { return tasks_[task].node->type == ResourceType::test; }

    const Manifest& manifest_;
    std::vector<Task> tasks_;
    std::unordered_map<std::string_view, size_t> index_;  // of those that run, by unique id
};

}  // namespace shaduf::models
