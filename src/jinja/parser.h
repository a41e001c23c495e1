#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jinja/ast.h"
#include "jinja/lexer.h"
#include "jinja/names.h"
#include "jinja/program.h"

namespace shaduf::jinja {

// Tokens to a tree, by recursive descent. Fills names, constants, texts, definitions and call sites of the program.
class Parser {
public:
    Parser(Program& program, Names& names, Arena& arena, const std::vector<Token>& tokens, const Syntax& syntax);
    Result<Nodes> run();

private:
    friend class Nesting;
    enum class Conditional : uint8_t { allowed, forbidden };
    enum class Target : uint8_t { plain, with_namespace };
    struct Call {
        std::vector<Node*> positional;
        std::vector<Node*> named;
        Node* list = nullptr;
        Node* dict = nullptr;
    };

    // statements (parser.cc)
    Result<Nodes> parse_until(std::initializer_list<std::string_view> ends, std::string_view opened);
    Result<Nodes> parse_statements(std::initializer_list<std::string_view> ends);
    Result<Node*> parse_output();
    Result<Node*> parse_statement();
    Result<Node*> parse_set();
    Result<Node*> parse_for();
    Result<Node*> parse_if();
    Result<Node*> parse_with();
    Result<Node*> parse_print();
    Result<Node*> parse_macro(std::string_view tag);
    Result<Node*> parse_options(std::string_view tag);
    Result<void> parse_option(Definition& definition);
    Result<Node*> parse_text(std::string_view tag);
    Result<Node*> parse_call_block();
    Result<Node*> parse_filter_block();
    Result<void> parse_signature(Node& node);
    Result<Nodes> parse_definition_body(Node& node, std::string_view tag, size_t definition);
    Result<Node*> parse_assign_target(Target target);
    Result<Node*> parse_target_name();
    const DefinitionTag* definition_tag(std::string_view name) const;
    size_t begin_definition(std::string_view tag, uint32_t begin);
    void finish_places();

    // expressions (parser_expression.cc)
    Result<Node*> parse_expression(Conditional conditional = Conditional::allowed);
    Result<Node*> parse_conditional();
    Result<Node*> parse_or();
    Result<Node*> parse_and();
    Result<Node*> parse_not();
    Result<Node*> parse_compare();
    Result<Node*> parse_arithmetic(int level);
    Result<Node*> parse_unary(bool with_filter);
    Result<Node*> parse_primary(Target target = Target::plain);
    Result<Node*> parse_name(Target target);
    Result<Node*> parse_tuple(Conditional conditional, std::string_view extra_end, bool has_parentheses);
    Result<Node*> parse_simple_tuple(Target target, std::string_view extra_end);
    Result<Node*> parse_list();
    Result<Node*> parse_dict();
    Result<Node*> parse_postfix(Node* node);
    Result<Node*> parse_filters(Node* node);
    Result<Node*> parse_subscript(Node* node);
    Result<Node*> parse_subscribed();
    Result<Node*> parse_call(Node* node);
    Result<Call> parse_arguments();
    Result<void> parse_argument(Call& call, uint32_t begin);
    Result<Node*> parse_filter(Node* node, bool starts_inline);
    Result<Node*> parse_test(Node* node);
    Result<std::string_view> parse_dotted_name();
    Result<Value> integer_of(const Token& token) const;
    bool is_tuple_end(std::string_view extra_end) const;
    void add_call_site(const Node& call);
    bool path_of(const Node& node, std::string& path) const;
    std::optional<Value> literal_of(const Node& node) const;

    const Token& current() const { return tokens_[at_]; }
    const Token& next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
    const Token& look() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
    bool skip_if(TokenType type);
    bool skip_if_name(std::string_view name);
    Result<const Token*> expect(TokenType type, std::string_view what);
    Error fail(uint32_t at, std::string message) const;
    Node* make(NodeKind kind, uint32_t begin);
    Node* make_binary(NodeKind kind, Node* a, Node* b, Operation op = Operation::none);
    Node* make_constant(Value value, uint32_t begin);
    Nodes keep(const std::vector<Node*>& nodes);
    Node* finish(Node* node);
    void set_arguments(Node& node, const Call& call);

    Program& program_;
    Names& names_;
    Arena& arena_;
    const std::vector<Token>& tokens_;
    const Syntax& syntax_;
    size_t at_ = 0;
    int depth_ = 0;   // of nested statements and expressions
    int blocks_ = 0;  // of nested tags
    bool is_too_high_ = false;
    std::optional<size_t> definition_;
};

}  // namespace shaduf::jinja
