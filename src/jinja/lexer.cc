#include "jinja/lexer.h"

#include <algorithm>
#include <array>

#include "jinja/escapes.h"
#include "jinja/unicode.h"

namespace shaduf::jinja {
namespace {

struct Operator {
    std::string_view text;
    TokenType type;
};
// Longer ones first.
constexpr std::array<Operator, 26> kOperators{
    {{"//", TokenType::floordiv}, {"**", TokenType::pow},     {"==", TokenType::eq},    {"!=", TokenType::ne},
     {">=", TokenType::gteq},     {"<=", TokenType::lteq},    {"+", TokenType::add},    {"-", TokenType::sub},
     {"/", TokenType::div},       {"*", TokenType::mul},      {"%", TokenType::mod},    {"~", TokenType::tilde},
     {"[", TokenType::lbracket},  {"]", TokenType::rbracket}, {"(", TokenType::lparen}, {")", TokenType::rparen},
     {"{", TokenType::lbrace},    {"}", TokenType::rbrace},   {">", TokenType::gt},     {"<", TokenType::lt},
     {"=", TokenType::assign},    {".", TokenType::dot},      {":", TokenType::colon},  {"|", TokenType::pipe},
     {",", TokenType::comma},     {";", TokenType::semicolon}}};

bool is_word(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_';
}
bool is_decimal(char byte) { return byte >= '0' && byte <= '9'; }
bool is_sign(char byte) { return byte == '-' || byte == '+'; }

}  // namespace

std::string describe(const Token& token) {
    switch (token.type) {
        case TokenType::data: return "template data / text";
        case TokenType::variable_begin: return "begin of print statement";
        case TokenType::variable_end: return "end of print statement";
        case TokenType::block_begin: return "begin of statement block";
        case TokenType::block_end: return "end of statement block";
        case TokenType::string: return "string";
        case TokenType::integer: return "integer";
        case TokenType::floating: return "float";
        case TokenType::end: return "end of template";
        default: return std::string(token.text);
    }
}

Span span_of(std::string_view source, uint32_t begin, uint32_t end) {
    Span span;
    span.begin = begin;
    span.end = end;
    const std::string_view before = source.substr(0, begin);
    span.line = static_cast<uint32_t>(std::count(before.begin(), before.end(), '\n')) + 1;
    const size_t newline = before.rfind('\n');
    const size_t line_begin = newline == std::string_view::npos ? 0 : newline + 1;
    span.column = static_cast<uint32_t>(count_code_points(before.substr(line_begin))) + 1;
    return span;
}

Error syntax_error(std::string_view name, std::string_view source, uint32_t at, std::string message) {
    const Span span = span_of(source, std::min(at, static_cast<uint32_t>(source.size())), at);
    Place place = Place::in_file(std::string(name), static_cast<int>(span.line));
    place.position = "column " + std::to_string(span.column);
    return Error(ErrorKind::invalid_config, std::move(message)).at(place);
}

Lexer::Lexer(std::string_view source, std::string_view name, const Syntax& syntax)
    : source_(source), name_(name), syntax_(syntax) {
    tokens_.reserve(source.size() / 8 + 16);
}

Error Lexer::fail(size_t at, std::string message) const {
    return syntax_error(name_, source_, static_cast<uint32_t>(at), std::move(message));
}

void Lexer::add(TokenType type, size_t begin, size_t end, std::string_view text) {
    tokens_.push_back({type, static_cast<uint32_t>(begin), static_cast<uint32_t>(end), text});
}

Result<std::vector<Token>> Lexer::run() {
    while (at_ < source_.size()) TRY(lex_root());
    add(TokenType::end, source_.size(), source_.size(), {});
    return std::move(tokens_);
}

size_t Lexer::skip_space(size_t at) const {
    while (at < source_.size() && is_space(code_point_at(source_, at))) at += code_point_size(source_, at);
    return at;
}

// Text before a tag with that sign.
void Lexer::add_data(size_t begin, size_t end, char sign, bool is_variable) {
    std::string_view text = source_.substr(begin, end - begin);
    if (sign == '-') {
        text = strip_space(text, Side::right);
    } else if (sign != '+' && syntax_.lstrip_blocks && !is_variable) {
        const size_t newline = text.rfind('\n');
        const size_t line = newline == std::string_view::npos ? 0 : newline + 1;
        if ((line > 0 || line_starting_) && strip_space(text.substr(line), Side::left).empty()) {
            text = text.substr(0, line);
        }
    }
    if (!text.empty()) add(TokenType::data, begin, begin + text.size(), text);
}

Result<void> Lexer::lex_root() {
    size_t open = at_;
    for (;; ++open) {
        open = source_.find('{', open);
        if (open == std::string_view::npos || open + 1 >= source_.size()) {
            add(TokenType::data, at_, source_.size(), source_.substr(at_));
            at_ = source_.size();
            return {};
        }
        const char kind = source_[open + 1];
        if (kind == '{' || kind == '%' || kind == '#') break;
    }
    const char kind = source_[open + 1];
    const char sign = open + 2 < source_.size() && is_sign(source_[open + 2]) ? source_[open + 2] : '\0';
    add_data(at_, open, sign, kind == '{');
    if (kind == '%') {
        if (const size_t body = raw_begin_end(open); body != 0) {
            at_ = open;
            line_starting_ = source_[body - 1] == '\n';
            return lex_raw(body);
        }
    }
    at_ = open + 2 + (sign != '\0' ? 1 : 0);
    line_starting_ = false;
    if (kind == '#') return lex_comment();
    const Tag tag = kind == '{' ? Tag::variable : Tag::block;
    add(tag == Tag::variable ? TokenType::variable_begin : TokenType::block_begin, open, at_, {});
    return lex_tag(tag);
}

// Where the text goes on behind a tag that ends at `end`.
size_t Lexer::after_tag_end(size_t end, bool is_stripping, bool may_trim) const {
    if (is_stripping) return skip_space(end);
    if (may_trim && syntax_.trim_blocks && end < source_.size() && source_[end] == '\n') return end + 1;
    return end;
}

Result<void> Lexer::lex_comment() {
    const size_t close = source_.find("#}", at_);
    if (close == std::string_view::npos) return fail(at_, "Missing end of comment tag");
    const char sign = close > at_ && is_sign(source_[close - 1]) ? source_[close - 1] : '\0';
    at_ = after_tag_end(close + 2, sign == '-', sign != '+');
    line_starting_ = source_[at_ - 1] == '\n';
    return {};
}

// Behind the opening tag of a raw block that begins at `open`; 0: it is none.
size_t Lexer::raw_begin_end(size_t open) const {
    size_t at = open + 2;
    if (at < source_.size() && is_sign(source_[at])) ++at;
    at = skip_space(at);
    if (source_.substr(at, 3) != "raw") return 0;
    at = skip_space(at + 3);
    if (source_.substr(at, 3) == "-%}") return skip_space(at + 3);
    return source_.substr(at, 2) == "%}" ? at + 2 : 0;
}

bool Lexer::find_raw_end(std::string_view end_tag, size_t from, RawEnd& found) const {
    for (size_t open = source_.find("{%", from); open != std::string_view::npos; open = source_.find("{%", open + 1)) {
        size_t at = open + 2;
        const char sign = at < source_.size() && is_sign(source_[at]) ? source_[at] : '\0';
        at = skip_space(at + (sign != '\0' ? 1 : 0));
        if (source_.substr(at, end_tag.size()) != end_tag) continue;
        at = skip_space(at + end_tag.size());
        const char last = at < source_.size() && is_sign(source_[at]) ? source_[at] : '\0';
        if (last != '\0') ++at;
        if (source_.substr(at, 2) != "%}") continue;
        found = {open, after_tag_end(at + 2, last == '-', last != '+'), sign};
        return true;
    }
    return false;
}

Result<void> Lexer::lex_raw(size_t body) {
    RawEnd end;
    if (!find_raw_end("endraw", body, end)) return fail(at_, "Missing end of raw directive");
    add_data(body, end.open, end.sign, false);
    at_ = end.end;
    line_starting_ = source_[at_ - 1] == '\n';
    return {};
}

Result<bool> Lexer::lex_tag_end(Tag tag) {
    if (!balance_.empty()) return false;
    const std::string_view close = tag == Tag::block ? "%}" : "}}";
    const bool has_sign = source_[at_] == '-' || (source_[at_] == '+' && tag == Tag::block);
    const size_t sign_size = has_sign ? 1 : 0;
    if (source_.substr(at_ + sign_size, 2) != close) return false;
    const size_t begin = at_;
    at_ = after_tag_end(at_ + sign_size + 2, source_[at_] == '-', tag == Tag::block && !has_sign);
    line_starting_ = source_[at_ - 1] == '\n';
    add(tag == Tag::block ? TokenType::block_end : TokenType::variable_end, begin, begin + sign_size + 2, {});
    return true;
}

Result<void> Lexer::lex_tag(Tag tag) {
    const size_t first = tokens_.size();
    while (at_ < source_.size()) {
        const bool has_ended = TRY(lex_tag_end(tag));
        if (has_ended) {
            if (tag == Tag::block && !syntax_.definition_tags.empty() && tokens_[first].is(TokenType::name)) {
                for (const auto& definition : syntax_.definition_tags) {
                    if (definition.form == DefinitionTag::Form::text && definition.name == tokens_[first].text) {
                        return lex_text_body();
                    }
                }
            }
            return {};
        }
        const size_t next = skip_space(at_);
        if (next == at_) {
            TRY(lex_token());
        } else {
            at_ = next;
        }
    }
    return {};
}

// The body of a definition of form text, as it is.
Result<void> Lexer::lex_text_body() {
    size_t name = tokens_.size() - 1;
    while (!tokens_[name - 1].is(TokenType::block_begin)) --name;
    const std::string end_tag = "end" + std::string(tokens_[name].text);
    RawEnd end;
    if (!find_raw_end(end_tag, at_, end)) return fail(tokens_[name].begin, "unexpected end of template: no " + end_tag);
    add(TokenType::data, at_, end.open, source_.substr(at_, end.open - at_));
    at_ = end.open;
    line_starting_ = false;
    return {};
}

Result<void> Lexer::lex_token() {
    const char byte = source_[at_];
    if (is_decimal(byte)) {
        lex_number();
        return {};
    }
    if (is_word(byte) || static_cast<unsigned char>(byte) >= 0x80U) {
        const size_t begin = at_;
        if (!is_name_part(code_point_at(source_, at_))) {
            return fail(at_,
                        "unexpected char '" + std::string(source_.substr(at_, code_point_size(source_, at_))) + "'");
        }
        lex_name();
        if (!is_name_start(code_point_at(source_, begin))) return fail(begin, "Invalid character in identifier");
        return {};
    }
    if (byte == '\'' || byte == '"') return lex_string();
    return lex_operator();
}

void Lexer::lex_name() {
    const size_t begin = at_;
    while (at_ < source_.size()) {
        if (is_word(source_[at_])) {
            ++at_;
        } else if (static_cast<unsigned char>(source_[at_]) >= 0x80U && is_name_part(code_point_at(source_, at_))) {
            at_ += code_point_size(source_, at_);
        } else {
            break;
        }
    }
    add(TokenType::name, begin, at_, source_.substr(begin, at_ - begin));
}

// Behind digits with single underscores between them.
size_t Lexer::skip_digits(size_t at) const {
    while (at < source_.size()) {
        if (is_decimal(source_[at])) {
            ++at;
        } else if (source_[at] == '_' && at + 1 < source_.size() && is_decimal(source_[at + 1])) {
            at += 2;
        } else {
            break;
        }
    }
    return at;
}

bool Lexer::lex_number() {
    const size_t begin = at_;
    const auto has_digit = [&](size_t at) { return at < source_.size() && is_decimal(source_[at]); };
    const auto finish = [&](TokenType type, size_t end) {
        add(type, begin, end, source_.substr(begin, end - begin));
        at_ = end;
        return true;
    };
    const size_t digits = skip_digits(begin);
    const bool follows_dot = begin > 0 && source_[begin - 1] == '.';
    if (!follows_dot) {
        size_t end = digits;
        if (end < source_.size() && source_[end] == '.' && has_digit(end + 1)) end = skip_digits(end + 1);
        if (end < source_.size() && (source_[end] | 0x20) == 'e') {
            const size_t exponent = end + 1 + (end + 1 < source_.size() && is_sign(source_[end + 1]) ? 1 : 0);
            if (has_digit(exponent)) end = skip_digits(exponent);
        }
        if (end != digits) return finish(TokenType::floating, end);
    }
    if (source_[begin] != '0') return finish(TokenType::integer, digits);
    const char base = begin + 1 < source_.size() ? static_cast<char>(source_[begin + 1] | 0x20) : '\0';
    const std::string_view allowed = base == 'x'   ? "0123456789abcdefABCDEF"
                                     : base == 'o' ? "01234567"
                                     : base == 'b' ? "01"
                                                   : "0";
    size_t end = begin + (allowed == "0" ? 1 : 2);
    const size_t first = end;
    for (;;) {
        const size_t next = end < source_.size() && source_[end] == '_' ? end + 1 : end;
        if (next >= source_.size() || allowed.find(source_[next]) == std::string_view::npos) break;
        end = next + 1;
    }
    return finish(TokenType::integer, end == first && allowed != "0" ? begin + 1 : end);
}

bool Lexer::lex_string_end(size_t& end) const {
    const char quote = source_[at_];
    for (size_t at = at_ + 1; at < source_.size(); ++at) {
        if (source_[at] == '\\') {
            ++at;
        } else if (source_[at] == quote) {
            end = at;
            return true;
        }
    }
    return false;
}

Result<void> Lexer::lex_string() {
    size_t end = 0;
    if (!lex_string_end(end)) return fail(at_, std::string("unexpected char '") + source_[at_] + "'");
    const size_t begin = at_;
    std::string_view text = source_.substr(begin + 1, end - begin - 1);
    if (text.find('\\') != std::string_view::npos) text = TRY(unescape(text, begin));
    at_ = end + 1;
    add(TokenType::string, begin, at_, text);
    return {};
}

Result<std::string_view> Lexer::unescape(std::string_view text, size_t at) {
    auto plain = unescape_string(text);
    if (!plain.ok()) return fail(at, plain.error().message());
    unescaped_.push_back(plain.release_value());
    return std::string_view(unescaped_.back());
}

Result<void> Lexer::balance(TokenType type, char character) {
    switch (type) {
        case TokenType::lbrace: balance_ += '}'; break;
        case TokenType::lparen: balance_ += ')'; break;
        case TokenType::lbracket: balance_ += ']'; break;
        case TokenType::rbrace:
        case TokenType::rparen:
        case TokenType::rbracket:
            if (balance_.empty()) return fail(at_, std::string("unexpected '") + character + "'");
            if (balance_.back() != character) {
                return fail(at_, std::string("unexpected '") + character + "', expected '" + balance_.back() + "'");
            }
            balance_.pop_back();
            break;
        default: break;
    }
    return {};
}

Result<void> Lexer::lex_operator() {
    for (const auto& candidate : kOperators) {
        if (source_.substr(at_, candidate.text.size()) != candidate.text) continue;
        TRY(balance(candidate.type, source_[at_]));
        add(candidate.type, at_, at_ + candidate.text.size(), candidate.text);
        at_ += candidate.text.size();
        return {};
    }
    return fail(at_, std::string("unexpected char '") + source_[at_] + "'");
}

}  // namespace shaduf::jinja
