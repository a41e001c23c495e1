#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "data/batch.h"

namespace shaduf {

inline constexpr auto kPowersOfTen = [] {
    std::array<int128, kDecimalDigitsMax + 1> powers{};
    powers[0] = 1;
    for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
    return powers;
}();
// REQUIRES: 0 <= exponent <= 38
inline int128 power_of_ten(int exponent) { return kPowersOfTen[static_cast<size_t>(exponent)]; }
// Whether `unscaled` has a place in a column of that many digits.
inline bool has_digits(int128 unscaled, int precision) {
    const int128 limit = power_of_ten(precision);
    return unscaled < limit && unscaled > -limit;
}

// Whether integers or decimals of type `from` become a decimal `to` but for those that have too many digits before the
// point: each value is to be asked, none is rounded.
bool converts_by_value(const DataType& from, const DataType& to);
struct CheckedDecimals {
    Column column;
    std::vector<uint32_t> misfits;  // rows, ascending, whose value had no place; it is null now
};
// REQUIRES: converts_by_value(column.type, to)
CheckedDecimals to_decimals(const Column& column, const DataType& to);

}  // namespace shaduf
