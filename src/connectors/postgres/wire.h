#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace shaduf {

// A big-endian integer. REQUIRES: sizeof(T) bytes at `from`
template <typename T>
inline T load_big_endian(const char* from) {
    std::make_unsigned_t<T> value;
    std::memcpy(&value, from, sizeof value);
    if constexpr (sizeof value == 2) value = __builtin_bswap16(value);
    if constexpr (sizeof value == 4) value = __builtin_bswap32(value);
    if constexpr (sizeof value == 8) value = __builtin_bswap64(value);
    return static_cast<T>(value);
}

// Cuts an integer from the front; false when there are too few bytes.
template <typename T>
inline bool take_big_endian(std::string_view& bytes, T& value) {
    if (bytes.size() < sizeof value) return false;
    value = load_big_endian<T>(bytes.data());
    bytes.remove_prefix(sizeof value);
    return true;
}

}  // namespace shaduf
