#pragma once

#include <cstdint>

// All of src/sandbox stands in namespace shaduf::sandbox: its accounts, campaigns and worlds are made up.
namespace shaduf::sandbox {

// Numbers that follow from keys: the same keys always give the same ones, on any machine, so that nothing need be
// stored. Stafford's mix 13 of the finaliser of MurmurHash3, as SplitMix64 has it.
constexpr uint64_t mix(uint64_t value) {
    value += 0x9E3779B97F4A7C15ULL;
    value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31U);
}

constexpr uint64_t dice(uint64_t key) { return mix(key); }
template <typename... Keys>
constexpr uint64_t dice(uint64_t first, uint64_t second, Keys... rest) {
    return dice(mix(first) ^ (second * 0xD1B54A32D192ED03ULL), static_cast<uint64_t>(rest)...);
}

// In [0, 1).
constexpr double unit(uint64_t rolled) { return static_cast<double>(rolled >> 11U) * 0x1.0p-53; }
// In [low, high).
constexpr double between(uint64_t rolled, double low, double high) { return low + unit(rolled) * (high - low); }
// The whole part, and one more as often as the rest says, so that small rates are not lost.
constexpr int64_t round_by_chance(double value, uint64_t rolled) {
    const auto whole = static_cast<int64_t>(value);
    return whole + (unit(rolled) < value - static_cast<double>(whole) ? 1 : 0);
}

}  // namespace shaduf::sandbox
