#include "connectors/postgres/numeric.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "connectors/postgres/wire.h"
#include "data/decimal.h"

namespace shaduf {
namespace {

constexpr int kDigitsMax = kDecimalDigitsMax;
constexpr uint16_t kNotANumber = 0xC000;
constexpr uint16_t kInfinity = 0xD000;
constexpr uint16_t kNegativeInfinity = 0xF000;
constexpr size_t kHeaderBytes = 8;
constexpr int kBase = 10'000;

void append_digits(int digit, std::string& out) {
    out += static_cast<char>('0' + digit / 1000);
    out += static_cast<char>('0' + digit / 100 % 10);
    out += static_cast<char>('0' + digit / 10 % 10);
    out += static_cast<char>('0' + digit % 10);
}

}  // namespace

std::optional<WireNumeric> WireNumeric::parse(std::string_view bytes) {
    if (bytes.size() < kHeaderBytes) return std::nullopt;
    WireNumeric number;
    number.count_ = load_big_endian<uint16_t>(bytes.data());
    number.weight_ = load_big_endian<int16_t>(bytes.data() + 2);
    number.sign_ = load_big_endian<uint16_t>(bytes.data() + 4);
    number.scale_ = load_big_endian<uint16_t>(bytes.data() + 6);
    number.digits_ = bytes.substr(kHeaderBytes);
    const bool has_sign = number.sign_ == 0 || number.sign_ == kNegative || number.sign_ == kNotANumber ||
                          number.sign_ == kInfinity || number.sign_ == kNegativeInfinity;
    constexpr int kScaleMax = 0x3FFF;
    if (!has_sign || number.scale_ > kScaleMax || number.digits_.size() != 2 * static_cast<size_t>(number.count_)) {
        return std::nullopt;
    }
    for (size_t at = 0; at < number.digits_.size(); at += 2) {
        if (load_big_endian<uint16_t>(number.digits_.data() + at) >= kBase) return std::nullopt;
    }
    return number;
}

int WireNumeric::digit(int i) const {
    if (i < 0 || i >= count_) return 0;
    return load_big_endian<int16_t>(digits_.data() + 2 * static_cast<size_t>(i));
}

std::optional<int128> WireNumeric::to_decimal(int precision, int scale) const {
    // Up to 16 digits, as most numbers have them, need no arithmetic of 128 bits.
    constexpr int kFew = 4;
    const int last_exponent = 4 * (weight_ - count_ + 1) + scale;
    if (count_ > kFew || last_exponent <= -4 || last_exponent > 2) {
        const auto value = magnitude(scale);
        if (!value || !has_digits(*value, precision)) return std::nullopt;
        return (sign_ & kNegative) != 0 ? -*value : *value;
    }
    int64_t value = 0;
    for (size_t at = 0; at < digits_.size(); at += 2) {
        value = value * kBase + load_big_endian<uint16_t>(digits_.data() + at);
    }
    constexpr std::array<int64_t, 4> kPowers{1, 10, 100, 1000};
    if (last_exponent >= 0) {
        value *= kPowers[static_cast<size_t>(last_exponent)];
    } else {
        const int64_t divisor = kPowers[static_cast<size_t>(-last_exponent)];
        if (value % divisor != 0) return std::nullopt;
        value /= divisor;
    }
    if (precision <= kShortDecimalDigitsMax && value >= static_cast<int64_t>(power_of_ten(precision))) {
        return std::nullopt;
    }
    return (sign_ & kNegative) != 0 ? -value : value;
}

// Without its sign.
std::optional<int128> WireNumeric::magnitude(int scale) const {
    const int128 greatest = power_of_ten(kDigitsMax) - 1;
    int128 value = 0;
    for (int i = 0; i < count_; ++i) {
        // Of the digit, times 10^scale.
        const int exponent = 4 * (weight_ - i) + scale;
        const int own = digit(i);
        if (own == 0) continue;
        if (exponent >= kDigitsMax || exponent <= -4) return std::nullopt;  // too great, or finer than the scale
        int128 part = own;
        if (exponent >= 0) {
            const int128 power = power_of_ten(exponent);
            if (exponent > kDigitsMax - 4 && own > greatest / power) return std::nullopt;
            part *= power;
        } else {
            const auto divisor = static_cast<int>(power_of_ten(-exponent));
            if (own % divisor != 0) return std::nullopt;
            part = own / divisor;
        }
        if (part > greatest - value) return std::nullopt;
        value += part;
    }
    return value;
}

void WireNumeric::append_text(std::string& out) const {
    if (sign_ == kNotANumber) {
        out += "NaN";
        return;
    }
    if ((sign_ & kNegative) != 0 && sign_ != kInfinity) out += '-';
    if (!is_finite()) {
        out += "Infinity";
        return;
    }
    const size_t begin = out.size();
    for (int i = 0; i <= weight_; ++i) append_digits(digit(i), out);
    const size_t zeros = std::min(out.find_first_not_of('0', begin), out.size()) - begin;
    out.erase(begin, zeros);
    if (out.size() == begin) out += '0';
    if (scale_ == 0) return;
    out += '.';
    const size_t point = out.size();
    for (int i = weight_ + 1; out.size() - point < static_cast<size_t>(scale_); ++i) append_digits(digit(i), out);
    out.resize(point + static_cast<size_t>(scale_));
}

// -------------------------------------------------------------------------------------------------------------- to
// wire

std::optional<NumericLimits> numeric_limits_of(int32_t modifier) {
    constexpr int32_t kHeader = 4;
    if (modifier < kHeader) return std::nullopt;
    return NumericLimits{((modifier - kHeader) >> 16) & 0xFFFF, (((modifier - kHeader) & 0x7FF) ^ 1024) - 1024};
}

bool fits_numeric(int128 unscaled, int scale, const NumericLimits& limits) {
    if (unscaled == 0) return true;
    const int lost = scale - limits.scale;  // digits behind the last one held
    if (lost > kDigitsMax || (lost > 0 && unscaled % power_of_ten(lost) != 0)) return false;
    const int digits = limits.precision - limits.scale + scale;
    if (digits > kDigitsMax) return true;
    if (digits <= 0) return false;
    return has_digits(unscaled, digits);
}

void put_numeric(BufferBuilder& out, int128 unscaled, int scale) {
    const bool is_negative = unscaled < 0;
    __extension__ using uint128 = unsigned __int128;
    uint128 rest = is_negative ? uint128{0} - static_cast<uint128>(unscaled) : static_cast<uint128>(unscaled);
    // From the last digit on. One digit of the base is four of ours, counted from the point.
    std::array<int16_t, 16> digits{};
    size_t count = 0;
    const int odd = scale % 4;
    if (odd > 0) {
        const auto divisor = static_cast<uint64_t>(power_of_ten(odd));
        const uint64_t part =
            rest <= UINT64_MAX ? static_cast<uint64_t>(rest) % divisor : static_cast<uint64_t>(rest % divisor);
        rest = rest <= UINT64_MAX ? static_cast<uint64_t>(rest) / divisor : rest / divisor;
        digits[count++] = static_cast<int16_t>(part * static_cast<uint64_t>(power_of_ten(4 - odd)));
    }
    while (rest > UINT64_MAX) {
        constexpr uint64_t kFourDigits = 10'000'000'000'000'000;
        auto part = static_cast<uint64_t>(rest % kFourDigits);
        rest /= kFourDigits;
        for (int i = 0; i < 4; ++i, part /= kBase) digits[count++] = static_cast<int16_t>(part % kBase);
    }
    for (auto low = static_cast<uint64_t>(rest); low != 0; low /= kBase)
        digits[count++] = static_cast<int16_t>(low % kBase);
    const int behind_point = (scale + 3) / 4;
    while (count > 0 && digits[count - 1] == 0) --count;
    const size_t at = out.size();
    out.resize(at + kHeaderBytes + 2 * count);
    uint8_t* to = out.data() + at;
    store_big_endian(static_cast<uint16_t>(count), to);
    store_big_endian(static_cast<int16_t>(static_cast<int>(count) - behind_point - 1), to + 2);
    store_big_endian<uint16_t>(is_negative ? WireNumeric::kNegative : 0, to + 4);
    store_big_endian(static_cast<uint16_t>(scale), to + 6);
    to += kHeaderBytes;
    for (size_t i = count; i-- > 0; to += 2) store_big_endian(digits[i], to);
}

namespace {

struct NumberText {
    bool is_negative = false;
    std::string_view whole;     // digits, without zeros before the first
    std::string_view fraction;  // digits
    int64_t exponent = 0;

    // The digit that 10^-place stands behind: 0 is the one before the point.
    int digit_at(int64_t place) const {
        const int64_t i = static_cast<int64_t>(whole.size()) - 1 + place + exponent;
        if (i < 0) return 0;
        const auto index = static_cast<size_t>(i);
        if (index < whole.size()) return whole[index] - '0';
        return index - whole.size() < fraction.size() ? fraction[index - whole.size()] - '0' : 0;
    }
};

std::string_view take_digits(std::string_view& text) {
    const size_t size = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto digits = text.substr(0, size);
    text.remove_prefix(size);
    return digits;
}

bool take_sign(std::string_view& text) {
    if (text.empty() || (text.front() != '-' && text.front() != '+')) return false;
    const bool is_negative = text.front() == '-';
    text.remove_prefix(1);
    return is_negative;
}

std::optional<NumberText> parse_number(std::string_view text) {
    NumberText number;
    number.is_negative = take_sign(text);
    number.whole = take_digits(text);
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        number.fraction = take_digits(text);
    }
    if (number.whole.empty() && number.fraction.empty()) return std::nullopt;
    if (text.starts_with('e') || text.starts_with('E')) {
        text.remove_prefix(1);
        const bool is_below = take_sign(text);
        const auto digits = take_digits(text);
        if (digits.empty()) return std::nullopt;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number.exponent);
        constexpr int64_t kExponentMax = 1'000'000;  // past it there is no place in any case
        if (read.ec != std::errc{} || number.exponent > kExponentMax) number.exponent = kExponentMax;
        if (is_below) number.exponent = -number.exponent;
    }
    if (!text.empty()) return std::nullopt;
    number.whole.remove_prefix(std::min(number.whole.find_first_not_of('0'), number.whole.size()));
    return number;
}

std::optional<uint16_t> special_number(std::string_view text) {
    const std::string name = to_lower(text);
    if (name == "nan") return kNotANumber;
    if (name == "infinity" || name == "inf" || name == "+infinity" || name == "+inf") return kInfinity;
    if (name == "-infinity" || name == "-inf") return kNegativeInfinity;
    return std::nullopt;
}

}  // namespace

NumericText put_numeric_text(BufferBuilder& out, std::string_view text, const std::optional<NumericLimits>& limits) {
    text = trim(text);
    if (const auto special = special_number(text)) {
        if (limits && *special != kNotANumber) return NumericText::too_long;
        for (const uint16_t part : {uint16_t{0}, uint16_t{0}, *special, uint16_t{0}}) put_big_endian(out, part);
        return NumericText::held;
    }
    const auto number = parse_number(text);
    if (!number) return NumericText::no_number;
    constexpr int64_t kWholeDigitsMax = 131'072;
    constexpr int64_t kScaleMax = 16'383;
    // Places of the first and of the last digit that is not zero.
    const int64_t end = static_cast<int64_t>(number->fraction.size()) - number->exponent;
    int64_t first = 1 - static_cast<int64_t>(number->whole.size()) - number->exponent;
    const bool is_zero = number->whole.empty() && number->fraction.find_first_not_of('0') == std::string_view::npos;
    if (is_zero) first = end + 1;
    while (first <= end && number->digit_at(first) == 0) ++first;
    int64_t last = end;
    while (last >= first && number->digit_at(last) == 0) --last;
    const int64_t whole_digits_max = limits ? limits->precision - limits->scale : kWholeDigitsMax;
    if (!is_zero && (1 - first > whole_digits_max || last > (limits ? limits->scale : kScaleMax))) {
        return NumericText::too_long;
    }
    const int64_t scale = std::clamp<int64_t>(end, 0, kScaleMax);
    const size_t at = out.size();
    const auto group_of = [](int64_t place) { return place > 0 ? (place + 3) / 4 : place / 4; };  // 0: before the point
    const int64_t first_group = is_zero ? 1 : group_of(first);
    const int64_t groups = is_zero ? 0 : group_of(last) - first_group + 1;
    put_big_endian(out, static_cast<uint16_t>(groups));
    put_big_endian(out, static_cast<int16_t>(is_zero ? 0 : -first_group));
    put_big_endian<uint16_t>(out, number->is_negative && !is_zero ? WireNumeric::kNegative : 0);
    put_big_endian(out, static_cast<uint16_t>(scale));
    for (int64_t group = first_group; group < first_group + groups; ++group) {
        int digit = 0;
        for (int64_t place = group * 4 - 3; place <= group * 4; ++place) digit = digit * 10 + number->digit_at(place);
        put_big_endian(out, static_cast<int16_t>(digit));
    }
    if (out.size() - at > kHeaderBytes + 2 * (kWholeDigitsMax + kScaleMax)) {
        out.resize(at);
        return NumericText::too_long;
    }
    return NumericText::held;
}

}  // namespace shaduf
