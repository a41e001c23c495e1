#include "jinja/compiler.h"

#include <algorithm>

#include "jinja/lexer.h"

namespace shaduf::jinja {

Compiler::Compiler(Program& program, Names& names)
    : program_(program),
      names_(names),
      loop_(names.id_of("loop")),
      caller_(names.id_of("caller")),
      kwargs_(names.id_of("kwargs")),
      varargs_(names.id_of("varargs")) {}

Error Compiler::fail(uint32_t at, std::string message) const {
    return syntax_error(program_.name, program_.body(), at, std::move(message));
}

Routine& Compiler::add_function(Routine::Kind kind, uint32_t name) {
    auto made = std::make_unique<Routine>();
    made->kind = kind;
    made->name = name;
    made->outer = target_ == nullptr ? nullptr : &function();
    program_.functions.push_back(std::move(made));
    return *program_.functions.back();
}

size_t Compiler::emit(Op op, uint32_t begin, size_t a, size_t small) {
    function().code.push_back({op, static_cast<uint16_t>(small), static_cast<uint32_t>(a)});
    function().places.push_back(begin);
    return function().code.size() - 1;
}

uint32_t Compiler::constant(Value value) {
    program_.constants.push_back(std::move(value));
    return static_cast<uint32_t>(program_.constants.size() - 1);
}

Result<void> Compiler::run(Nodes body) {
    constexpr size_t kNamesMax = 60'000;
    if (program_.names.size() > kNamesMax) return fail(0, "too many names in one template");
    Target target{SlotTable(add_function(Routine::Kind::top, 0))};
    target_ = &target;
    Symbols symbols(nullptr, target.slots);
    symbols.visit_all(body);
    symbols.settle();
    enter(symbols);
    TRY(compile_all(body, symbols));
    emit(Op::finish, static_cast<uint32_t>(program_.body_size));
    return {};
}

// What the names of a scope are when it begins.
void Compiler::enter(const Symbols& scope) {
    for (const auto& load : scope.loads()) {
        switch (load.begin) {
            case Symbols::Begin::parameter: break;
            case Symbols::Begin::undefined: emit(Op::clear, 0, load.slot); break;
            case Symbols::Begin::resolve: emit(Op::resolve, 0, load.slot); break;
            case Symbols::Begin::alias:
                load_slot(load.from, Op::load_raw, 0);
                emit(Op::store, 0, load.slot);
                break;
        }
    }
}

void Compiler::load_slot(Symbols::Ref ref, Op op, uint32_t begin) {
    size_t depth = 0;
    const Routine* const wanted = &ref.table->function();
    for (const Routine* at = &function(); at != wanted; at = at->outer) ++depth;
    if (depth > 0 && wanted->kind == Routine::Kind::top && !wanted->slots[ref.slot].is_resolved) {
        for (const Routine* at = &function(); at != wanted; at = at->outer) const_cast<Routine*>(at)->needs_top = true;
    }
    emit(op, begin, ref.slot, depth);
}

void Compiler::load(uint32_t name, const Symbols& scope, uint32_t begin) {
    load_slot(scope.ref(name), Op::load, begin);
}

Result<void> Compiler::compile_all(Nodes nodes, const Symbols& scope) {
    for (Node* node : nodes) TRY(compile(*node, scope));
    return {};
}

Result<void> Compiler::compile(Node& node, const Symbols& scope) {
    switch (node.kind) {
        case NodeKind::data: emit(Op::emit_text, node.begin, node.id); return {};
        case NodeKind::output: return compile_output(node, scope);
        case NodeKind::set: return compile_set(node, scope);
        case NodeKind::set_block: return compile_set_block(node, scope);
        case NodeKind::for_loop: return node.flag ? compile_recursive_for(node, scope) : compile_for(node, scope);
        case NodeKind::condition: return compile_condition(node, scope);
        case NodeKind::macro: return compile_macro(node, scope);
        case NodeKind::call_block: return compile_call_block(node, scope);
        case NodeKind::filter_block: return compile_filter_block(node, scope);
        case NodeKind::with: return compile_with(node, scope);
        case NodeKind::run:
            TRY(compile_expression(*node.a, scope));
            emit(Op::pop, node.begin);
            return {};
        case NodeKind::break_loop:
        case NodeKind::continue_loop: return compile_loop_jump(node);
        default: return fail(node.begin, "no statement");
    }
}

Result<void> Compiler::compile_output(Node& node, const Symbols& scope) {
    const auto print = [&](Node& expression) -> Result<void> {
        fold(expression);
        if (expression.kind == NodeKind::constant) {
            emit(Op::emit_constant, expression.begin, expression.id);
            return {};
        }
        TRY(compile_expression(expression, scope));
        emit(Op::emit, expression.begin);
        return {};
    };
    if (node.a != nullptr) return print(*node.a);
    for (Node* expression : node.list) TRY(print(*expression));
    return {};
}

void Compiler::check_namespaces(const Node& target, const Symbols& scope) {
    if (target.kind == NodeKind::ns_ref) {
        load(target.id, scope, target.begin);
        emit(Op::check_namespace, target.begin);
    }
    for (const Node* item : target.list) check_namespaces(*item, scope);
}

Result<void> Compiler::compile_set(Node& node, const Symbols& scope) {
    check_namespaces(*node.a, scope);
    TRY(compile_expression(*node.b, scope));
    return compile_target(*node.a, scope);
}

// Stores the value on the stack.
Result<void> Compiler::compile_target(const Node& node, const Symbols& scope) {
    if (node.kind == NodeKind::name) {
        emit(Op::store, node.begin, scope.ref(node.id).slot);
        return {};
    }
    if (node.kind == NodeKind::ns_ref) {
        load(node.id, scope, node.begin);
        emit(Op::set_attribute, node.begin, node.other);
        return {};
    }
    emit(Op::unpack, node.begin, node.list.size());
    for (const Node* item : node.list) TRY(compile_target(*item, scope));
    return {};
}

Result<void> Compiler::compile_set_block(Node& node, const Symbols& scope) {
    check_namespaces(*node.a, scope);
    Symbols inner(&scope, target_->slots);
    inner.visit_all(node.body);
    if (node.b != nullptr) inner.visit(node.b);
    inner.settle();
    enter(inner);
    emit(Op::capture_begin, node.begin);
    ++target_->captures;
    TRY(compile_all(node.body, inner));
    --target_->captures;
    emit(Op::capture_end, node.begin);
    if (node.b != nullptr) TRY(compile_filter(*node.b, inner));
    return compile_target(*node.a, scope);
}

Result<void> Compiler::compile_condition(Node& node, const Symbols& scope) {
    std::vector<size_t> ends;
    for (Node* at = &node;;) {
        TRY(compile_expression(*at->a, scope));
        const size_t past = emit(Op::jump_if_false, at->begin);
        TRY(compile_all(at->body, scope));
        if (at->otherwise.empty()) {
            patch(past);
            break;
        }
        ends.push_back(emit(Op::jump, at->begin));
        patch(past);
        if (at->otherwise.size() != 1 || at->otherwise[0]->kind != NodeKind::condition) {
            TRY(compile_all(at->otherwise, scope));
            break;
        }
        at = at->otherwise[0];
    }
    for (const size_t end : ends) patch(end);
    return {};
}

Result<void> Compiler::compile_for(Node& node, const Symbols& scope) {
    TRY(compile_expression(*node.b, scope));
    return compile_loop(node, scope);
}

// A recursive loop is a function of what it runs over: its own body may call it.
Result<void> Compiler::compile_recursive_for(Node& node, const Symbols& scope) {
    TRY(compile_expression(*node.b, scope));
    const size_t index = program_.functions.size();
    Target inner{SlotTable(add_function(Routine::Kind::loop, loop_))};
    Target* const outer = std::exchange(target_, &inner);
    auto status = compile_loop(node, scope);
    if (status.ok()) emit(Op::finish, node.begin);
    target_ = outer;
    TRY(std::move(status));
    emit(Op::loop_call, node.begin, index);
    return {};
}

// Runs over the value on the stack.
Result<void> Compiler::compile_loop(Node& node, const Symbols& scope) {
    if (has_store_of(node, loop_)) return fail(node.begin, "Can't assign to special loop variable in for-loop target");
    const bool is_extended = node.flag || !find_undeclared(node.body, {loop_}).empty();
    Symbols inner(&scope, target_->slots);
    if (is_extended) inner.declare_parameter(loop_);
    inner.visit_parameters(node.a);
    inner.visit_all(node.body);
    inner.settle();
    const size_t begin = emit(Op::loop_begin, node.begin);
    if (node.c != nullptr) {
        const size_t past = emit(Op::jump, node.begin);
        function().code[begin].a = static_cast<uint32_t>(TRY(compile_loop_condition(node, scope)));
        patch(past);
    }
    if (is_extended) {
        emit(Op::loop_object, node.begin);
        emit(Op::store, node.begin, inner.ref(loop_).slot);
    }
    target_->loops.push_back({target_->captures, {}, position()});
    const size_t next = emit(Op::loop_next, node.begin);
    TRY(compile_target(*node.a, inner));
    enter(inner);
    TRY(compile_all(node.body, inner));
    if (!node.otherwise.empty()) emit(Op::loop_complete, node.begin);
    emit(Op::jump, node.begin, next);
    patch(next);
    for (const size_t end : target_->loops.back().ends) patch(end);
    target_->loops.pop_back();
    if (node.otherwise.empty()) return {};
    emit(Op::loop_else, node.begin);
    const size_t past = emit(Op::jump_if_false, node.begin);
    Symbols otherwise(&scope, target_->slots);
    otherwise.visit_all(node.otherwise);
    otherwise.settle();
    enter(otherwise);
    TRY(compile_all(node.otherwise, otherwise));
    patch(past);
    return {};
}

Result<size_t> Compiler::compile_loop_condition(Node& node, const Symbols& scope) {
    const size_t begin = position();
    Symbols inner(&scope, target_->slots);
    inner.set_apart();
    inner.visit_parameters(node.a);
    inner.visit(node.c);
    inner.settle();
    TRY(compile_target(*node.a, inner));
    TRY(compile_expression(*node.c, inner));
    emit(Op::end_condition, node.c->begin);
    return begin;
}

Result<void> Compiler::compile_loop_jump(const Node& node) {
    if (target_->loops.empty()) {
        return fail(node.begin, node.kind == NodeKind::break_loop ? "'break' outside loop" : "'continue' outside loop");
    }
    Loop& loop = target_->loops.back();
    for (size_t i = loop.captures; i < target_->captures; ++i) {
        emit(Op::capture_end, node.begin);
        emit(Op::pop, node.begin);
    }
    if (node.kind == NodeKind::continue_loop) {
        emit(Op::jump, node.begin, loop.next);
        return {};
    }
    emit(Op::loop_end, node.begin);
    loop.ends.push_back(emit(Op::jump, node.begin));
    return {};
}

Result<void> Compiler::compile_macro(Node& node, const Symbols& scope) {
    const uint32_t index = TRY(compile_function(node, Routine::Kind::macro, scope));
    if (node.other != 0) program_.definitions[node.other - 1].code = index;
    if (!node.flag) return {};
    emit(Op::make_macro, node.begin, index);
    emit(Op::store, node.begin, scope.ref(node.id).slot);
    return {};
}

// The parameters that a body has by using their names.
Result<void> Compiler::declare_specials(const Node& node, Routine& made, Symbols& symbols) {
    const auto has = [&](uint32_t name) {
        return std::any_of(node.list.begin(), node.list.end(), [&](const Node* given) { return given->id == name; });
    };
    for (const uint32_t name : find_undeclared(node.body, {caller_, kwargs_, varargs_})) {
        if (name == caller_ && has(name)) {
            const size_t required = node.list.size() - node.named.size();
            for (size_t i = 0; i < required; ++i) {
                if (node.list[i]->id != caller_) continue;
                return fail(node.begin, "the special \"caller\" argument must be omitted or be given a default");
            }
        }
        if (!has(name)) symbols.declare_parameter(name);
        const auto slot = static_cast<int32_t>(symbols.ref(name).slot);
        if (name == caller_) made.caller_slot = slot;
        if (name == kwargs_ && !has(name)) made.kwargs_slot = slot;
        if (name == varargs_ && !has(name)) made.varargs_slot = slot;
    }
    return {};
}

Result<void> Compiler::compile_defaults(const Node& node, const Symbols& scope) {
    const size_t required = node.list.size() - node.named.size();
    for (size_t i = required; i < node.list.size(); ++i) {
        Node& value = *node.named[i - required];
        const size_t past = emit(Op::default_jump, value.begin, 0, i);
        TRY(compile_expression(value, scope));
        emit(Op::store, value.begin, i);
        patch(past);
    }
    return {};
}

Result<uint32_t> Compiler::compile_function(Node& node, Routine::Kind kind, const Symbols& scope) {
    const size_t index = program_.functions.size();
    Routine& made = add_function(kind, node.id);
    Target inner{SlotTable(made)};
    Target* const outer = std::exchange(target_, &inner);
    Symbols symbols(&scope, inner.slots);
    for (const Node* parameter : node.list) symbols.declare_parameter(parameter->id);
    made.parameters = static_cast<uint32_t>(node.list.size());
    made.defaults = static_cast<uint32_t>(node.named.size());
    auto status = declare_specials(node, made, symbols);
    for (const Node* value : node.named) symbols.visit(value);
    symbols.visit_all(node.body);
    symbols.settle();
    if (status.ok()) {
        enter(symbols);
        status = compile_defaults(node, symbols);
    }
    if (status.ok()) status = compile_all(node.body, symbols);
    if (status.ok()) emit(Op::finish, node.begin);
    target_ = outer;
    TRY(std::move(status));
    return static_cast<uint32_t>(index);
}

Result<void> Compiler::compile_call_block(Node& node, const Symbols& scope) {
    const uint32_t index = TRY(compile_function(node, Routine::Kind::block, scope));
    TRY(compile_call(*node.a, scope, index));
    emit(Op::emit, node.begin);
    return {};
}

Result<void> Compiler::compile_filter_block(Node& node, const Symbols& scope) {
    Symbols inner(&scope, target_->slots);
    inner.visit_all(node.body);
    inner.visit(node.a);
    inner.settle();
    enter(inner);
    emit(Op::capture_begin, node.begin);
    ++target_->captures;
    TRY(compile_all(node.body, inner));
    --target_->captures;
    emit(Op::capture_end, node.begin);
    TRY(compile_filter(*node.a, inner));
    emit(Op::emit, node.begin);
    return {};
}

Result<void> Compiler::compile_with(Node& node, const Symbols& scope) {
    Symbols inner(&scope, target_->slots);
    for (const Node* target : node.list) inner.visit_parameters(target);
    inner.visit_all(node.body);
    inner.settle();
    enter(inner);
    for (size_t i = 0; i < node.list.size(); ++i) {
        TRY(compile_expression(*node.named[i], scope));
        TRY(compile_target(*node.list[i], inner));
    }
    return compile_all(node.body, inner);
}

}  // namespace shaduf::jinja
