#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

// The tree of a template. Lives in an Arena, which is dropped whole once the code is made.
namespace shaduf::jinja {

// Memory for many small things that go away together; their destructors do not run.
class Arena {
public:
    void* allocate(size_t bytes) {
        bytes = (bytes + 7) & ~size_t{7};
        if (bytes > left_) grow(bytes);
        std::byte* const at = next_;
        next_ += bytes;
        left_ -= bytes;
        return at;
    }

private:
    static constexpr size_t kBlockBytes = 16 * 1024;
    void grow(size_t bytes) {
        const size_t size = bytes > kBlockBytes ? bytes : kBlockBytes;
        blocks_.push_back(std::unique_ptr<std::byte[]>(new std::byte[size]));
        next_ = blocks_.back().get();
        left_ = size;
    }
    std::vector<std::unique_ptr<std::byte[]>> blocks_;
    std::byte* next_ = nullptr;
    size_t left_ = 0;
};

enum class NodeKind : uint8_t {
    // expressions
    constant,     // id: of the constants
    name,         // id: of the names; access
    ns_ref,       // id.other of a namespace, as a target
    attribute,    // a.id
    item,         // a[b]
    slice,        // a:b:c, as the b of an item
    call,         // a(list, named, *b, **c)
    filter,       // a|id(...) as a call; a is null at the head of a filter block
    test,         // a is id(...)
    keyword,      // id=a
    binary,       // a op b
    unary,        // op a
    concat,       // list, joined by ~
    compare,      // a, then the operands of list
    operand,      // op a
    logic_and,    // a and b
    logic_or,     // a or b
    logic_not,    // not a
    conditional,  // b if a else c
    tuple,        // list
    list,         // list
    dict,         // list of pairs
    pair,         // a: b
    // statements
    data,          // id: of the texts
    output,        // {{ a }}
    set,           // a = b
    set_block,     // a, filters b, body
    for_loop,      // a in b if c: body, else other; flag: whether it is recursive
    condition,     // if a: body, else other
    macro,         // id(list=named): body; flag: whether the name is set
    call_block,    // (list=named) a: body
    filter_block,  // filters a, body
    with,          // list = named: body
    run,           // do a
    break_loop,
    continue_loop,
};

enum class Operation : uint8_t {
    none,
    add,
    sub,
    mul,
    div,
    floordiv,
    mod,
    pow,
    negate,
    plus,
    eq,
    ne,
    lt,
    lteq,
    gt,
    gteq,
    in,
    not_in,
};

enum class Access : uint8_t { load, store, parameter };

struct Node;
using Nodes = std::span<Node* const>;

struct Node {
    NodeKind kind;
    Operation op = Operation::none;
    Access access = Access::load;
    bool flag = false;
    bool is_folded = false;
    uint16_t height = 1;
    uint32_t begin = 0;  // bytes of the source
    uint32_t end = 0;
    uint32_t id = 0;
    uint32_t other = 0;
    Node* a = nullptr;
    Node* b = nullptr;
    Node* c = nullptr;
    Nodes list = {};
    Nodes named = {};
    Nodes body = {};
    Nodes otherwise = {};
};

}  // namespace shaduf::jinja
