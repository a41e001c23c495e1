#include <charconv>
#include <cstdlib>

#include "jinja/nesting.h"
#include "jinja/parser.h"

namespace shaduf::jinja {
namespace {

Operation compare_operation(TokenType type) {
    switch (type) {
        case TokenType::eq: return Operation::eq;
        case TokenType::ne: return Operation::ne;
        case TokenType::lt: return Operation::lt;
        case TokenType::lteq: return Operation::lteq;
        case TokenType::gt: return Operation::gt;
        case TokenType::gteq: return Operation::gteq;
        default: return Operation::none;
    }
}

constexpr int kSum = 0;
constexpr int kConcat = 1;
constexpr int kProduct = 2;
constexpr int kPower = 3;

struct Infix {
    int level = -1;
    Operation op = Operation::none;
};

Infix infix_of(TokenType type) {
    switch (type) {
        case TokenType::add: return {kSum, Operation::add};
        case TokenType::sub: return {kSum, Operation::sub};
        case TokenType::tilde: return {kConcat, Operation::none};
        case TokenType::mul: return {kProduct, Operation::mul};
        case TokenType::div: return {kProduct, Operation::div};
        case TokenType::floordiv: return {kProduct, Operation::floordiv};
        case TokenType::mod: return {kProduct, Operation::mod};
        case TokenType::pow: return {kPower, Operation::pow};
        default: return {};
    }
}

}  // namespace

Result<Node*> Parser::parse_expression(Conditional conditional) {
    return conditional == Conditional::allowed ? parse_conditional() : parse_or();
}

Result<Node*> Parser::parse_conditional() {
    const Nesting nesting(*this);
    if (nesting.is_too_deep()) return fail(current().begin, "expressions are nested too deeply");
    Node* node = TRY(parse_or());
    while (skip_if_name("if")) {
        Node* const conditional = make(NodeKind::conditional, node->begin);
        conditional->b = node;
        conditional->a = TRY(parse_or());
        if (skip_if_name("else")) conditional->c = TRY(parse_conditional());
        node = finish(conditional);
    }
    return node;
}

Result<Node*> Parser::parse_or() {
    Node* left = TRY(parse_and());
    while (skip_if_name("or")) left = make_binary(NodeKind::logic_or, left, TRY(parse_and()));
    return left;
}

Result<Node*> Parser::parse_and() {
    Node* left = TRY(parse_not());
    while (skip_if_name("and")) left = make_binary(NodeKind::logic_and, left, TRY(parse_not()));
    return left;
}

Result<Node*> Parser::parse_not() {
    if (!current().is_name("not")) return parse_compare();
    const Nesting nesting(*this);
    if (nesting.is_too_deep()) return fail(current().begin, "expressions are nested too deeply");
    Node* const node = make(NodeKind::logic_not, next().begin);
    node->a = TRY(parse_not());
    return finish(node);
}

Result<Node*> Parser::parse_compare() {
    Node* const first = TRY(parse_arithmetic(kSum));
    std::vector<Node*> operands;
    for (;;) {
        Operation op = compare_operation(current().type);
        if (op != Operation::none) {
            next();
        } else if (skip_if_name("in")) {
            op = Operation::in;
        } else if (current().is_name("not") && look().is_name("in")) {
            next();
            next();
            op = Operation::not_in;
        } else {
            break;
        }
        Node* const operand = make(NodeKind::operand, current().begin);
        operand->op = op;
        operand->a = TRY(parse_arithmetic(kSum));
        operands.push_back(operand);
    }
    if (operands.empty()) return first;
    Node* const node = make(NodeKind::compare, first->begin);
    node->a = first;
    node->list = keep(operands);
    return finish(node);
}

// All operators are left-associative, ** too; those of a higher level bind tighter.
Result<Node*> Parser::parse_arithmetic(int level) {
    Node* left = TRY(parse_unary(true));
    for (;;) {
        const Infix infix = infix_of(current().type);
        if (infix.level < level) return left;
        next();
        Node* const right = TRY(parse_arithmetic(infix.level + 1));
        if (infix.level != kConcat) {
            left = make_binary(NodeKind::binary, left, right, infix.op);
            continue;
        }
        std::vector<Node*> parts{left, right};
        while (skip_if(TokenType::tilde)) parts.push_back(TRY(parse_arithmetic(kProduct)));
        Node* const node = make(NodeKind::concat, left->begin);
        node->list = keep(parts);
        left = finish(node);
    }
}

Result<Node*> Parser::parse_unary(bool with_filter) {
    Node* node = nullptr;
    if (current().is(TokenType::sub) || current().is(TokenType::add)) {
        const Nesting nesting(*this);
        if (nesting.is_too_deep()) return fail(current().begin, "expressions are nested too deeply");
        const bool negates = current().is(TokenType::sub);
        node = make(NodeKind::unary, next().begin);
        node->op = negates ? Operation::negate : Operation::plus;
        node->a = TRY(parse_unary(false));
        finish(node);
    } else {
        node = TRY(parse_primary());
    }
    node = TRY(parse_postfix(node));
    return with_filter ? parse_filters(node) : Result<Node*>(node);
}

Result<Node*> Parser::parse_name(Target target) {
    const Token& token = next();
    const std::string_view text = token.text;
    if (text == "true" || text == "True") return make_constant(Value(true), token.begin);
    if (text == "false" || text == "False") return make_constant(Value(false), token.begin);
    if (text == "none" || text == "None") return make_constant(Value::none(), token.begin);
    if (target == Target::with_namespace && skip_if(TokenType::dot)) {
        Node* const node = make(NodeKind::ns_ref, token.begin);
        node->id = names_.id_of(text);
        node->other = names_.id_of(TRY(expect(TokenType::name, "name"))->text);
        return finish(node);
    }
    Node* const node = make(NodeKind::name, token.begin);
    node->id = names_.id_of(text);
    return finish(node);
}

Result<Value> Parser::integer_of(const Token& token) const {
    std::string digits;
    for (const char byte : token.text) {
        if (byte != '_') digits += byte;
    }
    if (token.is(TokenType::floating)) return Value(std::strtod(digits.c_str(), nullptr));
    int base = 10;
    if (digits.size() > 1 && digits[0] == '0') {
        const char letter = static_cast<char>(digits[1] | 0x20);
        base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
        if (base != 10) digits.erase(0, 2);
    }
    int64_t number = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
    if (status != std::errc() || end != digits.data() + digits.size()) {
        return fail(token.begin, "number is beyond 64 bits: " + std::string(token.text));
    }
    return Value(number);
}

Result<Node*> Parser::parse_primary(Target target) {
    const Token& token = current();
    switch (token.type) {
        case TokenType::name: return parse_name(target);
        case TokenType::string: {
            next();
            if (!current().is(TokenType::string)) return make_constant(Value(token.text), token.begin);
            std::string text(token.text);
            while (current().is(TokenType::string)) text += next().text;
            return make_constant(Value(std::move(text)), token.begin);
        }
        case TokenType::integer:
        case TokenType::floating: {
            Value number = TRY(integer_of(token));
            next();
            return make_constant(std::move(number), token.begin);
        }
        case TokenType::lparen: {
            next();
            Node* const node = TRY(parse_tuple(Conditional::allowed, {}, true));
            TRY(expect(TokenType::rparen, ")"));
            return node;
        }
        case TokenType::lbracket: return parse_list();
        case TokenType::lbrace: return parse_dict();
        default: return fail(token.begin, "unexpected '" + describe(token) + "'");
    }
}

bool Parser::is_tuple_end(std::string_view extra_end) const {
    switch (current().type) {
        case TokenType::variable_end:
        case TokenType::block_end:
        case TokenType::rparen: return true;
        default: return !extra_end.empty() && current().is_name(extra_end);
    }
}

Result<Node*> Parser::parse_tuple(Conditional conditional, std::string_view extra_end, bool has_parentheses) {
    const uint32_t begin = current().begin;
    std::vector<Node*> items;
    bool is_tuple = false;
    for (;;) {
        if (!items.empty()) TRY(expect(TokenType::comma, ","));
        if (is_tuple_end(extra_end)) break;
        Node* const item = TRY(parse_expression(conditional));
        if (items.empty() && !current().is(TokenType::comma)) return item;
        items.push_back(item);
        if (!current().is(TokenType::comma)) break;
        is_tuple = true;
    }
    if (!is_tuple && !has_parentheses) {
        return fail(current().begin, "Expected an expression, got '" + describe(current()) + "'");
    }
    Node* const node = make(NodeKind::tuple, begin);
    node->list = keep(items);
    return finish(node);
}

Result<Node*> Parser::parse_simple_tuple(Target target, std::string_view extra_end) {
    const uint32_t begin = current().begin;
    std::vector<Node*> items;
    bool is_tuple = false;
    for (;;) {
        if (!items.empty()) TRY(expect(TokenType::comma, ","));
        if (is_tuple_end(extra_end)) break;
        items.push_back(TRY(parse_primary(target)));
        if (!current().is(TokenType::comma)) break;
        is_tuple = true;
    }
    if (!is_tuple) {
        if (!items.empty()) return items[0];
        return fail(current().begin, "Expected an expression, got '" + describe(current()) + "'");
    }
    Node* const node = make(NodeKind::tuple, begin);
    node->list = keep(items);
    return finish(node);
}

Result<Node*> Parser::parse_list() {
    Node* const node = make(NodeKind::list, next().begin);
    std::vector<Node*> items;
    while (!current().is(TokenType::rbracket)) {
        if (!items.empty()) TRY(expect(TokenType::comma, ","));
        if (current().is(TokenType::rbracket)) break;
        items.push_back(TRY(parse_expression()));
    }
    next();
    node->list = keep(items);
    return finish(node);
}

Result<Node*> Parser::parse_dict() {
    Node* const node = make(NodeKind::dict, next().begin);
    std::vector<Node*> pairs;
    while (!current().is(TokenType::rbrace)) {
        if (!pairs.empty()) TRY(expect(TokenType::comma, ","));
        if (current().is(TokenType::rbrace)) break;
        Node* const pair = make(NodeKind::pair, current().begin);
        pair->a = TRY(parse_expression());
        TRY(expect(TokenType::colon, ":"));
        pair->b = TRY(parse_expression());
        pairs.push_back(finish(pair));
    }
    next();
    node->list = keep(pairs);
    return finish(node);
}

Result<Node*> Parser::parse_postfix(Node* node) {
    for (;;) {
        if (current().is(TokenType::dot) || current().is(TokenType::lbracket)) {
            node = TRY(parse_subscript(node));
        } else if (current().is(TokenType::lparen)) {
            node = TRY(parse_call(node));
        } else {
            return node;
        }
    }
}

Result<Node*> Parser::parse_filters(Node* node) {
    for (;;) {
        if (current().is(TokenType::pipe)) {
            node = TRY(parse_filter(node, false));
        } else if (current().is_name("is")) {
            node = TRY(parse_test(node));
        } else if (current().is(TokenType::lparen)) {
            node = TRY(parse_call(node));
        } else {
            return node;
        }
    }
}

Result<Node*> Parser::parse_subscript(Node* node) {
    const Token& token = next();
    if (token.is(TokenType::dot)) {
        const Token& name = next();
        Node* const access = make(name.is(TokenType::name) ? NodeKind::attribute : NodeKind::item, node->begin);
        access->a = node;
        if (name.is(TokenType::name)) {
            access->id = names_.id_of(name.text);
        } else if (name.is(TokenType::integer)) {
            access->b = make_constant(TRY(integer_of(name)), name.begin);
        } else {
            return fail(name.begin, "expected name or number");
        }
        return finish(access);
    }
    std::vector<Node*> keys;
    while (!current().is(TokenType::rbracket)) {
        if (!keys.empty()) TRY(expect(TokenType::comma, ","));
        keys.push_back(TRY(parse_subscribed()));
    }
    next();
    Node* const access = make(NodeKind::item, node->begin);
    access->a = node;
    if (keys.size() == 1) {
        access->b = keys[0];
    } else {
        access->b = make(NodeKind::tuple, token.begin);
        access->b->list = keep(keys);
    }
    return finish(access);
}

Result<Node*> Parser::parse_subscribed() {
    Node* const slice = make(NodeKind::slice, current().begin);
    if (!current().is(TokenType::colon)) {
        Node* const node = TRY(parse_expression());
        if (!current().is(TokenType::colon)) return node;
        slice->a = node;
    }
    next();
    const auto ends = [&] { return current().is(TokenType::rbracket) || current().is(TokenType::comma); };
    if (!current().is(TokenType::colon) && !ends()) slice->b = TRY(parse_expression());
    if (skip_if(TokenType::colon) && !ends()) slice->c = TRY(parse_expression());
    return finish(slice);
}

Result<void> Parser::parse_argument(Call& call, uint32_t begin) {
    const auto error = [&] { return fail(begin, "invalid syntax for function call expression"); };
    if (skip_if(TokenType::mul)) {
        if (call.list != nullptr || call.dict != nullptr) return error();
        call.list = TRY(parse_expression());
    } else if (skip_if(TokenType::pow)) {
        if (call.dict != nullptr) return error();
        call.dict = TRY(parse_expression());
    } else if (current().is(TokenType::name) && look().is(TokenType::assign)) {
        if (call.dict != nullptr) return error();
        Node* const keyword = make(NodeKind::keyword, current().begin);
        keyword->id = names_.id_of(next().text);
        next();
        keyword->a = TRY(parse_expression());
        for (const Node* other : call.named) {
            if (other->id == keyword->id) {
                return fail(keyword->begin, "keyword argument repeated: " + std::string(names_[keyword->id]));
            }
        }
        call.named.push_back(keyword);
    } else {
        if (call.list != nullptr || call.dict != nullptr || !call.named.empty()) return error();
        call.positional.push_back(TRY(parse_expression()));
    }
    return {};
}

Result<Parser::Call> Parser::parse_arguments() {
    const uint32_t begin = TRY(expect(TokenType::lparen, "("))->begin;
    Call call;
    for (bool is_first = true; !current().is(TokenType::rparen); is_first = false) {
        if (!is_first) {
            TRY(expect(TokenType::comma, ","));
            if (current().is(TokenType::rparen)) break;
        }
        TRY(parse_argument(call, begin));
    }
    TRY(expect(TokenType::rparen, ")"));
    return call;
}

Result<Node*> Parser::parse_call(Node* node) {
    const Call call = TRY(parse_arguments());
    Node* const made = make(NodeKind::call, node->begin);
    made->a = node;
    set_arguments(*made, call);
    finish(made);
    add_call_site(*made);
    return made;
}

Result<std::string_view> Parser::parse_dotted_name() {
    const Token& first = *TRY(expect(TokenType::name, "name"));
    uint32_t end = first.end;
    while (skip_if(TokenType::dot)) end = TRY(expect(TokenType::name, "name"))->end;
    return std::string_view(program_.source).substr(first.begin, end - first.begin);
}

Result<Node*> Parser::parse_filter(Node* node, bool starts_inline) {
    while (starts_inline || current().is(TokenType::pipe)) {
        if (!starts_inline) next();
        starts_inline = false;
        Node* const filter = make(NodeKind::filter, current().begin);
        filter->id = names_.id_of(TRY(parse_dotted_name()));
        filter->a = node;
        if (current().is(TokenType::lparen)) set_arguments(*filter, TRY(parse_arguments()));
        node = finish(filter);
    }
    return node;
}

Result<Node*> Parser::parse_test(Node* node) {
    const uint32_t begin = next().begin;
    const bool is_negated = skip_if_name("not");
    Node* test = make(NodeKind::test, begin);
    test->a = node;
    test->id = names_.id_of(TRY(parse_dotted_name()));
    const Token& token = current();
    if (token.is(TokenType::lparen)) {
        set_arguments(*test, TRY(parse_arguments()));
    } else if (token.is(TokenType::name) || token.is(TokenType::string) || token.is(TokenType::integer) ||
               token.is(TokenType::floating) || token.is(TokenType::lbracket) || token.is(TokenType::lbrace)) {
        if (token.is_name("is")) return fail(token.begin, "You cannot chain multiple tests with is");
        if (!token.is_name("else") && !token.is_name("or") && !token.is_name("and")) {
            Node* const argument = TRY(parse_primary());
            test->list = keep({TRY(parse_postfix(argument))});
        }
    }
    finish(test);
    if (!is_negated) return test;
    Node* const negated = make(NodeKind::logic_not, begin);
    negated->a = test;
    return finish(negated);
}

bool Parser::path_of(const Node& node, std::string& path) const {
    if (node.kind == NodeKind::name) {
        path += names_[node.id];
        return true;
    }
    if (node.kind != NodeKind::attribute || !path_of(*node.a, path)) return false;
    path += '.';
    path += names_[node.id];
    return true;
}

std::optional<Value> Parser::literal_of(const Node& node) const {
    if (node.kind == NodeKind::constant) return program_.constants[node.id];
    if (node.kind == NodeKind::unary && node.a->kind == NodeKind::constant) {
        const Value& number = program_.constants[node.a->id];
        const int sign = node.op == Operation::negate ? -1 : 1;
        if (number.kind() == Kind::integer) return Value(number.integer() * sign);
        if (number.kind() == Kind::floating) return Value(number.floating() * sign);
        return std::nullopt;
    }
    if (node.kind == NodeKind::dict) {
        auto dict = jinja::make<Dict>();
        for (const Node* pair : node.list) {
            auto key = literal_of(*pair->a);
            auto value = literal_of(*pair->b);
            if (!key || !value || !key->hash()) return std::nullopt;
            dict->set(std::move(*key), std::move(*value));
        }
        return Value(dict);
    }
    if (node.kind != NodeKind::list && node.kind != NodeKind::tuple) return std::nullopt;
    std::vector<Value> items;
    for (const Node* item : node.list) {
        auto value = literal_of(*item);
        if (!value) return std::nullopt;
        items.push_back(std::move(*value));
    }
    return node.kind == NodeKind::list ? Value::list(std::move(items)) : Value::tuple(std::move(items));
}

void Parser::add_call_site(const Node& call) {
    CallSite site;
    if (is_too_high_ || !path_of(*call.a, site.path)) return;
    for (const Node* argument : call.list) site.positional.push_back(literal_of(*argument));
    if (call.b != nullptr) site.positional.push_back(std::nullopt);
    for (const Node* keyword : call.named) {
        site.named.emplace_back(std::string(names_[keyword->id]), literal_of(*keyword->a));
    }
    if (call.c != nullptr) site.named.emplace_back("**", std::nullopt);
    site.span.begin = call.begin;
    site.span.end = call.end;
    site.definition = definition_;
    program_.calls.push_back(std::move(site));
}

}  // namespace shaduf::jinja
