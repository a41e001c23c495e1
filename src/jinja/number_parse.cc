#include "jinja/number_parse.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "jinja/unicode.h"

namespace shaduf::jinja {
namespace {

bool is_alnum_byte(char byte) { return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z'); }

// Without underscores; nullopt: one does not stand between digits.
std::optional<std::string> without_underscores(std::string_view text) {
    std::string out;
    for (size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '_') {
            out += text[at];
            continue;
        }
        const bool is_between =
            at > 0 && at + 1 < text.size() && is_alnum_byte(text[at - 1]) && is_alnum_byte(text[at + 1]);
        if (!is_between) return std::nullopt;
    }
    return out;
}

}  // namespace

std::optional<double> parse_float(std::string_view text) {
    text = strip_space(text, Side::both);
    const auto plain = without_underscores(text);
    if (!plain || plain->empty()) return std::nullopt;
    std::string_view digits = *plain;
    const bool is_negative = digits[0] == '-';
    if (digits[0] == '-' || digits[0] == '+') digits.remove_prefix(1);
    const std::string word = map_case(digits, CaseMapping::lower);
    double number = 0;
    if (word == "inf" || word == "infinity") {
        number = std::numeric_limits<double>::infinity();
    } else if (word == "nan") {
        number = std::numeric_limits<double>::quiet_NaN();
    } else {
        if (digits.empty() || (digits[0] != '.' && (digits[0] < '0' || digits[0] > '9'))) return std::nullopt;
        const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (end != digits.data() + digits.size()) return std::nullopt;
        if (status == std::errc::result_out_of_range) number = std::strtod(std::string(digits).c_str(), nullptr);
    }
    return is_negative ? -number : number;
}

ParsedInteger parse_integer(std::string_view text, int base) {
    text = strip_space(text, Side::both);
    const bool is_negative = text.starts_with('-');
    if (is_negative || text.starts_with('+')) text.remove_prefix(1);
    const char letter = text.size() > 1 && text[0] == '0' ? static_cast<char>(text[1] | 0x20) : '\0';
    const int prefixed = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    if (prefixed != 0 && (base == prefixed || base == 0)) {
        text.remove_prefix(2);
        if (text.starts_with('_')) text.remove_prefix(1);
        base = prefixed;
    } else if (base == 0) {
        if (text.size() > 1 && text[0] == '0' && text.find_first_not_of("0_") != std::string_view::npos) return {};
        base = 10;
    }
    const auto plain = without_underscores(text);
    if (!plain || plain->empty() || !is_alnum_byte((*plain)[0])) return {};
    const std::string digits = (is_negative ? "-" : "") + *plain;
    int64_t number = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
    if (end != digits.data() + digits.size()) return {};
    if (status == std::errc::result_out_of_range) return {std::nullopt, true};
    if (status != std::errc()) return {};
    return {number, false};
}

}  // namespace shaduf::jinja
