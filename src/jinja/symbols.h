#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "jinja/ast.h"
#include "jinja/program.h"

namespace shaduf::jinja {

// A function while it is compiled: gives slots to the names of its scopes.
class SlotTable {
public:
    explicit SlotTable(Routine& function) : function_(function) {}
    Routine& function() const { return function_; }
    // The slot of a name in the scopes of that level; scopes of one level share it, one after the other.
    uint32_t slot_of(int level, uint32_t name);

private:
    struct Key {
        int level;
        uint32_t name;
    };
    Routine& function_;
    std::vector<Key> keys_;  // of each slot
};

// What the names of a scope mean. The rules are those of jinja2: what a scope sets is its own, and begins as what the
// scope around it has at that moment; what it only reads is that of the scope around it, or of the host. Branches of an
// `if` are no scopes; what only some of them set begins as what is around.
class Symbols {
public:
    struct Ref {
        const SlotTable* table = nullptr;
        uint32_t slot = 0;
        bool operator==(const Ref&) const = default;
    };
    enum class Begin : uint8_t { parameter, undefined, alias, resolve };
    struct Load {
        uint32_t slot;
        uint32_t name;
        Begin begin;
        Ref from;  // of an alias
    };

    // A scope within `parent`, or the first one of a function.
    Symbols(const Symbols* parent, SlotTable& table);

    // Gives the scope slots that are no others': the condition of a loop runs while its body does.
    void set_apart() { level_ += kApart; }
    void declare_parameter(uint32_t name);
    void visit(const Node* node);
    void visit_all(Nodes nodes);
    // Marks names of a target as parameters.
    void visit_parameters(const Node* target);
    // Called once all is visited: names that are only read get a slot that the scope of the host fills.
    void settle();

    // REQUIRES: visited and settled
    Ref ref(uint32_t name) const;
    const std::vector<Load>& loads() const { return loads_; }
    SlotTable& table() const { return *table_; }

private:
    static constexpr int kApart = 1000;
    void load(uint32_t name);
    void store(uint32_t name);
    void visit_condition(const Node& node);
    void branch_update(const std::vector<Symbols>& branches);
    void define(uint32_t name, Begin begin, Ref from);
    void set_load(Load load);
    std::optional<Ref> find(uint32_t name) const;
    std::optional<Ref> find_own(uint32_t name) const;
    bool stores(uint32_t name) const;

    const Symbols* parent_;
    SlotTable* table_;
    int level_;
    std::vector<std::pair<uint32_t, Ref>> refs_;
    std::vector<Load> loads_;
    std::vector<uint32_t> stores_;
};

// Which of `names` are read in the nodes before they are set there, nested scopes and all.
std::vector<uint32_t> find_undeclared(Nodes nodes, std::vector<uint32_t> names);
// Whether a name is set anywhere in the node.
bool has_store_of(const Node& node, uint32_t name);

}  // namespace shaduf::jinja
