#include "io/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cctype>

namespace shaduf {
namespace {

int base64_value(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    if (c == '/' || c == '_') return 63;
    return -1;
}

}  // namespace

struct Sha256::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
    SHADUF_ASSERT(state_->context != nullptr);
    SHADUF_ASSERT(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
    SHADUF_ASSERT(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256::finish() {
    Sha256Digest digest{};
    unsigned size = 0;
    SHADUF_ASSERT(EVP_DigestFinal_ex(state_->context, digest.data(), &size) == 1 && size == digest.size());
    return digest;
}

Sha256Digest sha256(std::string_view bytes) {
    Sha256 hash;
    hash.add(bytes);
    return hash.finish();
}

Sha256Digest hmac_sha256(std::string_view key, std::string_view bytes) {
    Sha256Digest digest{};
    unsigned size = 0;
    const auto* message = reinterpret_cast<const unsigned char*>(bytes.data());
    const auto* done =
        HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message, bytes.size(), digest.data(), &size);
    SHADUF_ASSERT(done != nullptr && size == digest.size());
    return digest;
}

std::string hmac_sha1(std::string_view key, std::string_view bytes) {
    std::string digest(20, '\0');
    unsigned size = 0;
    const auto* message = reinterpret_cast<const unsigned char*>(bytes.data());
    const auto* done = HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), message, bytes.size(),
                            reinterpret_cast<unsigned char*>(digest.data()), &size);
    SHADUF_ASSERT(done != nullptr && size == digest.size());
    return digest;
}

std::string md5(std::string_view bytes) {
    std::string digest(16, '\0');
    unsigned size = 0;
    auto* out = reinterpret_cast<unsigned char*>(digest.data());
    if (EVP_Digest(bytes.data(), bytes.size(), out, &size, EVP_md5(), nullptr) != 1) return {};
    return digest;
}

std::string sha1(std::string_view bytes) {
    std::string digest(20, '\0');
    unsigned size = 0;
    auto* out = reinterpret_cast<unsigned char*>(digest.data());
    if (EVP_Digest(bytes.data(), bytes.size(), out, &size, EVP_sha1(), nullptr) != 1) return {};
    return digest;
}

std::string to_hex(std::string_view bytes) {
    constexpr char kHex[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += {kHex[byte >> 4], kHex[byte & 15]};
    }
    return text;
}

Result<std::string> from_hex(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string bytes;
    for (size_t i = 0; i < text.size(); i += 2) {
        const auto high = kDigits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(text[i]))));
        const auto low = i + 1 == text.size()
                             ? std::string_view::npos
                             : kDigits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(text[i + 1]))));
        if (high == std::string_view::npos || low == std::string_view::npos)
            return Error(ErrorKind::bad_data, "not hexadecimal: " + std::string(text));
        bytes += static_cast<char>(high << 4 | low);
    }
    return bytes;
}

std::string to_base64(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4, '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                    static_cast<int>(bytes.size()));
    return text;
}

Result<std::string> from_base64(std::string_view text) {
    for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
    if (text.size() % 4 == 1) return Error(ErrorKind::bad_data, "not base64: its length is wrong");
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    uint32_t bits = 0;
    int bit_count = 0;
    for (const char c : text) {
        const int value = base64_value(c);
        if (value < 0) return Error(ErrorKind::bad_data, "not base64: a character outside its alphabet");
        bits = bits << 6 | static_cast<uint32_t>(value);
        bit_count += 6;
        if (bit_count < 8) continue;
        bit_count -= 8;
        bytes += static_cast<char>(bits >> bit_count & 0xFF);
    }
    return bytes;
}

std::string to_base64url(std::string_view bytes) {
    std::string text = to_base64(bytes);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    while (text.ends_with('=')) text.pop_back();
    return text;
}

Result<std::string> sign_rs256(const std::string& private_key, std::string_view text) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> input(
        BIO_new_mem_buf(private_key.data(), static_cast<int>(private_key.size())), BIO_free);
    // An empty passphrase keeps OpenSSL from asking the terminal for one.
    const auto no_passphrase = [](char*, int, int, void*) { return 0; };
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        PEM_read_bio_PrivateKey(input.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
    if (key == nullptr || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA)
        return Error(ErrorKind::invalid_config,
                     "private key is not an RSA key in PEM; give it as it stands in the key file, with its line ends");
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    size_t size = static_cast<size_t>(EVP_PKEY_size(key.get()));
    std::string signature(size, '\0');
    auto* out = reinterpret_cast<unsigned char*>(signature.data());
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
        EVP_DigestSign(context.get(), out, &size, bytes, text.size()) != 1)
        return Error(ErrorKind::internal, "RSA signature failed");
    signature.resize(size);
    return signature;
}

}  // namespace shaduf
