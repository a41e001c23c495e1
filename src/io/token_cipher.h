#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace shaduf {

// Deterministic authenticated encryption of single values (AES-256-SIV, RFC 5297): the same value always gives the same
// token, so tokens join and count as the values would; without the key nothing can be read, with it the value comes
// back. Tokens are "tok_" and base64url without padding. The key is derived from a passphrase by SHA-512. Thread-safe.
class TokenCipher {
public:
    static Result<std::unique_ptr<TokenCipher>> create(std::string_view passphrase);
    ~TokenCipher();

    Result<std::string> tokenize(std::string_view value) const;
    // bad_data: not a token, or made with another key.
    Result<std::string> detokenize(std::string_view token) const;

private:
    struct State;
    explicit TokenCipher(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace shaduf
