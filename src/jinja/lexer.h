#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jinja/template.h"

namespace shaduf::jinja {

enum class TokenType : uint8_t {
    data,  // text outside of tags, trimmed as the tags around it say; also the body of a definition of form text
    variable_begin,
    variable_end,
    block_begin,
    block_end,
    name,
    string,
    integer,
    floating,
    add,
    sub,
    div,
    floordiv,
    mul,
    mod,
    pow,
    tilde,
    lbracket,
    rbracket,
    lparen,
    rparen,
    lbrace,
    rbrace,
    eq,
    ne,
    gt,
    gteq,
    lt,
    lteq,
    assign,
    dot,
    colon,
    pipe,
    comma,
    semicolon,
    end,
};

struct Token {
    TokenType type = TokenType::end;
    uint32_t begin = 0;  // bytes of the source
    uint32_t end = 0;
    std::string_view text;  // of strings: what they hold

    bool is(TokenType other) const { return type == other; }
    bool is_name(std::string_view name) const { return type == TokenType::name && text == name; }
};

// "end of print statement", or the name or operator itself: of messages.
std::string describe(const Token& token);

// Where a byte of a text stands.
Span span_of(std::string_view source, uint32_t begin, uint32_t end);
// An error of a template's text.
Error syntax_error(std::string_view name, std::string_view source, uint32_t at, std::string message);

// Splits a template into tokens, the last of which is `end`. Token texts point into the source or into this.
// Rules: https://jinja.palletsprojects.com/en/3.1.x/templates/#whitespace-control
class Lexer {
public:
    // REQUIRES: newlines of `source` are "\n" alone
    Lexer(std::string_view source, std::string_view name, const Syntax& syntax);
    Result<std::vector<Token>> run();

private:
    enum class Tag : uint8_t { variable, block };

    Result<void> lex_root();
    Result<void> lex_comment();
    Result<void> lex_raw(size_t body);
    Result<void> lex_tag(Tag tag);
    Result<bool> lex_tag_end(Tag tag);
    Result<void> lex_token();
    bool lex_number();
    void lex_name();
    bool lex_string_end(size_t& end) const;
    Result<void> lex_string();
    Result<void> lex_operator();
    Result<void> balance(TokenType type, char character);
    Result<void> lex_text_body();
    size_t raw_begin_end(size_t open) const;
    struct RawEnd {
        size_t open = 0;
        size_t end = 0;
        char sign = 0;
    };
    bool find_raw_end(std::string_view end_tag, size_t from, RawEnd& found) const;
    void add_data(size_t begin, size_t end, char sign, bool is_variable);
    size_t after_tag_end(size_t end, bool is_stripping, bool may_trim) const;
    size_t skip_space(size_t at) const;
    size_t skip_digits(size_t at) const;
    Result<std::string_view> unescape(std::string_view text, size_t at);
    Error fail(size_t at, std::string message) const;
    void add(TokenType type, size_t begin, size_t end, std::string_view text);

    std::string_view source_;
    std::string_view name_;
    const Syntax& syntax_;
    size_t at_ = 0;
    bool line_starting_ = true;
    std::vector<Token> tokens_;
    std::string balance_;
    std::deque<std::string> unescaped_;  // strings that had escapes
};

}  // namespace shaduf::jinja
