#include "sandbox/google_ads/gaql.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace shaduf::sandbox::google_ads {
namespace {

enum class Kind : uint8_t { word, text, sign, end };
struct Token {
    Kind kind = Kind::end;
    std::string text;
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_word_character(char c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' || c == ':' || c == '/' || c == '~';
}

// Reads by descent; the first mistake ends it.
class Reader {
public:
    Reader(std::string_view text, bool needs_from) : text_(text), needs_from_(needs_from) {}

    std::variant<Gaql, Refusal> read() {
        const bool ok = tokenize() && read_query();
        if (!ok) return *refusal_;
        return std::move(gaql_);
    }

private:
    bool refuse(std::string code, std::string message) {
        if (!refusal_) refusal_ = Refusal{"queryError", std::move(code), "Error in query: " + std::move(message)};
        return false;
    }

    bool tokenize() {
        for (size_t at = 0; at < text_.size();) {
            const char c = text_[at];
            if (is_space(c)) {
                ++at;
            } else if (c == '\'' || c == '"') {
                if (!read_text(at)) return false;
            } else if (is_word_character(c)) {
                const size_t begin = at;
                while (at < text_.size() && is_word_character(text_[at])) ++at;
                tokens_.push_back({Kind::word, std::string(text_.substr(begin, at - begin))});
            } else {
                constexpr std::array<std::string_view, 3> kLong = {"!=", ">=", "<="};
                const std::string_view two = text_.substr(at, 2);
                const bool is_long = std::find(kLong.begin(), kLong.end(), two) != kLong.end();
                if (!is_long && std::string_view("=<>(),;").find(c) == std::string_view::npos)
                    return refuse("BAD_SYMBOL", "bad symbol '" + std::string(1, c) + "'.");
                tokens_.push_back({Kind::sign, std::string(is_long ? two : text_.substr(at, 1))});
                at += is_long ? 2 : 1;
            }
        }
        if (!tokens_.empty() && tokens_.back().text == ";") tokens_.pop_back();
        tokens_.push_back({});
        return true;
    }
    bool read_text(size_t& at) {
        const char quote = text_[at++];
        std::string text;
        while (at < text_.size() && text_[at] != quote) {
            if (text_[at] == '\n') return refuse("PROHIBITED_NEWLINE_IN_STRING", "a string holds a line break.");
            if (text_[at] == '\\' && ++at >= text_.size()) break;
            text += text_[at++];
        }
        if (at >= text_.size()) return refuse("STRING_NOT_TERMINATED", "a string is not terminated.");
        ++at;
        tokens_.push_back({Kind::text, std::move(text)});
        return true;
    }

    const Token& peek() const { return tokens_[at_]; }
    bool is_word(std::string_view word) const {
        return peek().kind == Kind::word && equals_ignoring_case(peek().text, word);
    }
    bool take_word(std::string_view word) {
        if (!is_word(word)) return false;
        ++at_;
        return true;
    }
    bool take_sign(std::string_view sign) {
        if (peek().kind != Kind::sign || peek().text != sign) return false;
        ++at_;
        return true;
    }
    bool unexpected() {
        if (peek().kind == Kind::end) return refuse("UNEXPECTED_END_OF_QUERY", "unexpected end of query.");
        return refuse("UNEXPECTED_INPUT", "unexpected input " + peek().text + ".");
    }
    bool read_field(std::string& field) {
        if (peek().kind != Kind::word) return unexpected();
        field = to_lower(peek().text);
        ++at_;
        return true;
    }

    bool read_query() {
        if (!take_word("SELECT")) return refuse("EXPECTED_SELECT", "expected SELECT.");
        do {
            std::string field;
            if (!read_field(field)) return false;
            if (!gaql_.selects(field)) gaql_.fields.push_back(std::move(field));
        } while (take_sign(","));
        if (take_word("FROM")) {
            if (!needs_from_) return refuse("UNEXPECTED_FROM_CLAUSE", "a FROM clause cannot be given here.");
            if (!read_field(gaql_.resource)) return false;
        } else if (needs_from_) {
            return peek().kind == Kind::end ? refuse("EXPECTED_FROM", "expected FROM.") : unexpected();
        }
        if (take_word("WHERE") && !read_conditions()) return false;
        if (take_word("ORDER") && !read_sortings()) return false;
        if (take_word("LIMIT") && !read_limit()) return false;
        if (take_word("PARAMETERS") && !read_parameters()) return false;
        return peek().kind == Kind::end || unexpected();
    }

    bool read_conditions() {
        do {
            Condition condition;
            if (!read_field(condition.field) || !read_operator(condition) || !read_values(condition)) return false;
            gaql_.conditions.push_back(std::move(condition));
        } while (take_word("AND"));
        const bool ends = peek().kind == Kind::end || is_word("ORDER") || is_word("LIMIT") || is_word("PARAMETERS");
        return ends || refuse("EXPECTED_AND", "expected AND, found " + peek().text + ".");
    }

    bool read_operator(Condition& condition) {
        struct Sign {
            std::string_view text;
            Operator op;
        };
        constexpr Sign kSigns[] = {{"=", Operator::equal},          {"!=", Operator::not_equal},
                                   {">", Operator::greater},        {"<", Operator::less},
                                   {">=", Operator::greater_equal}, {"<=", Operator::less_equal}};
        for (const Sign& sign : kSigns) {
            if (!take_sign(sign.text)) continue;
            condition.op = sign.op;
            return true;
        }
        const bool is_not = take_word("NOT");
        const auto set = [&](Operator plain, Operator negated) {
            condition.op = is_not ? negated : plain;
            return true;
        };
        if (take_word("IN")) return set(Operator::in, Operator::not_in);
        if (take_word("LIKE")) return set(Operator::like, Operator::not_like);
        if (take_word("REGEXP_MATCH")) return set(Operator::regexp_match, Operator::not_regexp_match);
        if (is_not) return refuse("BAD_OPERATOR", "bad operator NOT " + peek().text + ".");
        if (take_word("DURING")) return set(Operator::during, {});
        if (take_word("BETWEEN")) return set(Operator::between, {});
        if (take_word("CONTAINS")) {
            if (take_word("ANY")) return set(Operator::contains_any, {});
            if (take_word("ALL")) return set(Operator::contains_all, {});
            if (take_word("NONE")) return set(Operator::contains_none, {});
        } else if (take_word("IS")) {
            const bool negated = take_word("NOT");
            condition.op = negated ? Operator::is_not_null : Operator::is_null;
            if (take_word("NULL")) return true;
        }
        return peek().kind == Kind::end ? unexpected() : refuse("BAD_OPERATOR", "bad operator " + peek().text + ".");
    }

    bool read_value(Condition& condition) {
        if (peek().kind != Kind::word && peek().kind != Kind::text) return unexpected();
        condition.values.push_back(peek().text);
        ++at_;
        return true;
    }
    bool read_list(Condition& condition) {
        if (!take_sign("(")) return refuse("EXPECTED_LIST", "expected a list behind the operator.");
        if (take_sign(")")) return refuse("PROHIBITED_EMPTY_LIST_IN_CONDITION", "a list is empty.");
        do {
            if (!read_value(condition)) return false;
        } while (take_sign(","));
        return take_sign(")") || unexpected();
    }
    bool read_values(Condition& condition) {
        switch (condition.op) {
            case Operator::is_null:
            case Operator::is_not_null: return true;
            case Operator::in:
            case Operator::not_in:
            case Operator::contains_any:
            case Operator::contains_all:
            case Operator::contains_none: return read_list(condition);
            case Operator::between:
                if (!read_value(condition)) return false;
                if (!take_word("AND"))
                    return refuse("EXPECTED_VALUE_WITH_BETWEEN_OPERATOR", "expected AND behind the first value.");
                return read_value(condition);
            default:
                if (peek().text == "(") return refuse("EXPECTED_SINGLE_VALUE", "expected a single value.");
                return read_value(condition);
        }
    }

    bool read_sortings() {
        if (!take_word("BY")) return refuse("EXPECTED_BY", "expected BY behind ORDER.");
        do {
            Sorting sorting;
            if (!read_field(sorting.field)) return false;
            sorting.descending = take_word("DESC");
            if (!sorting.descending) take_word("ASC");
            gaql_.sortings.push_back(std::move(sorting));
        } while (take_sign(","));
        return true;
    }
    bool read_limit() {
        int64_t limit = 0;
        const std::string& text = peek().text;
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), limit);
        if (peek().kind != Kind::word || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
            return refuse("BAD_LIMIT_VALUE", "bad limit " + text + ".");
        if (limit < 1) return refuse("LIMIT_VALUE_TOO_LOW", "the limit must be at least 1.");
        gaql_.limit = limit;
        ++at_;
        return true;
    }
    bool read_parameters() {
        constexpr std::string_view kKnown[] = {"include_drafts", "omit_unselected_resource_names"};
        do {
            std::string name;
            if (!read_field(name)) return false;
            if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown))
                return refuse("BAD_PARAMETER_NAME", "bad parameter " + name + ".");
            if (!take_sign("=")) return unexpected();
            const std::string value = to_lower(peek().text);
            if (value != "true" && value != "false")
                return refuse("BAD_PARAMETER_VALUE", "bad value of parameter " + name + ".");
            gaql_.parameters[name] = value;
            ++at_;
        } while (take_sign(","));
        return true;
    }

    const std::string_view text_;
    const bool needs_from_;
    std::vector<Token> tokens_;
    size_t at_ = 0;
    Gaql gaql_;
    std::optional<Refusal> refusal_;
};

}  // namespace

bool Gaql::selects(std::string_view field) const {
    return std::find(fields.begin(), fields.end(), field) != fields.end();
}

bool Gaql::filters(std::string_view field) const {
    return std::any_of(conditions.begin(), conditions.end(), [&](const Condition& c) { return c.field == field; });
}

std::variant<Gaql, Refusal> parse_gaql(std::string_view text, bool needs_from) {
    return Reader(text, needs_from).read();
}

}  // namespace shaduf::sandbox::google_ads
