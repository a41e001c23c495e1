#include "models/plan/changes.h"

#include <algorithm>
#include <unordered_map>

namespace shaduf::models {
namespace {

using What = ChangeReason::What;

bool is_built(ResourceType type) {
    return type == ResourceType::model || type == ResourceType::seed || type == ResourceType::snapshot;
}

// Whether rows may come out otherwise, here or in what reads it.
bool changes_rows(const ChangeReason& reason) {
    return reason.what != What::descriptions && reason.what != What::properties;
}

class ChangeFinder {
public:
    explicit ChangeFinder(const ChangeInputs& inputs) : inputs_(inputs), reached_(inputs.members.size()) {
        for (uint32_t i = 0; i < inputs.members.size(); ++i) {
            const Member& member = inputs.members[i];
            const bool counts = (member.node != nullptr && is_built(member.type)) || member.source != nullptr;
            if (counts) add_own(i, member);
        }
        MemberSet changing(inputs.members.size());
        for (const uint32_t source : sources_) changing.add(source);
        reached_ = inputs.members.reach(changing, Members::Direction::after, std::nullopt);
    }

    std::vector<PlannedNode> find() {
        std::vector<PlannedNode> planned;
        for (uint32_t i = 0; i < inputs_.members.size(); ++i) {
            const Member& member = inputs_.members[i];
            if (member.node == nullptr || !is_built(member.type)) continue;
            PlannedNode node = plan(i, member);
            const bool is_same = node.reasons.empty() && node.kind == ChangeKind::changed;
            if (!is_same) planned.push_back(std::move(node));
        }
        add_removed(planned);
        return planned;
    }

private:
    void add_own(uint32_t index, const Member& member) {
        std::vector<ChangeReason> reasons = own_reasons(member);
        const bool is_new = member.node != nullptr && *inputs_.comparison.is("new", member);
        const bool is_absent = inputs_.absent.contains(std::string(member.unique_id));
        if (is_new || is_absent || std::any_of(reasons.begin(), reasons.end(), changes_rows)) sources_.insert(index);
        own_.emplace(index, std::move(reasons));
    }

    std::vector<ChangeReason> own_reasons(const Member& member) const {
        const StateComparison& comparison = inputs_.comparison;
        std::vector<ChangeReason> reasons;
        if (*comparison.is("new", member) || !*comparison.is("modified", member)) return reasons;
        const bool is_seed = member.type == ResourceType::seed;
        if (*comparison.is("modified.body", member)) reasons.push_back({is_seed ? What::rows : What::own_sql});
        if (auto keys = comparison.changed_settings(member); !keys.empty()) {
            std::sort(keys.begin(), keys.end());
            reasons.push_back({What::config, std::move(keys)});
        }
        if (auto macros = comparison.edited_macros(member); !macros.empty())
            reasons.push_back({What::macro, std::move(macros)});
        if (*comparison.is("modified.relation", member)) reasons.push_back({What::relation});
        if (*comparison.is("modified.contract", member)) reasons.push_back({What::contract});
        if (*comparison.is("modified.persisted_descriptions", member)) reasons.push_back({What::descriptions});
        if (reasons.empty()) reasons.push_back({What::properties});
        return reasons;
    }

    PlannedNode plan(uint32_t index, const Member& member) const {
        PlannedNode node;
        node.unique_id = member.unique_id;
        node.name = member.name;
        node.type = member.type;
        node.node = member.node;
        node.reasons = own_.at(index);
        const YamlNode* old = inputs_.state.find(member.unique_id);
        if (old != nullptr) {
            node.old_sql = (*old)["compiled_code"].text();
            if (node.old_sql.empty() && member.type != ResourceType::seed) node.old_sql = (*old)["raw_code"].text();
        }
        const bool is_absent = inputs_.absent.contains(node.unique_id);
        if (*inputs_.comparison.is("new", member))
            node.kind = ChangeKind::added;
        else if (!node.reasons.empty())
            node.kind = ChangeKind::changed;
        else if (is_absent)
            node.kind = ChangeKind::missing;
        add_upstream(index, node);
        return node;
    }

    void add_upstream(uint32_t index, PlannedNode& node) const {
        if (!reached_.has(index)) return;
        MemberSet self(inputs_.members.size());
        self.add(index);
        std::vector<std::string> names;
        for (const uint32_t above : inputs_.members.reach(self, Members::Direction::before, std::nullopt).indexes()) {
            if (above != index && sources_.contains(above)) names.emplace_back(inputs_.members[above].unique_id);
        }
        if (names.empty()) return;
        const bool is_reason = node.kind == ChangeKind::changed && node.reasons.empty();
        if (is_reason) node.kind = ChangeKind::upstream;
        std::sort(names.begin(), names.end());
        node.reasons.push_back({What::upstream, std::move(names)});
    }

    void add_removed(std::vector<PlannedNode>& planned) const {
        for (const YamlEntry& entry : inputs_.state.manifest()["nodes"].entries()) {
            const YamlNode& old = entry.value;
            const std::string_view type = old["resource_type"].text();
            const bool was_built = type == "model" || type == "seed" || type == "snapshot";
            if (!was_built || inputs_.members.find(entry.key.text())) continue;
            PlannedNode node;
            node.unique_id = entry.key.text();
            node.name = old["name"].text();
            node.type = type == "seed"       ? ResourceType::seed
                        : type == "snapshot" ? ResourceType::snapshot
                                             : ResourceType::model;
            node.kind = ChangeKind::removed;
            node.materialized = old["config"]["materialized"].text();
            node.path = {std::nullopt, std::string(old["schema"].text()), std::string(old["alias"].text())};
            if (!old["database"].is_null()) node.path.database = old["database"].text();
            node.effect = TableEffect::kept;
            planned.push_back(std::move(node));
        }
    }

    const ChangeInputs& inputs_;
    std::unordered_map<uint32_t, std::vector<ChangeReason>> own_;
    std::set<uint32_t> sources_;  // of changes downstream
    MemberSet reached_;           // by them
};

}  // namespace

std::vector<PlannedNode> find_changes(const ChangeInputs& inputs) { return ChangeFinder(inputs).find(); }

}  // namespace shaduf::models
