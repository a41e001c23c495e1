#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/command/invocation.h"
#include "models/select/selector.h"

namespace shaduf::models {

// What the flags of a command select: --select, --exclude, --selector, --resource-type, --state, ... of a project that
// was parsed. Outlived by the invocation.
class CommandSelection {
public:
    // invalid_config: flags, selectors.yml or the state are wrong.
    static Result<std::unique_ptr<CommandSelection>> open(Invocation& invocation);

    // Of the types that the verb takes, in the order of their unique ids.
    Result<std::vector<const Member*>> select();
    // --defer: gives the services what refs fall back on. invalid_config: there is no state, or no manifest in it.
    Result<void> defer();
    const PreviousState* state() const { return state_ ? &*state_ : nullptr; }
    // Those of selectors.yml, as the manifest has them.
    std::string selectors_json() const { return selectors_.json(); }

private:
    explicit CommandSelection(Invocation& invocation) : invocation_(invocation) {}
    Result<void> read_selectors();
    Selector& selector();  // made when it is asked for: it looks at every node
    Result<SelectionSpec> spec() const;
    Result<std::vector<ResourceType>> types() const;

    Invocation& invocation_;
    IndirectSelection indirect_ = IndirectSelection::eager;
    std::optional<PreviousState> state_;
    YamlSelectors selectors_;
    std::unique_ptr<Selector> selector_;
};

// Those that are run: models, seeds, snapshots, tests, analyses.
std::vector<const Node*> nodes_of(const std::vector<const Member*>& members);

}  // namespace shaduf::models
