#include "connectors/postgres/json_check.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace shaduf {
namespace {

constexpr std::string_view kZero = "the value is no jsonb: it has \\u0000, which no text of PostgreSQL can hold";
constexpr std::string_view kSurrogate = "the value is no jsonb: it has one half of a surrogate pair";
constexpr std::string_view kNumber = "the value is no jsonb: it has a number of too many digits";

constexpr int64_t kWholeDigitsMax = 131'072;
constexpr int64_t kScaleMax = 16'383;

// The code behind "\u" at `at`; nullopt when there is none.
std::optional<unsigned> escape_at(std::string_view json, size_t at) {
    if (at + 6 > json.size() || json[at] != '\\' || json[at + 1] != 'u') return std::nullopt;
    unsigned code = 0;
    const char* begin = json.data() + at + 2;
    if (std::from_chars(begin, begin + 4, code, 16).ptr != begin + 4) return std::nullopt;
    return code;
}

bool is_high(unsigned code) { return code >= 0xD800 && code < 0xDC00; }
bool is_low(unsigned code) { return code >= 0xDC00 && code < 0xE000; }

// Passes over the string that begins behind `at`, to the place behind its end.
std::string_view pass_string(std::string_view json, size_t& at) {
    for (;;) {
        at = json.find_first_of("\"\\", at);
        if (at == std::string_view::npos || json[at] == '"') break;
        const auto code = escape_at(json, at);
        if (!code) {
            at += 2;
            continue;
        }
        if (*code == 0) return kZero;
        if (is_low(*code)) return kSurrogate;
        at += 6;
        if (!is_high(*code)) continue;
        const auto next = escape_at(json, at);
        if (!next || !is_low(*next)) return kSurrogate;
        at += 6;
    }
    at = at == std::string_view::npos ? json.size() : at + 1;
    return {};
}

bool fits_numeric(std::string_view number) {
    if (number.starts_with('-')) number.remove_prefix(1);
    const size_t digits_end = std::min(number.find_first_of("eE"), number.size());
    int64_t exponent = 0;
    if (digits_end < number.size()) {
        const char* begin = number.data() + digits_end + 1;
        if (*begin == '+') ++begin;
        if (std::from_chars(begin, number.data() + number.size(), exponent).ec != std::errc{}) return false;
    }
    const auto digits = number.substr(0, digits_end);
    const size_t point = std::min(digits.find('.'), digits.size());
    const auto behind = static_cast<int64_t>(digits.size() - std::min(point + 1, digits.size()));
    if (exponent > kWholeDigitsMax || exponent < -kScaleMax) return false;
    return static_cast<int64_t>(point) + exponent <= kWholeDigitsMax && behind - exponent <= kScaleMax;
}

}  // namespace

std::string_view find_jsonb_problem(std::string_view json) {
    constexpr size_t kShortNumber = 16;  // without an exponent, digits alone are no problem up to here, and far beyond
    for (size_t at = 0; at < json.size();) {
        const char c = json[at];
        if (c == '"') {
            if (const auto problem = pass_string(json, ++at); !problem.empty()) return problem;
            continue;
        }
        if (c != '-' && (c < '0' || c > '9')) {
            ++at;
            continue;
        }
        const size_t end = std::min(json.find_first_not_of("+-.0123456789eE", at), json.size());
        const auto number = json.substr(at, end - at);
        const bool is_plain = number.size() <= kShortNumber && number.find_first_of("eE") == std::string_view::npos;
        if (!is_plain && !fits_numeric(number)) return kNumber;
        at = end;
    }
    return {};
}

}  // namespace shaduf
