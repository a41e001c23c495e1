#include "connectors/google_ads/amount.h"

#include <charconv>

namespace shaduf::google_ads {
namespace {

constexpr int64_t kAmountMax = 999'999'999'999'999'999;
constexpr int kExponentMax = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<int64_t> parse_micros(std::string_view number) {
    const bool is_negative = number.starts_with('-');
    if (is_negative) number.remove_prefix(1);
    int exponent = 0;
    if (const auto e = number.find_first_of("eE"); e != std::string_view::npos) {
        std::string_view digits = number.substr(e + 1);
        if (digits.starts_with('+')) digits.remove_prefix(1);
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
        if (digits.empty() || read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return std::nullopt;
        number = number.substr(0, e);
    }
    if (exponent > kExponentMax || exponent < -kExponentMax) return std::nullopt;
    const auto point = std::min(number.find('.'), number.size());
    const std::string_view fraction = point < number.size() ? number.substr(point + 1) : std::string_view();
    if (point == 0 || (point < number.size() && fraction.empty())) return std::nullopt;

    // Digits before `unit` are whole millionths; the one behind it rounds.
    const int64_t unit = static_cast<int64_t>(point) + exponent;
    int64_t value = 0;
    int64_t place = 0;
    bool rounds_up = false;
    for (const std::string_view part : {number.substr(0, point), fraction}) {
        for (const char c : part) {
            if (!is_digit(c)) return std::nullopt;
            if (place < unit) {
                if (value > kAmountMax / 10) return std::nullopt;
                value = value * 10 + (c - '0');
                if (value > kAmountMax) return std::nullopt;
            } else if (place == unit) {
                rounds_up = c >= '5';
            }
            ++place;
        }
    }
    for (; place < unit && value != 0; ++place) {
        if (value > kAmountMax / 10) return std::nullopt;
        value *= 10;
    }
    if (rounds_up && ++value > kAmountMax) return std::nullopt;
    return is_negative ? -value : value;
}

}  // namespace shaduf::google_ads
