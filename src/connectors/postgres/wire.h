#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "data/buffer.h"

namespace shaduf {

// Binary COPY begins with these bytes, then flags and the size of what follows them, both 0.
inline constexpr std::string_view kCopyHeader{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
inline constexpr int32_t kCopyNull = -1;

// PostgreSQL counts from 2000-01-01.
inline constexpr int32_t kPostgresEpochDays = 10'957;
inline constexpr int64_t kPostgresEpochMicros = int64_t{kPostgresEpochDays} * 86'400 * 1'000'000;

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

template <typename T>
inline void store_big_endian(T number, uint8_t* to) {
    auto value = static_cast<std::make_unsigned_t<T>>(number);
    if constexpr (sizeof value == 2) value = __builtin_bswap16(value);
    if constexpr (sizeof value == 4) value = __builtin_bswap32(value);
    if constexpr (sizeof value == 8) value = __builtin_bswap64(value);
    std::memcpy(to, &value, sizeof value);
}

template <typename T>
inline void put_big_endian(BufferBuilder& out, T value) {
    const size_t at = out.size();
    out.resize(at + sizeof value);
    store_big_endian(value, out.data() + at);
}

// A field of a row: its size, then its value.
template <typename T>
inline void put_field(BufferBuilder& out, T value) {
    const size_t at = out.size();
    out.resize(at + sizeof(int32_t) + sizeof value);
    store_big_endian(static_cast<int32_t>(sizeof value), out.data() + at);
    store_big_endian(value, out.data() + at + sizeof(int32_t));
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
