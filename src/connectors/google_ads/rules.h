#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "connectors/ads/client.h"

namespace shaduf::google_ads {

// Who calls. Either of a user (client and refresh token) or of a service account.
struct Credentials {
    std::string client_id;
    std::string client_secret;
    std::string refresh_token;
    std::string service_email;  // "": a user's
    std::string private_key;    // PEM
    std::string subject;        // whom the service account acts for; "": itself
    std::string token_url;
    std::string developer_token;  // "": none is sent
};

// An access token, kept until shortly before it expires. Thread-safe; all streams of a process that have the same
// credentials share one.
class TokenSource {
public:
    explicit TokenSource(Credentials credentials) : credentials_(std::move(credentials)) {}
    // An auth error when none is to be had, and what to do.
    Result<std::string> token(RunContext& run);
    // Forgets `token`, if it is still the one that is given out.
    void discard(std::string_view token);
    // The one that was given out last, "" when it was discarded.
    std::string current();

private:
    Result<void> fetch(RunContext& run);
    Result<HttpRequest> token_request(RunContext& run) const;
    Result<std::string> assertion(RunContext& run) const;
    void announce_end(RunContext& run, std::chrono::seconds left);

    const Credentials credentials_;
    std::mutex mutex_;  // held while a token is fetched: all others wait for it
    std::string token_;
    Timestamp expires_at_{};
    bool announced_ = false;
};

// The manners of the API: bearer token, errors, limits.
class Rules final : public ads::ApiRules {
public:
    // `project_key`: that of the ledger under which all calls count.
    Rules(std::shared_ptr<TokenSource> tokens, std::string developer_token, std::string project_key)
        : tokens_(std::move(tokens)),
          developer_token_(std::move(developer_token)),
          project_key_(std::move(project_key)) {}

    Result<void> authorize(RunContext& run, HttpRequest& request) override;
    bool renew(const HttpRequest& request) override;
    ads::Judgement judge(const RunContext& run, const HttpRequest& request,
                         const HttpResponse& response) const override;

private:
    const std::shared_ptr<TokenSource> tokens_;
    const std::string developer_token_;
    const std::string project_key_;
};

// The ledger's key of one account's calls.
std::string account_key(const std::string& project_key, std::string_view customer);

// The token source of these credentials, shared with whoever else in the process has them.
std::shared_ptr<TokenSource> shared_tokens(RunContext& run, const Credentials& credentials);
// What tells credentials apart, without a secret in it.
std::string fingerprint(const Credentials& credentials);

}  // namespace shaduf::google_ads
