#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/context/node_scope.h"

// Write, audit, publish. A model with `publish: after_tests` is built by `build` beside its relation, under another
// name; its tests read it there; when all of them are done and none has failed, it takes its place in one transaction.
// Until then, and for ever when a test fails, readers see what was there before, and what was built stays beside for
// who wants to know why. An incremental model grows a copy of its table.
namespace shaduf::models {

bool publishes_after_tests(const Node& node);
// invalid_config: another value of `publish`, or a node that cannot be built beside: a view or a table can, also one
// that grows.
Result<void> check_publications(std::span<const Node* const> nodes);
// Adds to the nodes of a build all tests of those that are published after them.
void add_audits(const Manifest& manifest, std::vector<const Node*>& nodes);
// The node as it is built beside: its alias with the ending __unpublished, cut where the database's names end.
Node unpublished_copy(const Node& node);

// What is built, and not published yet, of one run. Thread-safe; sessions are the callers' own.
class Publications {
public:
    explicit Publications(const ContextServices& services) : services_(services) {}

    // Readies the place beside: nothing is there, or the copy that an incremental model grows. From here to `end` no
    // other run builds the model, where the adapter can see to it.
    Result<void> begin(Session& session, const Node& node, const Node& copy);
    void built(const Node& node, Node copy);
    // Puts the copy in the node's place. On an error all is as it was. REQUIRES: it was built
    Result<void> publish(Session& session, const Node& node);
    // Whatever became of it.
    void end(const Node& node);

    // nullptr: it was not built, or is published.
    const Node* unpublished(std::string_view unique_id) const;
    // Refs of the test that `scope` is of lead to what is not published yet.
    void resolve_refs(NodeScope& scope) const;

private:
    struct Copy {
        Node node;  // kept when it is published: tests may hold it
        bool is_published = false;
    };
    Result<void> hold(const Node& node);

    const ContextServices& services_;
    mutable std::mutex mutex_;
    std::map<std::string, Copy, std::less<>> copies_;
    std::mutex holding_mutex_;
    std::unique_ptr<Session> holder_;  // of the locks, since threads may end before their models are published
    std::set<std::string> held_;       // names of relations
};

}  // namespace shaduf::models
