#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace shaduf {

using Sha256Digest = std::array<uint8_t, 32>;

// Thread-safe; text or bytes alike. FIPS 180-4, RFC 2104, RFC 4648.
Sha256Digest sha256(std::string_view bytes);
Sha256Digest hmac_sha256(std::string_view key, std::string_view bytes);
// For the signatures of OAuth 1.0a (RFC 5849), which allows no better one; 20 bytes.
std::string hmac_sha1(std::string_view key, std::string_view bytes);
// For comparing with what S3 says of an object, never for safety. "" where the platform forbids MD5.
std::string md5(std::string_view bytes);
// For what others name by it (lock files, git), never for safety.
std::string sha1(std::string_view bytes);
inline std::string_view as_text(const Sha256Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// SHA-256 of bytes that come in pieces. Not thread-safe.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;
    void add(std::string_view bytes);
    // Ends it: nothing may be added any more.
    Sha256Digest finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

std::string to_hex(std::string_view bytes);  // lower case
inline std::string to_hex(const Sha256Digest& digest) { return to_hex(as_text(digest)); }
std::string to_base64(std::string_view bytes);  // with padding
Result<std::string> from_hex(std::string_view text);
// The URL alphabet, without padding (RFC 4648, 5).
std::string to_base64url(std::string_view bytes);
// With or without padding, the URL alphabet too. bad_data for anything else.
Result<std::string> from_base64(std::string_view text);

// RSASSA-PKCS1-v1_5 with SHA-256 (RS256 of RFC 7518), by a private key in PEM without a passphrase. invalid_config when
// it is no such key; no message has any of it.
Result<std::string> sign_rs256(const std::string& private_key, std::string_view text);

}  // namespace shaduf
