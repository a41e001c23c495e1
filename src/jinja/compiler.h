#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "jinja/ast.h"
#include "jinja/names.h"
#include "jinja/program.h"
#include "jinja/symbols.h"

namespace shaduf::jinja {

// A tree to the functions of a program.
class Compiler {
public:
    Compiler(Program& program, Names& names);
    Result<void> run(Nodes body);

private:
    // What is being compiled into: a function, and the loops and captures that are open in it.
    struct Loop {
        size_t captures;
        std::vector<size_t> ends;  // jumps to its end
        size_t next;               // where the next item is taken
    };
    struct Target {
        SlotTable slots;
        std::vector<Loop> loops = {};
        size_t captures = 0;
    };

    Result<void> compile_all(Nodes nodes, const Symbols& scope);
    Result<void> compile(Node& node, const Symbols& scope);
    Result<void> compile_output(Node& node, const Symbols& scope);
    Result<void> compile_set(Node& node, const Symbols& scope);
    Result<void> compile_set_block(Node& node, const Symbols& scope);
    Result<void> compile_condition(Node& node, const Symbols& scope);
    Result<void> compile_for(Node& node, const Symbols& scope);
    Result<void> compile_recursive_for(Node& node, const Symbols& scope);
    Result<void> compile_loop(Node& node, const Symbols& scope);
    Result<size_t> compile_loop_condition(Node& node, const Symbols& scope);
    Result<void> compile_loop_jump(const Node& node);
    Result<void> compile_macro(Node& node, const Symbols& scope);
    Result<uint32_t> compile_function(Node& node, Routine::Kind kind, const Symbols& scope);
    Result<void> declare_specials(const Node& node, Routine& function, Symbols& symbols);
    Result<void> compile_defaults(const Node& node, const Symbols& scope);
    Result<void> compile_call_block(Node& node, const Symbols& scope);
    Result<void> compile_filter_block(Node& node, const Symbols& scope);
    Result<void> compile_with(Node& node, const Symbols& scope);
    Result<void> compile_target(const Node& node, const Symbols& scope);
    void check_namespaces(const Node& target, const Symbols& scope);

    Result<void> compile_expression(Node& node, const Symbols& scope);
    Result<void> compile_each(Nodes nodes, const Symbols& scope);
    Result<void> compile_logic(Node& node, const Symbols& scope);
    Result<void> compile_compare(Node& node, const Symbols& scope);
    Result<void> compile_conditional(Node& node, const Symbols& scope);
    Result<void> compile_item(Node& node, const Symbols& scope);
    Result<void> compile_call(Node& node, const Symbols& scope, std::optional<uint32_t> caller);
    Result<void> compile_filter(Node& node, const Symbols& scope);
    Result<void> compile_arguments(Node& node, const Symbols& scope);
    uint32_t add_signature(const Node& node, const Builtin* builtin, bool has_caller = false);
    void fold(Node& node);
    void make_constant(Node& node, Value value);

    void enter(const Symbols& scope);
    void load(uint32_t name, const Symbols& scope, uint32_t begin);
    void load_slot(Symbols::Ref ref, Op op, uint32_t begin);
    size_t emit(Op op, uint32_t begin, size_t a = 0, size_t small = 0);
    void patch(size_t jump) { function().code[jump].a = static_cast<uint32_t>(function().code.size()); }
    size_t position() { return function().code.size(); }
    Routine& function() { return target_->slots.function(); }
    Routine& add_function(Routine::Kind kind, uint32_t name);
    uint32_t constant(Value value);
    Error fail(uint32_t at, std::string message) const;

    Program& program_;
    Names& names_;
    Target* target_ = nullptr;
    uint32_t loop_;
    uint32_t caller_;
    uint32_t kwargs_;
    uint32_t varargs_;
};

}  // namespace shaduf::jinja
