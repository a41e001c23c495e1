#include "connectors/google_ads/gaql.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace shaduf::google_ads {
namespace {

enum class TokenKind : uint8_t { word, text, sign, end };

struct Token {
    TokenKind kind = TokenKind::end;
    std::string_view text;
    size_t at = 0;
};

bool is_word_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Lexer {
public:
    explicit Lexer(std::string_view text) : text_(text) {}

    Result<Token> next() {
        while (at_ < text_.size() && is_space(text_[at_])) ++at_;
        Token token{TokenKind::end, {}, at_};
        if (at_ == text_.size()) return token;
        const char first = text_[at_];
        if (is_word_character(first)) {
            token.kind = TokenKind::word;
            while (at_ < text_.size() && is_word_character(text_[at_])) ++at_;
        } else if (first == '\'' || first == '"') {
            token.kind = TokenKind::text;
            TRY(pass_text(first));
        } else {
            token.kind = TokenKind::sign;
            ++at_;
        }
        token.text = text_.substr(token.at, at_ - token.at);
        return token;
    }

private:
    Result<void> pass_text(char quote) {
        const size_t start = at_++;
        while (at_ < text_.size() && text_[at_] != quote) at_ += text_[at_] == '\\' ? 2 : 1;
        if (at_ >= text_.size())
            return Error(ErrorKind::invalid_config, "query: text without an end at character " +
                                                        std::to_string(start + 1) + "; close it by " +
                                                        std::string(1, quote));
        ++at_;
        return {};
    }

    std::string_view text_;
    size_t at_ = 0;
};

constexpr std::array<std::string_view, 6> kClauses = {"SELECT", "FROM", "WHERE", "ORDER", "LIMIT", "PARAMETERS"};

bool is_word(const Token& token, std::string_view word) {
    return token.kind == TokenKind::word && equals_ignoring_case(token.text, word);
}
std::optional<size_t> clause_of(const Token& token) {
    for (size_t i = 0; i < kClauses.size(); ++i) {
        if (is_word(token, kClauses[i])) return i;
    }
    return std::nullopt;
}

Error unexpected(const Token& token, const std::string& expected) {
    const std::string found = token.kind == TokenKind::end ? "its end" : std::string(token.text);
    return Error(ErrorKind::invalid_config,
                 "query: expected " + expected + " at character " + std::to_string(token.at + 1) + ", found " + found);
}

// Clauses in the order of the grammar, each as the tokens between its keyword and the next one's.
class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    Result<Query> parse() {
        TRY(read_tokens());
        Query query;
        size_t last = 0;
        if (!is_word(tokens_.front(), "SELECT")) return unexpected(tokens_.front(), "SELECT");
        for (size_t at = 0; tokens_[at].kind != TokenKind::end;) {
            const auto clause = clause_of(tokens_[at]);
            if (!clause || (at > 0 && *clause <= last))
                return unexpected(tokens_[at], "SELECT, FROM, WHERE, ORDER BY, LIMIT, PARAMETERS, in this order");
            size_t begin = at + 1;
            if (kClauses[*clause] == "ORDER") {
                if (!is_word(tokens_[begin], "BY")) return unexpected(tokens_[begin], "BY");
                ++begin;
            }
            size_t end = begin;
            while (tokens_[end].kind != TokenKind::end && !clause_of(tokens_[end])) ++end;
            if (end == begin) return unexpected(tokens_[end], "something behind " + std::string(kClauses[*clause]));
            TRY(take(*clause, begin, end, query));
            last = *clause;
            at = end;
        }
        if (query.resource.empty()) return unexpected(tokens_.back(), "FROM and a resource");
        return query;
    }

private:
    Result<void> read_tokens() {
        Lexer lexer(text_);
        for (;;) {
            tokens_.push_back(TRY(lexer.next()));
            if (tokens_.back().kind == TokenKind::end) return {};
            // One that ends a statement elsewhere is forgiven at the end only.
            if (tokens_.back().text == ";") {
                const Token rest = TRY(lexer.next());
                if (rest.kind != TokenKind::end) return unexpected(rest, "nothing behind ;");
                tokens_.back() = rest;
                return {};
            }
        }
    }
    std::string text_between(size_t begin, size_t end) const {
        const Token& last = tokens_[end - 1];
        return std::string(text_.substr(tokens_[begin].at, last.at + last.text.size() - tokens_[begin].at));
    }
    Result<void> take(size_t clause, size_t begin, size_t end, Query& query) const {
        switch (clause) {
            case 0: return take_fields(begin, end, query);
            case 1:
                if (tokens_[begin].kind != TokenKind::word || end != begin + 1)
                    return unexpected(tokens_[end == begin + 1 ? begin : begin + 1], "one resource behind FROM");
                query.resource = to_lower(tokens_[begin].text);
                return {};
            case 2: {
                query.conditions = text_between(begin, end);
                for (size_t i = begin; i < end; ++i) {
                    const bool begins = i == begin || is_word(tokens_[i - 1], "AND");
                    const bool is_field =
                        tokens_[i].kind == TokenKind::word && tokens_[i].text.find('.') != std::string_view::npos;
                    if (begins && is_field) query.filtered.push_back(to_lower(tokens_[i].text));
                }
                return {};
            }
            case 3: query.order = text_between(begin, end); return {};
            case 4: query.limit = text_between(begin, end); return {};
            default: query.parameters = text_between(begin, end); return {};
        }
    }
    Result<void> take_fields(size_t begin, size_t end, Query& query) const {
        for (size_t i = begin; i < end; ++i) {
            const bool is_comma = (i - begin) % 2 == 1;
            if (is_comma && tokens_[i].text != ",") return unexpected(tokens_[i], "a comma");
            if (is_comma) continue;
            if (tokens_[i].kind != TokenKind::word || tokens_[i].text.find('.') == std::string_view::npos)
                return unexpected(tokens_[i], "a field, such as campaign.id,");
            query.add_field(to_lower(tokens_[i].text));
        }
        if ((end - begin) % 2 == 0) return unexpected(tokens_[end], "a field behind the comma");
        return {};
    }

    std::string_view text_;
    std::vector<Token> tokens_;
};

}  // namespace

Result<Query> Query::parse(std::string_view text) { return Parser(text).parse(); }

bool Query::selects(std::string_view field) const {
    return std::find(fields.begin(), fields.end(), field) != fields.end();
}

void Query::add_field(std::string_view field) {
    if (!selects(field)) fields.emplace_back(field);
}

void Query::add_condition(const std::string& condition) {
    conditions = conditions.empty() ? condition : condition + " AND " + conditions;
}

std::string Query::to_string() const {
    std::string text = "SELECT " + join(fields, ", ") + " FROM " + resource;
    if (!conditions.empty()) text += " WHERE " + conditions;
    if (!order.empty()) text += " ORDER BY " + order;
    if (!limit.empty()) text += " LIMIT " + limit;
    if (!parameters.empty()) text += " PARAMETERS " + parameters;
    return text;
}

std::string camel_case(std::string_view name) {
    std::string text;
    bool upper = false;
    for (const char c : name) {
        if (c == '_') {
            upper = true;
            continue;
        }
        const bool is_letter = c >= 'a' && c <= 'z';
        text += upper && is_letter ? static_cast<char>(c - 'a' + 'A') : c;
        upper = false;
    }
    return text;
}

}  // namespace shaduf::google_ads
