#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "io/http.h"

namespace shaduf {

struct AwsCredentials {
    std::string access_key;
    std::string secret_key;
    std::string session_token;  // "" for long-lived keys
};

// How the path enters the signature: S3 takes it as it is sent, all other services encode it once more.
enum class SigV4Path : uint8_t { as_sent, encoded_again };

// Google Cloud Storage has the same signature under names of its own: GOOG4-HMAC-SHA256, X-Goog-Date.
enum class SigV4Dialect : uint8_t { amazon, google };

struct SigV4Scope {
    std::string region;
    std::string service;
    SigV4Path path = SigV4Path::as_sent;
    SigV4Dialect dialect = SigV4Dialect::amazon;
};

// The payload hash of a request whose body is not signed.
constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

// Signs a request: adds X-Amz-Date, X-Amz-Security-Token where there is one, and Authorization over Host, Content-Type
// and all X-Amz-* headers that the request has by then. `payload_hash` is the lower-case hex SHA-256 of the body, or
// kUnsignedPayload; for S3 the caller also sends it as X-Amz-Content-Sha256. The query is put in the order that the
// signature needs. AWS Signature Version 4, "Create a signed AWS API request"; of Google the "V4 signing process",
// whose headers are X-Goog-*. Thread-safe.
void sign_sigv4(HttpRequest& request, const AwsCredentials& credentials, const SigV4Scope& scope,
                std::string_view payload_hash, Timestamp now);

}  // namespace shaduf
