#include "models/select/selector.h"

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "models/select/methods.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

bool is_test(const Member& member) {
    return member.type == ResourceType::test || member.type == ResourceType::unit_test;
}

Error no_state(const Criterion& criterion, std::string_view artifact) {
    return {ErrorKind::invalid_config, "the selector " + criterion.raw +
                                           " compares with another run, but there is no " + std::string(artifact) +
                                           " of one; give its folder with --state"};
}

std::unordered_set<std::string> ids_with_status(const YamlNode& results, std::string_view status) {
    std::unordered_set<std::string> ids;
    for (const YamlNode& result : results["results"].items()) {
        if (result["status"].text() == status) ids.emplace(result["unique_id"].text());
    }
    return ids;
}

// Sources whose newest row is newer than it was.
std::unordered_set<std::string> fresher_sources(const YamlNode& before, const YamlNode& now) {
    const auto loaded = [](const YamlNode& sources) {
        std::unordered_map<std::string, std::string> times;
        for (const YamlNode& result : sources["results"].items()) {
            if (result.find("max_loaded_at") != nullptr)
                times.emplace(result["unique_id"].text(), result["max_loaded_at"].text());
        }
        return times;
    };
    const auto old = loaded(before);
    std::unordered_set<std::string> ids;
    for (const auto& [id, time] : loaded(now)) {
        const auto known = old.find(id);
        if (known == old.end() || time > known->second) ids.insert(id);
    }
    return ids;
}

}  // namespace

Result<MemberSet> Selector::select(const SelectionSpec& spec) { return TRY(evaluate(spec)).direct; }

Result<Selector::Selected> Selector::evaluate(const SelectionSpec& spec) {
    if (spec.kind == SelectionSpec::Kind::criterion) return evaluate(spec.criterion);
    MemberSet direct(members_.size()), all(members_.size());
    bool is_first = true;
    for (const SelectionSpec& part : spec.parts) {
        Selected selected = TRY(evaluate(part));
        selected.indirect |= selected.direct;
        if (is_first || spec.kind == SelectionSpec::Kind::union_of) {
            direct |= selected.direct;
            all |= selected.indirect;
        } else if (spec.kind == SelectionSpec::Kind::intersection) {
            direct &= selected.direct;
            all &= selected.indirect;
        } else {
            direct -= selected.direct;
            all -= selected.indirect;
        }
        is_first = false;
    }
    direct = with_whole_tests(std::move(direct), all, spec.indirect);
    if (spec.warns_when_empty && direct.empty() && world_.warn) {
        world_.warn("The selection criterion '" + spec.raw + "' does not match any enabled nodes");
    }
    return Selected{std::move(direct), std::move(all)};
}

Result<Selector::Selected> Selector::evaluate(const Criterion& criterion) {
    MemberSet found = TRY(search(criterion));
    found |= neighbors(criterion, found);
    return with_tests(std::move(found), criterion.indirect);
}

Result<MemberSet> Selector::search(const Criterion& criterion) {
    switch (criterion.method) {
        case SelectMethod::state:
        case SelectMethod::result:
        case SelectMethod::source_status: return search_state(criterion);
        case SelectMethod::selector: return search_selector(criterion);
        default: break;
    }
    const MemberTest test = TRY(member_test(criterion, {world_.manifest.root_package, world_.project_root}));
    MemberSet found(members_.size());
    for (size_t i = 0; i < members_.size(); ++i) {
        if (test(members_, i)) found.add(i);
    }
    return found;
}

Result<MemberSet> Selector::search_selector(const Criterion& criterion) {
    static const YamlSelectors kNone;
    const YamlSelectors& selectors = world_.selectors == nullptr ? kNone : *world_.selectors;
    return select(*TRY(selectors.find(criterion.value)));
}

Result<MemberSet> Selector::search_state(const Criterion& criterion) {
    MemberSet found(members_.size());
    const PreviousState* state = world_.state;
    if (criterion.method == SelectMethod::state) {
        if (state == nullptr || !state->has_manifest()) return no_state(criterion, "manifest.json");
        if (!comparison_) comparison_ = std::make_unique<StateComparison>(world_.manifest, *state);
        const auto words = StateComparison::words();
        if (std::find(words.begin(), words.end(), criterion.value) == words.end()) {
            return Error(ErrorKind::invalid_config,
                         "Got an invalid selector \"" + criterion.raw + "\", expected one of " + join(words, ", "));
        }
        for (size_t i = 0; i < members_.size(); ++i) {
            if (comparison_->is(criterion.value, members_[i]).value_or(false)) found.add(i);
        }
        return found;
    }
    std::unordered_set<std::string> ids;
    if (criterion.method == SelectMethod::result) {
        if (state == nullptr || !state->has_results()) return no_state(criterion, "run_results.json");
        ids = ids_with_status(state->results(), criterion.value);
    } else {
        if (state == nullptr || !state->sources().is_map()) return no_state(criterion, "sources.json");
        if (!state->current_sources().is_map()) {
            return Error(ErrorKind::invalid_config,
                         "the selector " + criterion.raw + " needs the sources.json of now, too; run source freshness");
        }
        if (criterion.value == "fresher") ids = fresher_sources(state->sources(), state->current_sources());
    }
    for (const std::string& id : ids) {
        if (const auto index = members_.find(id)) found.add(*index);
    }
    return found;
}

MemberSet Selector::neighbors(const Criterion& criterion, const MemberSet& found) const {
    using Direction = Members::Direction;
    MemberSet more(members_.size());
    if (criterion.children_parents) {
        MemberSet after = members_.reach(found, Direction::after, std::nullopt);
        after |= found;
        more |= after;
        more |= members_.reach(after, Direction::before, std::nullopt);
    }
    if (criterion.parents) more |= members_.reach(found, Direction::before, criterion.parents_depth);
    if (criterion.children) more |= members_.reach(found, Direction::after, criterion.children_depth);
    return more;
}

bool Selector::reads_only(size_t test, const MemberSet& from) const {
    const auto* reads = members_[test].reads;
    if (reads == nullptr) return true;
    return std::all_of(reads->begin(), reads->end(), [&](const std::string& id) {
        const auto index = members_.find(id);
        return index && from.has(*index);
    });
}

Selector::Selected Selector::with_tests(MemberSet selected, IndirectSelection indirect) const {
    MemberSet waiting(members_.size());
    if (indirect == IndirectSelection::empty) return {std::move(selected), std::move(waiting)};
    MemberSet buildable(members_.size());
    if (indirect == IndirectSelection::buildable) {
        buildable = members_.reach(selected, Members::Direction::before, std::nullopt);
        buildable |= selected;
        for (size_t i = 0; i < members_.size(); ++i) {
            if (members_[i].source != nullptr) buildable.add(i);
        }
    }
    MemberSet direct = selected;
    for (const uint32_t at : selected.indexes()) {
        for (const uint32_t child : members_.children(at)) {
            if (!is_test(members_[child])) continue;
            const bool comes = indirect == IndirectSelection::eager || reads_only(child, selected) ||
                               (indirect == IndirectSelection::buildable && reads_only(child, buildable));
            (comes ? direct : waiting).add(child);
        }
    }
    return {std::move(direct), std::move(waiting)};
}

// Tests that waited for a node which another criterion brought.
MemberSet Selector::with_whole_tests(MemberSet direct, const MemberSet& indirect, IndirectSelection how) const {
    if (direct == indirect || how == IndirectSelection::eager || how == IndirectSelection::empty) return direct;
    MemberSet from = direct;
    if (how == IndirectSelection::buildable) {
        from |= members_.reach(direct, Members::Direction::before, std::nullopt);
    }
    for (const uint32_t index : indirect.indexes()) {
        if (members_[index].node != nullptr && reads_only(index, from)) direct.add(index);
    }
    return direct;
}

}  // namespace shaduf::models
