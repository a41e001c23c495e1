#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "models/select/members.h"
#include "models/select/previous_state.h"
#include "models/select/spec.h"
#include "models/select/yaml_selectors.h"

namespace shaduf::models {

// Finds what a selection means in a project, by dbt's rules. One thread; outlived by all that it is given.
class Selector {
public:
    struct World {
        const Manifest& manifest;
        std::string project_root;                  // of path:
        const PreviousState* state = nullptr;      // of state:, result:, source_status:
        const YamlSelectors* selectors = nullptr;  // of selector:
        std::function<void(const std::string&)> warn = {};
    };
    explicit Selector(World world) : world_(std::move(world)), members_(world_.manifest) {}

    // All that is selected, of any type. Errors are those of a method: a value that it does not know.
    Result<MemberSet> select(const SelectionSpec& spec);
    const Members& members() const { return members_; }

private:
    // Tests that came only half: they wait for their other nodes.
    struct Selected {
        MemberSet direct;
        MemberSet indirect;
    };
    Result<Selected> evaluate(const SelectionSpec& spec);
    Result<Selected> evaluate(const Criterion& criterion);
    Result<MemberSet> search(const Criterion& criterion);
    Result<MemberSet> search_state(const Criterion& criterion);
    Result<MemberSet> search_selector(const Criterion& criterion);
    MemberSet neighbors(const Criterion& criterion, const MemberSet& found) const;
    Selected with_tests(MemberSet selected, IndirectSelection indirect) const;
    MemberSet with_whole_tests(MemberSet direct, const MemberSet& indirect, IndirectSelection how) const;
    bool reads_only(size_t test, const MemberSet& from) const;

    const World world_;
    const Members members_;
    std::unique_ptr<StateComparison> comparison_;
};

}  // namespace shaduf::models
