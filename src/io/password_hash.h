#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace shaduf {

// How much work a password's hash is. Those that were made with other settings still verify.
struct PasswordWork {
    uint64_t passes = 3;
    uint64_t memory_bytes = 32 << 20;
};

// argon2id by libsodium, as a text with its salt and settings. Takes some tens of milliseconds and `memory_bytes`.
// exhausted: there is no memory for it.
Result<std::string> hash_password(std::string_view password, const PasswordWork& work);
bool verify_password(const std::string& hash, std::string_view password);

// From the system's generator, for what nobody may guess.
std::string random_bytes(size_t count);
// Takes the same time wherever they differ.
bool equals_in_constant_time(std::string_view a, std::string_view b);

}  // namespace shaduf
