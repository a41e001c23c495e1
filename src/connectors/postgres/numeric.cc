#include "connectors/postgres/numeric.h"

#include <algorithm>
#include <array>

#include "connectors/postgres/wire.h"

namespace shaduf {
namespace {

constexpr int kDigitsMax = 38;
constexpr uint16_t kNotANumber = 0xC000;
constexpr uint16_t kInfinity = 0xD000;
constexpr uint16_t kNegativeInfinity = 0xF000;
constexpr size_t kHeaderBytes = 8;
constexpr int kBase = 10'000;

constexpr std::array<int128, kDigitsMax + 1> make_powers() {
    std::array<int128, kDigitsMax + 1> powers{};
    powers[0] = 1;
    for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
    return powers;
}
constexpr auto kPowers = make_powers();
constexpr int128 kDecimalMax = kPowers[kDigitsMax] - 1;

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
    for (int i = 0; i < number.count_; ++i) {
        if (number.digit(i) < 0 || number.digit(i) >= kBase) return std::nullopt;
    }
    return number;
}

int WireNumeric::digit(int i) const {
    if (i < 0 || i >= count_) return 0;
    return load_big_endian<int16_t>(digits_.data() + 2 * static_cast<size_t>(i));
}

std::optional<int128> WireNumeric::to_decimal(int scale) const {
    int128 value = 0;
    for (int i = 0; i < count_; ++i) {
        // Of the digit, times 10^scale.
        const int exponent = 4 * (weight_ - i) + scale;
        const int own = digit(i);
        if (own == 0) continue;
        if (exponent >= kDigitsMax || exponent <= -4) return std::nullopt;  // too great, or finer than the scale
        int128 part = own;
        if (exponent >= 0) {
            const int128 power = kPowers[static_cast<size_t>(exponent)];
            if (exponent > kDigitsMax - 4 && own > kDecimalMax / power) return std::nullopt;
            part *= power;
        } else {
            const auto divisor = static_cast<int>(kPowers[static_cast<size_t>(-exponent)]);
            if (own % divisor != 0) return std::nullopt;
            part = own / divisor;
        }
        if (part > kDecimalMax - value) return std::nullopt;
        value += part;
    }
    return (sign_ & kNegative) != 0 ? -value : value;
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

}  // namespace shaduf
