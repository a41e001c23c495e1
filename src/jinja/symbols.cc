#include "jinja/symbols.h"

#include <algorithm>

#include "base/assert.h"

namespace shaduf::jinja {
namespace {

constexpr int kHostLevel = -1;  // of slots that the scope of the host fills

bool holds(const std::vector<uint32_t>& names, uint32_t name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

template <typename Visit>
void each_child(const Node& node, const Visit& visit) {
    for (const Node* child : {node.a, node.b, node.c}) {
        if (child != nullptr) visit(*child);
    }
    for (const Nodes& children : {node.list, node.named, node.body, node.otherwise}) {
        for (const Node* child : children) visit(*child);
    }
}

struct UndeclaredSearch {
    std::vector<uint32_t> wanted;
    std::vector<uint32_t> found = {};

    void visit(const Node& node) {
        if (wanted.empty()) return;
        if (node.kind == NodeKind::name) {
            if (!holds(wanted, node.id)) return;
            if (node.access != Access::load) {
                std::erase(wanted, node.id);
            } else if (!holds(found, node.id)) {
                found.push_back(node.id);
            }
            return;
        }
        each_child(node, [&](const Node& child) { visit(child); });
    }
};

}  // namespace

uint32_t SlotTable::slot_of(int level, uint32_t name) {
    for (size_t i = 0; i < keys_.size(); ++i) {
        if (keys_[i].name == name && keys_[i].level == level) return static_cast<uint32_t>(i);
    }
    keys_.push_back({level, name});
    function_.slots.push_back({name, level == kHostLevel});
    return static_cast<uint32_t>(keys_.size() - 1);
}

Symbols::Symbols(const Symbols* parent, SlotTable& table)
    : parent_(parent), table_(&table), level_(parent == nullptr ? 0 : parent->level_ + 1) {}

std::optional<Symbols::Ref> Symbols::find_own(uint32_t name) const {
    for (const auto& [own, ref] : refs_) {
        if (own == name) return ref;
    }
    return std::nullopt;
}

std::optional<Symbols::Ref> Symbols::find(uint32_t name) const {
    for (const Symbols* at = this; at != nullptr; at = at->parent_) {
        if (const auto ref = at->find_own(name)) return ref;
    }
    return std::nullopt;
}

bool Symbols::stores(uint32_t name) const { return holds(stores_, name); }

void Symbols::set_load(Load load) {
    for (auto& known : loads_) {
        if (known.slot == load.slot) {
            known = load;
            return;
        }
    }
    loads_.push_back(load);
}

void Symbols::define(uint32_t name, Begin begin, Ref from) {
    const Ref ref{table_, table_->slot_of(level_, name)};
    refs_.emplace_back(name, ref);
    set_load({ref.slot, name, begin, from});
}

void Symbols::declare_parameter(uint32_t name) {
    if (!stores(name)) stores_.push_back(name);
    std::erase_if(refs_, [&](const auto& known) { return known.first == name; });
    define(name, Begin::parameter, {});
}

void Symbols::load(uint32_t name) {
    const auto ref = find(name);
    if (!ref || (ref->table != table_ && ref->table->function().slots[ref->slot].is_resolved)) {
        define(name, Begin::resolve, {});
    }
}

void Symbols::store(uint32_t name) {
    if (!stores(name)) stores_.push_back(name);
    if (find_own(name)) return;
    const auto outer = parent_ == nullptr ? std::nullopt : parent_->find(name);
    if (outer) {
        define(name, Begin::alias, *outer);
    } else {
        define(name, Begin::undefined, {});
    }
}

void Symbols::visit_parameters(const Node* target) {
    if (target->kind == NodeKind::name) {
        declare_parameter(target->id);
        return;
    }
    for (const Node* item : target->list) visit_parameters(item);
}

void Symbols::visit_all(Nodes nodes) {
    for (const Node* node : nodes) visit(node);
}

// Nested scopes are not entered: they have symbols of their own.
void Symbols::visit(const Node* node) {
    switch (node->kind) {
        case NodeKind::name:
            if (node->access == Access::parameter) {
                declare_parameter(node->id);
            } else if (node->access == Access::store) {
                store(node->id);
            } else {
                load(node->id);
            }
            break;
        case NodeKind::ns_ref: load(node->id); break;
        case NodeKind::condition: visit_condition(*node); break;
        case NodeKind::macro:
            if (node->flag) store(node->id);
            break;
        case NodeKind::set:
            visit(node->b);
            visit(node->a);
            break;
        case NodeKind::set_block: visit(node->a); break;
        case NodeKind::for_loop: visit(node->b); break;
        case NodeKind::call_block:
        case NodeKind::filter_block: visit(node->a); break;
        case NodeKind::with: visit_all(node->named); break;
        default: each_child(*node, [&](const Node& child) { visit(&child); });
    }
}

void Symbols::visit_condition(const Node& node) {
    visit(node.a);
    std::vector<Symbols> branches(2, *this);
    branches[0].visit_all(node.body);
    branches[1].visit_all(node.otherwise);
    branch_update(branches);
}

void Symbols::branch_update(const std::vector<Symbols>& branches) {
    std::vector<uint32_t> stored;
    for (const auto& branch : branches) {
        for (const uint32_t name : branch.stores_) {
            if (!stores(name) && !holds(stored, name)) stored.push_back(name);
        }
    }
    for (const auto& branch : branches) {
        for (const auto& [name, ref] : branch.refs_) {
            if (!find_own(name)) refs_.emplace_back(name, ref);
        }
        for (const auto& load : branch.loads_) set_load(load);
    }
    for (const uint32_t name : stored) {
        stores_.push_back(name);
        const Ref target = *find_own(name);
        const auto outer = parent_ == nullptr ? std::nullopt : parent_->find(name);
        set_load({target.slot, name, outer ? Begin::alias : Begin::resolve, outer.value_or(Ref{})});
    }
}

void Symbols::settle() {
    for (auto& [name, ref] : refs_) {
        const auto load = std::find_if(loads_.begin(), loads_.end(),
                                       [slot = ref.slot](const Load& known) { return known.slot == slot; });
        if (load == loads_.end() || load->begin != Begin::resolve || stores(name)) continue;
        loads_.erase(load);
        ref.slot = table_->slot_of(kHostLevel, name);
    }
}

Symbols::Ref Symbols::ref(uint32_t name) const {
    const auto found = find(name);
    SHADUF_ASSERT(found.has_value());
    return *found;
}

std::vector<uint32_t> find_undeclared(Nodes nodes, std::vector<uint32_t> names) {
    UndeclaredSearch search{std::move(names)};
    for (const Node* node : nodes) search.visit(*node);
    return search.found;
}

bool has_store_of(const Node& node, uint32_t name) {
    if (node.kind == NodeKind::name) return node.id == name && node.access == Access::store;
    bool found = false;
    each_child(node, [&](const Node& child) { found = found || has_store_of(child, name); });
    return found;
}

}  // namespace shaduf::jinja
