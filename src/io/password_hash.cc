#include "io/password_hash.h"

#include <sodium.h>

#include <array>

namespace shaduf {
namespace {

// Thread-safe, and only the first call does anything.
bool is_ready() { return sodium_init() >= 0; }

}  // namespace

Result<std::string> hash_password(std::string_view password, const PasswordWork& work) {
    std::array<char, crypto_pwhash_STRBYTES> hash{};
    if (!is_ready() || crypto_pwhash_str_alg(hash.data(), password.data(), password.size(), work.passes,
                                             work.memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return Error(ErrorKind::exhausted, "no memory to hash a password: " + std::to_string(work.memory_bytes) +
                                               " bytes are needed; try again when the machine has them");
    }
    return std::string(hash.data());
}

bool verify_password(const std::string& hash, std::string_view password) {
    return is_ready() && crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

std::string random_bytes(size_t count) {
    std::string bytes(count, '\0');
    SHADUF_ASSERT(is_ready());
    randombytes_buf(bytes.data(), bytes.size());
    return bytes;
}

bool equals_in_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace shaduf
