// Python's literals, as ast.literal_eval reads them.

#include <optional>

#include "jinja/escapes.h"
#include "jinja/number_parse.h"
#include "jinja/template.h"
#include "jinja/unicode.h"

namespace shaduf::jinja {
namespace {

constexpr int kNestedMax = 100;

class LiteralReader {
public:
    explicit LiteralReader(std::string_view text) : text_(text) {}

    // A tuple may stand without parentheses.
    std::optional<Value> run() {
        auto first = read(0);
        skip_space();
        if (!first || at_ == text_.size()) return first;
        std::vector<Value> items{std::move(*first)};
        while (skip(',')) {
            skip_space();
            if (at_ == text_.size()) break;
            auto item = read(0);
            if (!item) return std::nullopt;
            items.push_back(std::move(*item));
            skip_space();
        }
        if (at_ != text_.size()) return std::nullopt;
        return Value::tuple(std::move(items));
    }

private:
    void skip_space() {
        constexpr std::string_view kBlanks = " \t\n\r\f";
        while (at_ < text_.size()) {
            if (text_[at_] == '#') {
                while (at_ < text_.size() && text_[at_] != '\n') ++at_;
            } else if (kBlanks.find(text_[at_]) == std::string_view::npos || (nested_ == 0 && text_[at_] == '\n')) {
                break;
            } else {
                ++at_;
            }
        }
    }
    bool skip(char byte) {
        if (at_ >= text_.size() || text_[at_] != byte) return false;
        ++at_;
        return true;
    }
    bool skip_word(std::string_view word) {
        if (text_.substr(at_, word.size()) != word) return false;
        const size_t end = at_ + word.size();
        if (end < text_.size() && is_name_part(code_point_at(text_, end))) return false;
        at_ = end;
        return true;
    }

    std::optional<Value> read(int depth) {
        if (depth > kNestedMax) return std::nullopt;
        skip_space();
        if (at_ >= text_.size()) return std::nullopt;
        if (skip_word("None")) return Value::none();
        if (skip_word("True")) return Value(true);
        if (skip_word("False")) return Value(false);
        if (skip_word("set")) return read_empty_set();
        const char byte = text_[at_];
        if (byte == '\'' || byte == '"' || is_string_prefix()) return read_strings();
        if (byte == '[') return read_list(depth);
        if (byte == '(') return read_tuple(depth);
        if (byte == '{') return read_braces(depth);
        return read_number();
    }

    std::optional<Value> read_empty_set() {
        skip_space();
        if (!skip('(')) return std::nullopt;
        skip_space();
        if (!skip(')')) return std::nullopt;
        return Value(make<Set>());
    }

    bool is_string_prefix() const {
        if (at_ + 1 >= text_.size()) return false;
        const char letter = static_cast<char>(text_[at_] | 0x20);
        return (letter == 'r' || letter == 'u') && (text_[at_ + 1] == '\'' || text_[at_ + 1] == '"');
    }

    std::optional<Value> read_strings() {
        std::string text;
        for (;;) {
            const bool is_raw = is_string_prefix() && (text_[at_] | 0x20) == 'r';
            if (is_string_prefix()) ++at_;
            auto part = read_string(is_raw);
            if (!part) return std::nullopt;
            text += *part;
            skip_space();
            const bool goes_on = at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"' || is_string_prefix());
            if (!goes_on) return Value(std::move(text));
        }
    }

    std::optional<std::string> read_string(bool is_raw) {
        const char quote = text_[at_];
        const bool is_triple = text_.substr(at_, 3) == std::string(3, quote);
        at_ += is_triple ? 3 : 1;
        const size_t begin = at_;
        for (; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\\') {
                ++at_;
                continue;
            }
            if (!is_triple && text_[at_] == '\n') return std::nullopt;
            if (text_[at_] != quote || (is_triple && text_.substr(at_, 3) != std::string(3, quote))) continue;
            const std::string_view held = text_.substr(begin, at_ - begin);
            at_ += is_triple ? 3 : 1;
            if (is_raw) return std::string(held);
            auto text = unescape_string(held);
            if (!text.ok()) return std::nullopt;
            return text.release_value();
        }
        return std::nullopt;
    }

    // Items up to a closing bracket. False: no literals.
    bool read_items(std::vector<Value>& items, char close, int depth, bool& has_comma) {
        ++nested_;
        for (;;) {
            skip_space();
            if (skip(close)) break;
            auto item = read(depth + 1);
            if (!item) return false;
            items.push_back(std::move(*item));
            skip_space();
            if (skip(',')) {
                has_comma = true;
            } else if (at_ >= text_.size() || text_[at_] != close) {
                return false;
            }
        }
        --nested_;
        return true;
    }

    std::optional<Value> read_list(int depth) {
        std::vector<Value> items;
        bool has_comma = false;
        ++at_;
        if (!read_items(items, ']', depth, has_comma)) return std::nullopt;
        return Value::list(std::move(items));
    }

    std::optional<Value> read_tuple(int depth) {
        std::vector<Value> items;
        bool has_comma = false;
        ++at_;
        if (!read_items(items, ')', depth, has_comma)) return std::nullopt;
        if (items.size() == 1 && !has_comma) return std::move(items[0]);
        return Value::tuple(std::move(items));
    }

    std::optional<Value> read_braces(int depth) {
        auto dict = make<Dict>();
        auto set = make<Set>();
        ++at_;
        ++nested_;
        for (;;) {
            skip_space();
            if (skip('}')) break;
            auto key = read(depth + 1);
            if (!key || !key->hash()) return std::nullopt;
            skip_space();
            if (skip(':')) {
                auto value = read(depth + 1);
                if (!value || set->members.size() > 0) return std::nullopt;
                dict->set(std::move(*key), std::move(*value));
            } else {
                if (dict->size() > 0) return std::nullopt;
                set->members.set(std::move(*key), Value::none());
            }
            skip_space();
            if (!skip(',') && (at_ >= text_.size() || text_[at_] != '}')) return std::nullopt;
        }
        --nested_;
        return set->members.size() > 0 ? Value(set) : Value(dict);
    }

    std::optional<Value> read_number() {
        bool is_negative = false;
        while (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) {
            is_negative ^= text_[at_++] == '-';
            skip_space();
        }
        const size_t begin = at_;
        while (at_ < text_.size()) {
            const char byte = text_[at_];
            const char last = at_ > begin ? static_cast<char>(text_[at_ - 1] | 0x20) : '\0';
            const bool is_hex = text_.substr(begin, 2) == "0x" || text_.substr(begin, 2) == "0X";
            const bool is_exponent_sign = (byte == '-' || byte == '+') && last == 'e' && !is_hex;
            if (!is_name_part(static_cast<unsigned char>(byte)) && byte != '.' && !is_exponent_sign) break;
            ++at_;
        }
        const std::string_view digits = text_.substr(begin, at_ - begin);
        if (digits.empty() || (digits[0] != '.' && (digits[0] < '0' || digits[0] > '9'))) return std::nullopt;
        const auto whole = parse_integer((is_negative ? "-" : "") + std::string(digits), 0);
        if (whole.is_too_big) return std::nullopt;
        if (whole.number) return Value(*whole.number);
        const bool is_float = digits.find_first_of(".eE") != std::string_view::npos;
        const auto number = is_float ? parse_float(digits) : std::nullopt;
        if (!number) return std::nullopt;
        return Value(is_negative ? -*number : *number);
    }

    std::string_view text_;
    size_t at_ = 0;
    int nested_ = 0;
};

}  // namespace

std::optional<Value> parse_literal(std::string_view text) {
    // Blanks before are allowed by the parser that reads literals, as Python's own strips them.
    while (!text.empty() && (text[0] == ' ' || text[0] == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    return LiteralReader(text).run();
}

}  // namespace shaduf::jinja
