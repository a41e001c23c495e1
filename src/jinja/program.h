#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/template.h"
#include "jinja/value.h"

// What a template is compiled to: functions of a stack machine.
namespace shaduf::jinja {

struct Builtin;

enum class Op : uint8_t {
    constant,  // -> constants[a]
    load,      // -> slot a, of the function `small` levels out; undefined when it was never set
    load_raw,  // the same, but keeps "never set" as it is, for a slot of an inner scope
    store,     // slot a of this function <-
    clear,     // slot a was never set
    resolve,   // slot a <- what the scope knows by its name
    pop,
    emit,           // x ->, printed
    emit_text,      // prints texts[a]
    emit_constant,  // prints constants[a]
    add,            // the binary ones: x y -> x op y
    sub,
    mul,
    div,
    floordiv,
    mod,
    pow,
    eq,
    ne,
    lt,
    lteq,
    gt,
    gteq,
    in,
    not_in,
    negate,
    plus,
    logic_not,
    concat,           // a values -> their texts joined
    jump,             // to a
    jump_if_false,    // x ->
    jump_if_true,     // x ->
    and_jump,         // x: to a when false, and x stays; else x goes
    or_jump,          // x: to a when true, and x stays; else x goes
    chain_jump,       // y c -> y when c is true; else to a with c alone: of chained comparisons
    duplicate_under,  // x y -> y x y
    make_list,        // of a values
    make_tuple,
    make_dict,        // of a pairs
    slice,            // x begin end step -> x[begin:end:step]
    no_else,          // -> undefined, of an inline if without else
    attribute,        // x -> x.names[a]
    item,             // x y -> x[y]
    call,             // f args... -> f(args...), as signatures[a] says
    call_method,      // x args... -> x.names[small](args...), as signatures[a] says
    filter,           // x args... -> x|names[small](...), as signatures[a] says
    test,             // the same of tests
    loop_begin,       // x -> starts a loop over it; a: begin of the code of its condition; 0: it has none
    loop_next,        // -> the next item, or to a at the end, which ends the loop
    loop_object,      // -> the `loop` of the innermost one
    loop_end,         // ends the innermost loop
    loop_call,        // x -> runs functions[a], the body of a recursive loop, over x and prints it
    loop_complete,    // a body of the innermost loop was run to its end
    loop_else,        // -> whether no body of the loop that ended last was run to its end
    end_condition,    // x -> ends the code of a loop's condition
    unpack,           // x -> its a items, the first on top
    check_namespace,  // x ->, which is a namespace, or an error
    set_attribute,    // x namespace -> namespace.names[a] = x
    capture_begin,    // what is printed from here on is kept aside
    capture_end,      // -> the text
    make_macro,       // -> functions[a], with what it can see from here
    default_jump,     // to a when the parameter in slot `small` was given
    finish,
};

struct Instruction {
    Op op;
    uint16_t small = 0;
    uint32_t a = 0;
};

// How a call passes its arguments: on the stack lie the positional ones, the named ones, then those of * and of **.
struct Signature {
    uint16_t positional = 0;
    bool has_list = false;
    bool has_dict = false;
    std::vector<uint32_t> names;
    const Builtin* builtin = nullptr;  // of a filter or a test; null: the host's

    size_t size() const { return positional + names.size() + (has_list ? 1U : 0U) + (has_dict ? 1U : 0U); }
};

struct Slot {
    uint32_t name = 0;
    bool is_resolved = false;  // when it was never set, the scope is asked
};

// The top of a template, a macro, the body of a call block or of a recursive loop.
struct Routine {
    enum class Kind : uint8_t { top, macro, block, loop };
    Kind kind = Kind::top;
    uint32_t name = 0;
    const Routine* outer = nullptr;
    uint32_t parameters = 0;  // the first slots
    std::vector<Slot> slots;
    int32_t caller_slot = -1;
    int32_t kwargs_slot = -1;
    int32_t varargs_slot = -1;
    uint32_t defaults = 0;  // of the last parameters
    bool has_default(size_t parameter) const { return parameter + defaults >= parameters; }
    bool needs_top = false;  // reads what the top sets: that runs before
    std::vector<Instruction> code;
    std::vector<uint32_t> places;  // bytes of the source, one an instruction
};

struct Program {
    std::string name;
    std::string source;
    std::vector<std::string_view> names;  // into the source, or of static life
    std::vector<Value> constants;
    std::vector<std::string_view> texts;  // into the source
    std::vector<Signature> signatures;
    std::vector<std::unique_ptr<Routine>> functions;  // the first is the top
    std::vector<Definition> definitions;
    std::vector<CallSite> calls;
    bool is_plain = false;
    bool is_expression = false;  // the whole text is one {{ ... }}

    std::string_view body() const { return std::string_view(source).substr(0, body_size); }
    size_t body_size = 0;  // the source, less the newline that rendering drops
};

}  // namespace shaduf::jinja
