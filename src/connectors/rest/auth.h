#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/run_context.h"
#include "connectors/rest/settings.h"
#include "io/http.h"

namespace shaduf::rest {

// Puts a connection's credentials into requests. An OAuth 2 token (RFC 6749: client credentials, refresh token) is
// fetched by the first request, kept until shortly before it expires, and shared by all streams. Thread-safe.
class Authenticator {
public:
    explicit Authenticator(AuthSettings settings);

    // Adds the header or parameter. An auth error when no token is to be had.
    Result<void> apply(RunContext& run, HttpRequest& request);
    // After a 401 for `request`: whether trying again with a new token makes sense. Forgets the token that `request`
    // was sent with.
    bool renew(const HttpRequest& request);

private:
    Result<std::string> token(RunContext& run);
    Result<void> fetch_token(RunContext& run);
    HttpRequest token_request() const;

    const AuthSettings settings_;
    std::mutex mutex_;  // held while a token is fetched: all others wait for it
    std::string access_token_;
    std::string refresh_token_;
    std::optional<Timestamp> expires_at_;
};

}  // namespace shaduf::rest
