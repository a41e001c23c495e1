#include "io/token_cipher.h"

#include <openssl/evp.h>

#include <array>
#include <optional>

namespace shaduf {
namespace {

constexpr std::string_view kPrefix = "tok_";
constexpr size_t kTagBytes = 16;
// OpenSSL's SIV cannot seal nothing. A value of no bytes is sealed as one byte under this associated data, which no
// other value has.
constexpr std::string_view kEmptyValue = "empty value";
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

std::string encode(std::string_view bytes) {
    std::string text;
    unsigned bits = 0;
    int count = 0;
    for (const char c : bytes) {
        bits = bits << 8 | static_cast<unsigned char>(c);
        for (count += 8; count >= 6; count -= 6) text += kAlphabet[bits >> (count - 6) & 63];
        bits &= 0xFF;
    }
    if (count > 0) text += kAlphabet[bits << (6 - count) & 63];
    return text;
}

bool decode(std::string_view text, std::string& bytes) {
    unsigned bits = 0;
    int count = 0;
    for (const char c : text) {
        const auto value = kAlphabet.find(c);
        if (value == std::string_view::npos) return false;
        bits = (bits << 6 | static_cast<unsigned>(value)) & 0xFFFF;
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>(bits >> count & 0xFF);
        }
    }
    return true;
}

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

struct TokenCipher::State {
    std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)> cipher{nullptr, EVP_CIPHER_free};
    std::array<unsigned char, 64> key{};

    Result<std::string> seal(std::string_view value, std::string_view associated) const;
    // nullopt: not sealed with this key and these associated data.
    std::optional<std::string> open(std::string& sealed, std::string_view associated) const;
};

TokenCipher::TokenCipher(std::unique_ptr<State> state) : state_(std::move(state)) {}
TokenCipher::~TokenCipher() = default;

Result<std::unique_ptr<TokenCipher>> TokenCipher::create(std::string_view passphrase) {
    auto state = std::make_unique<State>();
    state->cipher.reset(EVP_CIPHER_fetch(nullptr, "AES-256-SIV", nullptr));
    if (state->cipher == nullptr) return Error(ErrorKind::internal, "this OpenSSL has no AES-256-SIV");
    EVP_Digest(passphrase.data(), passphrase.size(), state->key.data(), nullptr, EVP_sha512(), nullptr);
    return std::unique_ptr<TokenCipher>(new TokenCipher(std::move(state)));
}

Result<std::string> TokenCipher::tokenize(std::string_view value) const {
    return value.empty() ? state_->seal(" ", kEmptyValue) : state_->seal(value, "");
}

Result<std::string> TokenCipher::State::seal(std::string_view value, std::string_view associated) const {
    const CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    std::string sealed(kTagBytes + value.size(), '\0');
    int length = 0;
    const bool done = EVP_EncryptInit_ex(context.get(), cipher.get(), nullptr, key.data(), nullptr) == 1 &&
                      (associated.empty() || EVP_EncryptUpdate(context.get(), nullptr, &length, bytes_of(associated),
                                                               static_cast<int>(associated.size())) == 1) &&
                      EVP_EncryptUpdate(context.get(), bytes_of(sealed) + kTagBytes, &length, bytes_of(value),
                                        static_cast<int>(value.size())) == 1 &&
                      EVP_EncryptFinal_ex(context.get(), bytes_of(sealed) + kTagBytes + length, &length) == 1 &&
                      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, sealed.data()) == 1;
    if (!done) return Error(ErrorKind::internal, "OpenSSL could not encrypt a value");
    return std::string(kPrefix) + encode(sealed);
}

Result<std::string> TokenCipher::detokenize(std::string_view token) const {
    const Error refused(ErrorKind::bad_data, "not a token of this policy key");
    std::string sealed;
    if (token.substr(0, kPrefix.size()) != kPrefix || !decode(token.substr(kPrefix.size()), sealed)) return refused;
    if (sealed.size() <= kTagBytes) return refused;
    if (auto value = state_->open(sealed, "")) return std::move(*value);
    if (state_->open(sealed, kEmptyValue)) return std::string();
    return refused;
}

std::optional<std::string> TokenCipher::State::open(std::string& sealed, std::string_view associated) const {
    const CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    std::string value(sealed.size() - kTagBytes, '\0');
    int length = 0;
    const bool done =
        EVP_DecryptInit_ex(context.get(), cipher.get(), nullptr, key.data(), nullptr) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, sealed.data()) == 1 &&
        (associated.empty() || EVP_DecryptUpdate(context.get(), nullptr, &length, bytes_of(associated),
                                                 static_cast<int>(associated.size())) == 1) &&
        EVP_DecryptUpdate(context.get(), bytes_of(value), &length, bytes_of(std::string_view(sealed)) + kTagBytes,
                          static_cast<int>(value.size())) == 1;
    if (!done) return std::nullopt;
    return value;
}

}  // namespace shaduf
