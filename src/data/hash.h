#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace shaduf {

// A fast 64-bit hash for tables in memory: two widening multiplications for text of up to 16 bytes. Not stable between
// versions, not for anything that an adversary's collisions could harm beyond speed.
inline uint64_t mix_hash(uint64_t a, uint64_t b) {
    __extension__ using uint128 = unsigned __int128;
    const uint128 product = static_cast<uint128>(a ^ 0x9E3779B97F4A7C15ULL) * (b ^ 0xD1B54A32D192ED03ULL);
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

template <typename T>
inline uint64_t load_word(const char* from) {
    T word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

inline uint64_t hash_bytes(const char* data, size_t size) {
    uint64_t a = 0;
    uint64_t b = 0;
    uint64_t seed = size * 0xA0761D6478BD642FULL;
    const char* at = data;
    size_t rest = size;
    for (; rest > 16; at += 16, rest -= 16)
        seed = mix_hash(seed ^ load_word<uint64_t>(at), load_word<uint64_t>(at + 8));
    if (rest >= 8) {
        a = load_word<uint64_t>(at);
        b = load_word<uint64_t>(at + rest - 8);
    } else if (rest >= 4) {
        a = load_word<uint32_t>(at);
        b = load_word<uint32_t>(at + rest - 4);
    } else if (rest > 0) {
        a = static_cast<uint64_t>(static_cast<unsigned char>(at[0])) << 16 |
            static_cast<uint64_t>(static_cast<unsigned char>(at[rest / 2])) << 8 |
            static_cast<unsigned char>(at[rest - 1]);
    }
    return mix_hash(seed ^ a, b ^ size);
}

// As memcmp() == 0, without a call for what is short.
inline bool equal_bytes(const char* a, const char* b, size_t size) {
    if (size > 16) return std::memcmp(a, b, size) == 0;
    if (size >= 8) {
        return ((load_word<uint64_t>(a) ^ load_word<uint64_t>(b)) |
                (load_word<uint64_t>(a + size - 8) ^ load_word<uint64_t>(b + size - 8))) == 0;
    }
    if (size >= 4) {
        return ((load_word<uint32_t>(a) ^ load_word<uint32_t>(b)) |
                (load_word<uint32_t>(a + size - 4) ^ load_word<uint32_t>(b + size - 4))) == 0;
    }
    for (size_t i = 0; i < size; ++i) {
        if (a[i] != b[i]) return false;
    }
    return true;
}

}  // namespace shaduf
