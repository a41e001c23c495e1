#include "jinja/builtins.h"
#include "jinja/compiler.h"
#include "jinja/operators.h"

namespace shaduf::jinja {
namespace {

Op op_of(Operation operation) {
    switch (operation) {
        case Operation::add: return Op::add;
        case Operation::sub: return Op::sub;
        case Operation::mul: return Op::mul;
        case Operation::div: return Op::div;
        case Operation::floordiv: return Op::floordiv;
        case Operation::mod: return Op::mod;
        case Operation::pow: return Op::pow;
        case Operation::negate: return Op::negate;
        case Operation::plus: return Op::plus;
        case Operation::eq: return Op::eq;
        case Operation::ne: return Op::ne;
        case Operation::lt: return Op::lt;
        case Operation::lteq: return Op::lteq;
        case Operation::gt: return Op::gt;
        case Operation::gteq: return Op::gteq;
        case Operation::in: return Op::in;
        case Operation::not_in: return Op::not_in;
        case Operation::none: break;
    }
    return Op::pop;
}

}  // namespace

void Compiler::make_constant(Node& node, Value value) {
    node.kind = NodeKind::constant;
    node.id = constant(std::move(value));
}

// Arithmetic of numbers and joined texts that stand in the template are worked out once. What fails is left to fail
// when it is run.
void Compiler::fold(Node& node) {
    if (node.is_folded) return;
    node.is_folded = true;
    const auto value_of = [&](const Node& part) -> const Value& { return program_.constants[part.id]; };
    if (node.kind == NodeKind::unary) {
        fold(*node.a);
        if (node.a->kind != NodeKind::constant || !value_of(*node.a).is_number()) return;
        auto value = apply_unary(op_of(node.op), value_of(*node.a));
        if (value.ok()) make_constant(node, value.release_value());
    } else if (node.kind == NodeKind::binary) {
        fold(*node.a);
        fold(*node.b);
        if (node.a->kind != NodeKind::constant || node.b->kind != NodeKind::constant) return;
        if (!value_of(*node.a).is_number() || !value_of(*node.b).is_number()) return;
        auto value = apply_binary(op_of(node.op), value_of(*node.a), value_of(*node.b));
        if (value.ok()) make_constant(node, value.release_value());
    } else if (node.kind == NodeKind::concat) {
        std::string text;
        for (Node* part : node.list) {
            fold(*part);
            if (part->kind != NodeKind::constant) return;
            value_of(*part).append_text(text);
        }
        make_constant(node, Value(std::move(text)));
    }
}

Result<void> Compiler::compile_each(Nodes nodes, const Symbols& scope) {
    for (Node* node : nodes) TRY(compile_expression(*node, scope));
    return {};
}

Result<void> Compiler::compile_expression(Node& node, const Symbols& scope) {
    fold(node);
    switch (node.kind) {
        case NodeKind::constant: emit(Op::constant, node.begin, node.id); return {};
        case NodeKind::name: load(node.id, scope, node.begin); return {};
        case NodeKind::attribute:
            TRY(compile_expression(*node.a, scope));
            emit(Op::attribute, node.begin, node.id);
            return {};
        case NodeKind::item: return compile_item(node, scope);
        case NodeKind::call: return compile_call(node, scope, std::nullopt);
        case NodeKind::filter:
        case NodeKind::test: return compile_filter(node, scope);
        case NodeKind::unary:
        case NodeKind::logic_not:
            TRY(compile_expression(*node.a, scope));
            emit(node.kind == NodeKind::unary ? op_of(node.op) : Op::logic_not, node.begin);
            return {};
        case NodeKind::binary:
            TRY(compile_expression(*node.a, scope));
            TRY(compile_expression(*node.b, scope));
            emit(op_of(node.op), node.begin);
            return {};
        case NodeKind::logic_and:
        case NodeKind::logic_or: return compile_logic(node, scope);
        case NodeKind::compare: return compile_compare(node, scope);
        case NodeKind::conditional: return compile_conditional(node, scope);
        case NodeKind::concat:
        case NodeKind::tuple:
        case NodeKind::list:
            TRY(compile_each(node.list, scope));
            emit(node.kind == NodeKind::concat  ? Op::concat
                 : node.kind == NodeKind::tuple ? Op::make_tuple
                                                : Op::make_list,
                 node.begin, node.list.size());
            return {};
        case NodeKind::dict:
            for (const Node* pair : node.list) {
                TRY(compile_expression(*pair->a, scope));
                TRY(compile_expression(*pair->b, scope));
            }
            emit(Op::make_dict, node.begin, node.list.size());
            return {};
        default: return fail(node.begin, "no expression");
    }
}

Result<void> Compiler::compile_logic(Node& node, const Symbols& scope) {
    TRY(compile_expression(*node.a, scope));
    const size_t past = emit(node.kind == NodeKind::logic_and ? Op::and_jump : Op::or_jump, node.begin);
    TRY(compile_expression(*node.b, scope));
    patch(past);
    return {};
}

// a < b < c: b is worked out once; the first comparison that fails ends it.
Result<void> Compiler::compile_compare(Node& node, const Symbols& scope) {
    TRY(compile_expression(*node.a, scope));
    std::vector<size_t> ends;
    for (size_t i = 0; i < node.list.size(); ++i) {
        Node& operand = *node.list[i];
        TRY(compile_expression(*operand.a, scope));
        const bool is_last = i + 1 == node.list.size();
        if (!is_last) emit(Op::duplicate_under, operand.begin);
        emit(op_of(operand.op), operand.begin);
        if (!is_last) ends.push_back(emit(Op::chain_jump, operand.begin));
    }
    for (const size_t end : ends) patch(end);
    return {};
}

Result<void> Compiler::compile_conditional(Node& node, const Symbols& scope) {
    TRY(compile_expression(*node.a, scope));
    const size_t otherwise = emit(Op::jump_if_false, node.begin);
    TRY(compile_expression(*node.b, scope));
    const size_t past = emit(Op::jump, node.begin);
    patch(otherwise);
    if (node.c != nullptr) {
        TRY(compile_expression(*node.c, scope));
    } else {
        emit(Op::no_else, node.begin);
    }
    patch(past);
    return {};
}

Result<void> Compiler::compile_item(Node& node, const Symbols& scope) {
    TRY(compile_expression(*node.a, scope));
    if (node.b->kind != NodeKind::slice) {
        if (node.b->kind == NodeKind::tuple) {
            for (const Node* part : node.b->list) {
                if (part->kind == NodeKind::slice)
                    return fail(part->begin, "slices of several dimensions are not known");
            }
        }
        TRY(compile_expression(*node.b, scope));
        emit(Op::item, node.begin);
        return {};
    }
    for (Node* part : {node.b->a, node.b->b, node.b->c}) {
        if (part == nullptr) {
            emit(Op::constant, node.begin, constant(Value::none()));
        } else {
            TRY(compile_expression(*part, scope));
        }
    }
    emit(Op::slice, node.begin);
    return {};
}

uint32_t Compiler::add_signature(const Node& node, const Builtin* builtin, bool has_caller) {
    Signature signature;
    signature.positional = static_cast<uint16_t>(node.list.size());
    signature.has_list = node.b != nullptr;
    signature.has_dict = node.c != nullptr;
    signature.builtin = builtin;
    for (const Node* keyword : node.named) signature.names.push_back(keyword->id);
    if (has_caller) signature.names.push_back(caller_);
    program_.signatures.push_back(std::move(signature));
    return static_cast<uint32_t>(program_.signatures.size() - 1);
}

Result<void> Compiler::compile_arguments(Node& node, const Symbols& scope) {
    constexpr size_t kArgumentsMax = 60'000;
    if (node.list.size() > kArgumentsMax) return fail(node.begin, "too many arguments");
    TRY(compile_each(node.list, scope));
    for (const Node* keyword : node.named) TRY(compile_expression(*keyword->a, scope));
    return {};
}

Result<void> Compiler::compile_call(Node& node, const Symbols& scope, std::optional<uint32_t> caller) {
    const bool is_method = node.a->kind == NodeKind::attribute;
    TRY(compile_expression(is_method ? *node.a->a : *node.a, scope));
    TRY(compile_arguments(node, scope));
    if (caller) emit(Op::make_macro, node.begin, *caller);
    if (node.b != nullptr) TRY(compile_expression(*node.b, scope));
    if (node.c != nullptr) TRY(compile_expression(*node.c, scope));
    const uint32_t signature = add_signature(node, nullptr, caller.has_value());
    emit(is_method ? Op::call_method : Op::call, node.begin, signature, is_method ? node.a->id : 0);
    return {};
}

// Filters and tests. The value that a filter block or a set block filters is on the stack already.
Result<void> Compiler::compile_filter(Node& node, const Symbols& scope) {
    if (node.a != nullptr) {
        TRY(node.a->kind == NodeKind::filter ? compile_filter(*node.a, scope) : compile_expression(*node.a, scope));
    }
    TRY(compile_arguments(node, scope));
    if (node.b != nullptr) TRY(compile_expression(*node.b, scope));
    if (node.c != nullptr) TRY(compile_expression(*node.c, scope));
    const bool is_test = node.kind == NodeKind::test;
    const Builtin* const builtin = find_builtin(is_test ? builtin_tests() : builtin_filters(), names_[node.id]);
    emit(is_test ? Op::test : Op::filter, node.begin, add_signature(node, builtin), node.id);
    return {};
}

}  // namespace shaduf::jinja
