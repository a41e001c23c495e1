#include "jinja/parser.h"

#include <algorithm>

#include "jinja/nesting.h"

namespace shaduf::jinja {

Parser::Parser(Program& program, Names& names, Arena& arena, const std::vector<Token>& tokens, const Syntax& syntax)
    : program_(program), names_(names), arena_(arena), tokens_(tokens), syntax_(syntax) {}

Error Parser::fail(uint32_t at, std::string message) const {
    return syntax_error(program_.name, program_.body(), at, std::move(message));
}

bool Parser::skip_if(TokenType type) {
    if (!current().is(type)) return false;
    next();
    return true;
}

bool Parser::skip_if_name(std::string_view name) {
    if (!current().is_name(name)) return false;
    next();
    return true;
}

Result<const Token*> Parser::expect(TokenType type, std::string_view what) {
    if (current().is(type)) return &next();
    if (current().is(TokenType::end)) {
        return fail(current().begin, "unexpected end of template, expected '" + std::string(what) + "'");
    }
    return fail(current().begin, "expected token '" + std::string(what) + "', got '" + describe(current()) + "'");
}

Node* Parser::make(NodeKind kind, uint32_t begin) {
    Node* const node = new (arena_.allocate(sizeof(Node))) Node{};
    node->kind = kind;
    node->begin = begin;
    return node;
}

// Its end is that of the token before. Long chains (a.b.c..., a + b + c...) make high trees, which later stages walk.
Node* Parser::finish(Node* node) {
    constexpr uint16_t kHeightMax = 600;
    node->end = at_ > 0 ? tokens_[at_ - 1].end : node->begin;
    uint16_t height = 0;
    for (const Node* child : {node->a, node->b, node->c}) {
        if (child != nullptr) height = std::max(height, child->height);
    }
    for (const Nodes& children : {node->list, node->named, node->otherwise}) {
        for (const Node* child : children) height = std::max(height, child->height);
    }
    node->height = static_cast<uint16_t>(height + 1);
    if (node->height > kHeightMax) is_too_high_ = true;
    return node;
}

Node* Parser::make_binary(NodeKind kind, Node* a, Node* b, Operation op) {
    Node* const node = make(kind, a->begin);
    node->op = op;
    node->a = a;
    node->b = b;
    return finish(node);
}

Node* Parser::make_constant(Value value, uint32_t begin) {
    Node* const node = make(NodeKind::constant, begin);
    node->id = static_cast<uint32_t>(program_.constants.size());
    program_.constants.push_back(std::move(value));
    return finish(node);
}

Nodes Parser::keep(const std::vector<Node*>& nodes) {
    if (nodes.empty()) return {};
    auto** const kept = static_cast<Node**>(arena_.allocate(nodes.size() * sizeof(Node*)));
    std::copy(nodes.begin(), nodes.end(), kept);
    return {kept, nodes.size()};
}

void Parser::set_arguments(Node& node, const Call& call) {
    node.list = keep(call.positional);
    node.named = keep(call.named);
    node.b = call.list;
    node.c = call.dict;
}

Result<Nodes> Parser::run() {
    const Nodes body = TRY(parse_until({}, {}));
    finish_places();
    return body;
}

// Lines and columns of what is told of a template, in one pass over the text.
void Parser::finish_places() {
    std::stable_sort(program_.calls.begin(), program_.calls.end(),
                     [](const CallSite& a, const CallSite& b) { return a.span.begin < b.span.begin; });
    std::vector<Span*> spans;
    for (auto& call : program_.calls) spans.push_back(&call.span);
    for (auto& definition : program_.definitions) {
        spans.push_back(&definition.span);
        spans.push_back(&definition.body);
    }
    std::stable_sort(spans.begin(), spans.end(), [](const Span* a, const Span* b) { return a->begin < b->begin; });
    const std::string_view text = program_.source;
    uint32_t line = 1;
    uint32_t column = 1;
    uint32_t at = 0;
    for (Span* span : spans) {
        for (; at < span->begin; ++at) {
            if (text[at] == '\n') {
                ++line;
                column = 1;
            } else if ((static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U) {
                ++column;
            }
        }
        span->line = line;
        span->column = column;
    }
}

// Up to a tag of that name, which stays the current token; to the end of the text, when there are no ends.
Result<Nodes> Parser::parse_until(std::initializer_list<std::string_view> ends, std::string_view opened) {
    const Nesting nesting(*this);
    if (nesting.is_too_deep()) return fail(current().begin, "tags are nested too deeply");
    std::vector<Node*> body;
    for (;;) {
        const Token& token = current();
        if (token.is(TokenType::end)) break;
        if (token.is(TokenType::data)) {
            Node* const data = make(NodeKind::data, token.begin);
            data->id = static_cast<uint32_t>(program_.texts.size());
            program_.texts.push_back(token.text);
            next();
            body.push_back(finish(data));
        } else if (token.is(TokenType::variable_begin)) {
            body.push_back(TRY(parse_output()));
            if (is_too_high_) return fail(token.begin, "expressions are nested too deeply");
        } else {
            next();
            for (const auto end : ends) {
                if (current().is_name(end)) return keep(body);
            }
            Node* const statement = TRY(parse_statement());
            if (statement != nullptr) body.push_back(statement);
            if (is_too_high_) return fail(token.begin, "expressions are nested too deeply");
            TRY(expect(TokenType::block_end, "end of statement block"));
        }
    }
    if (ends.size() == 0) return keep(body);
    return fail(current().begin, "unexpected end of template: no '" + std::string(*(ends.end() - 1)) + "' for '" +
                                     std::string(opened) + "'");
}

// The body of a tag, behind its name and arguments.
Result<Nodes> Parser::parse_statements(std::initializer_list<std::string_view> ends) {
    skip_if(TokenType::colon);
    TRY(expect(TokenType::block_end, "end of statement block"));
    ++blocks_;
    const Nodes body = TRY(parse_until(ends, std::string_view(*(ends.end() - 1)).substr(3)));
    --blocks_;
    return body;
}

Result<Node*> Parser::parse_output() {
    Node* const output = make(NodeKind::output, next().begin);
    output->a = TRY(parse_tuple(Conditional::allowed, {}, false));
    TRY(expect(TokenType::variable_end, "end of print statement"));
    return finish(output);
}

const DefinitionTag* Parser::definition_tag(std::string_view name) const {
    for (const auto& tag : syntax_.definition_tags) {
        if (tag.name == name) return &tag;
    }
    return nullptr;
}

Result<Node*> Parser::parse_statement() {
    const Token& token = current();
    if (!token.is(TokenType::name)) return fail(token.begin, "tag name expected");
    const std::string_view tag = token.text;
    if (tag == "if") return parse_if();
    if (tag == "set") return parse_set();
    if (tag == "for") return parse_for();
    if (tag == "macro") return parse_macro("macro");
    if (tag == "call") return parse_call_block();
    if (tag == "filter") return parse_filter_block();
    if (tag == "with") return parse_with();
    if (tag == "print") return parse_print();
    if (tag == "do") {
        Node* const run = make(NodeKind::run, next().begin);
        run->a = TRY(parse_tuple(Conditional::allowed, {}, false));
        return finish(run);
    }
    if (tag == "break" || tag == "continue") {
        return finish(make(tag == "break" ? NodeKind::break_loop : NodeKind::continue_loop, next().begin));
    }
    if (const DefinitionTag* known = definition_tag(tag); known != nullptr) {
        switch (known->form) {
            case DefinitionTag::Form::macro: return parse_macro(known->name);
            case DefinitionTag::Form::options: return parse_options(known->name);
            case DefinitionTag::Form::text: return parse_text(known->name);
        }
    }
    if (tag == "extends" || tag == "block" || tag == "include" || tag == "import" || tag == "from") {
        return fail(token.begin,
                    "the tag is not known here: " + std::string(tag) + ": templates stand alone; use macros");
    }
    return fail(token.begin, "Encountered unknown tag '" + std::string(tag) + "'");
}

Result<Node*> Parser::parse_target_name() {
    const Token& token = *TRY(expect(TokenType::name, "name"));
    Node* const node = make(NodeKind::name, token.begin);
    node->id = names_.id_of(token.text);
    node->access = Access::store;
    return finish(node);
}

namespace {

// Marks names as targets. False: the node is no target.
bool mark_stored(Node& node, Access access) {
    if (node.kind == NodeKind::name) {
        node.access = access;
        return true;
    }
    if (node.kind == NodeKind::ns_ref) return true;
    if (node.kind != NodeKind::tuple) return false;
    return std::all_of(node.list.begin(), node.list.end(), [&](Node* item) { return mark_stored(*item, access); });
}

}  // namespace

Result<Node*> Parser::parse_assign_target(Target target) {
    const uint32_t begin = current().begin;
    Node* const node = TRY(parse_simple_tuple(target, "in"));
    if (mark_stored(*node, Access::store)) return node;
    return fail(begin, "can't assign to '" + std::string(program_.source, begin, node->end - begin) + "'");
}

Result<Node*> Parser::parse_set() {
    const uint32_t begin = next().begin;
    Node* const target = TRY(parse_assign_target(Target::with_namespace));
    Node* const node = make(skip_if(TokenType::assign) ? NodeKind::set : NodeKind::set_block, begin);
    node->a = target;
    if (node->kind == NodeKind::set) {
        node->b = TRY(parse_tuple(Conditional::allowed, {}, false));
    } else {
        node->b = TRY(parse_filter(nullptr, false));
        node->body = TRY(parse_statements({"endset"}));
        next();
    }
    return finish(node);
}

Result<Node*> Parser::parse_for() {
    Node* const node = make(NodeKind::for_loop, next().begin);
    node->a = TRY(parse_assign_target(Target::plain));
    if (!skip_if_name("in")) return fail(current().begin, "expected token 'in', got '" + describe(current()) + "'");
    node->b = TRY(parse_tuple(Conditional::forbidden, "recursive", false));
    if (skip_if_name("if")) node->c = TRY(parse_expression());
    node->flag = skip_if_name("recursive");
    node->body = TRY(parse_statements({"else", "endfor"}));
    if (next().text == "else") {
        node->otherwise = TRY(parse_statements({"endfor"}));
        next();
    }
    return finish(node);
}

Result<Node*> Parser::parse_if() {
    constexpr int kBranchesMax = 500;
    const Nesting nesting(*this);
    if (nesting.is_too_deep()) return fail(current().begin, "tags are nested too deeply");
    Node* const first = make(NodeKind::condition, next().begin);
    Node* node = first;
    for (int branches = 0;; ++branches) {
        if (branches > kBranchesMax) return fail(node->begin, "too many branches of an if");
        node->a = TRY(parse_tuple(Conditional::forbidden, {}, false));
        node->body = TRY(parse_statements({"elif", "else", "endif"}));
        const Token& token = next();
        if (token.text == "elif") {
            Node* const other = make(NodeKind::condition, token.begin);
            node->otherwise = keep({other});
            node = other;
            continue;
        }
        if (token.text == "else") {
            node->otherwise = TRY(parse_statements({"endif"}));
            next();
        }
        return finish(first);
    }
}

Result<Node*> Parser::parse_with() {
    Node* const node = make(NodeKind::with, next().begin);
    std::vector<Node*> targets;
    std::vector<Node*> values;
    while (!current().is(TokenType::block_end)) {
        if (!targets.empty()) TRY(expect(TokenType::comma, ","));
        Node* const target = TRY(parse_assign_target(Target::plain));
        mark_stored(*target, Access::parameter);
        targets.push_back(target);
        TRY(expect(TokenType::assign, "="));
        values.push_back(TRY(parse_expression()));
    }
    node->list = keep(targets);
    node->named = keep(values);
    node->body = TRY(parse_statements({"endwith"}));
    next();
    return finish(node);
}

Result<Node*> Parser::parse_print() {
    Node* const first = make(NodeKind::output, next().begin);
    std::vector<Node*> parts;
    while (!current().is(TokenType::block_end)) {
        if (!parts.empty()) TRY(expect(TokenType::comma, ","));
        parts.push_back(TRY(parse_expression()));
    }
    first->list = keep(parts);
    return finish(first);
}

Result<void> Parser::parse_signature(Node& node) {
    TRY(expect(TokenType::lparen, "("));
    std::vector<Node*> names;
    std::vector<Node*> defaults;
    while (!current().is(TokenType::rparen)) {
        if (!names.empty()) TRY(expect(TokenType::comma, ","));
        Node* const name = TRY(parse_target_name());
        name->access = Access::parameter;
        for (const Node* other : names) {
            if (other->id == name->id) {
                return fail(name->begin, "duplicate argument '" + std::string(names_[name->id]) + "'");
            }
        }
        names.push_back(name);
        if (skip_if(TokenType::assign)) {
            defaults.push_back(TRY(parse_expression()));
        } else if (!defaults.empty()) {
            return fail(current().begin, "non-default argument follows default argument");
        }
    }
    next();
    node.list = keep(names);
    node.named = keep(defaults);
    return {};
}

// Its place in the list is that of its beginning. Nested ones are not told of.
size_t Parser::begin_definition(std::string_view tag, uint32_t begin) {
    Definition definition;
    definition.tag = std::string(tag);
    definition.span.begin = begin;
    program_.definitions.push_back(std::move(definition));
    return program_.definitions.size() - 1;
}

Result<Nodes> Parser::parse_definition_body(Node& node, std::string_view tag, size_t definition) {
    const std::string end_tag = "end" + std::string(tag);
    const auto outer = definition_;
    if (blocks_ == 0) definition_ = definition;
    const size_t first = at_;
    const Nodes body = TRY(parse_statements({std::string_view(end_tag)}));
    definition_ = outer;
    if (blocks_ == 0) {
        Definition& told = program_.definitions[definition];
        told.body.begin = tokens_[first].is(TokenType::colon) ? tokens_[first + 1].end : tokens_[first].end;
        told.body.end = tokens_[at_ - 1].begin;
        node.other = static_cast<uint32_t>(definition) + 1;
    }
    next();
    if (blocks_ == 0) {
        program_.definitions[definition].span.end = current().is(TokenType::block_end) ? current().end : node.begin;
    }
    return body;
}

Result<Node*> Parser::parse_macro(std::string_view tag) {
    const uint32_t begin = tokens_[at_ - 1].begin;
    Node* const node = make(NodeKind::macro, next().begin);
    node->flag = syntax_.definition_names == DefinitionNames::bound || blocks_ > 0;
    const size_t definition = blocks_ == 0 ? begin_definition(tag, begin) : 0;
    node->id = TRY(parse_target_name())->id;
    TRY(parse_signature(*node));
    if (blocks_ == 0) {
        Definition& told = program_.definitions[definition];
        told.name = std::string(names_[node->id]);
        const size_t required = node->list.size() - node->named.size();
        for (size_t i = 0; i < node->list.size(); ++i) {
            told.parameters.push_back({std::string(names_[node->list[i]->id]), i >= required});
        }
    }
    node->body = TRY(parse_definition_body(*node, tag, definition));
    return finish(node);
}

Result<void> Parser::parse_option(Definition& definition) {
    const Token& name = *TRY(expect(TokenType::name, "name"));
    std::optional<Value> value;
    if (skip_if(TokenType::assign)) value = literal_of(*TRY(parse_expression()));
    definition.options.push_back({std::string(name.text), std::move(value)});
    return {};
}

Result<Node*> Parser::parse_options(std::string_view tag) {
    Definition parsed;
    const uint32_t begin = tokens_[at_ - 1].begin;
    Node* const node = make(NodeKind::macro, next().begin);
    node->flag = syntax_.definition_names == DefinitionNames::bound || blocks_ > 0;
    const size_t definition = blocks_ == 0 ? begin_definition(tag, begin) : 0;
    node->id = TRY(parse_target_name())->id;
    while (skip_if(TokenType::comma)) TRY(parse_option(parsed));
    if (blocks_ == 0) {
        program_.definitions[definition].name = std::string(names_[node->id]);
        program_.definitions[definition].options = std::move(parsed.options);
    }
    node->body = TRY(parse_definition_body(*node, tag, definition));
    return finish(node);
}

Result<Node*> Parser::parse_text(std::string_view tag) {
    const size_t definition = begin_definition(tag, tokens_[at_ - 1].begin);
    next();
    Definition& told = program_.definitions[definition];
    told.name = std::string(TRY(expect(TokenType::name, "name"))->text);
    TRY(expect(TokenType::block_end, "end of statement block"));
    const Token& body = *TRY(expect(TokenType::data, "template data / text"));
    told.body.begin = body.begin;
    told.body.end = body.end;
    TRY(expect(TokenType::block_begin, "begin of statement block"));
    next();
    told.span.end = current().end;
    return nullptr;
}

Result<Node*> Parser::parse_call_block() {
    Node* const node = make(NodeKind::call_block, next().begin);
    if (current().is(TokenType::lparen)) TRY(parse_signature(*node));
    node->a = TRY(parse_expression());
    if (node->a->kind != NodeKind::call) return fail(node->begin, "expected call");
    node->body = TRY(parse_statements({"endcall"}));
    next();
    return finish(node);
}

Result<Node*> Parser::parse_filter_block() {
    Node* const node = make(NodeKind::filter_block, next().begin);
    node->a = TRY(parse_filter(nullptr, true));
    node->body = TRY(parse_statements({"endfilter"}));
    next();
    return finish(node);
}

}  // namespace shaduf::jinja
