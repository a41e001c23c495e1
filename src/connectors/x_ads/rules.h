#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "connectors/ads/client.h"
#include "io/oauth1.h"

// X's manners: requests signed by OAuth 1.0a, its error codes, its two families of limit headers.
namespace shaduf::x_ads {

// A signature holds for some minutes only. Where this machine's clock is wrong, the first refusal tells by how much
// (its header Date), and requests are signed by the server's time from then on.
class Rules final : public ads::ApiRules {
public:
    explicit Rules(OAuth1Credentials credentials) : credentials_(std::move(credentials)) {}

    Result<void> authorize(RunContext& run, HttpRequest& request) override;
    bool renew(const HttpRequest& request) override;
    ads::Judgement judge(const RunContext& run, const HttpRequest& request,
                         const HttpResponse& response) const override;

private:
    ads::Judgement judge_unauthorized(const RunContext& run, const HttpResponse& response,
                                      const std::string& said) const;

    const OAuth1Credentials credentials_;
    std::atomic<int64_t> clock_offset_s_{0};  // added to this machine's clock
    mutable std::atomic<int64_t> seen_offset_s_{0};
};

// What the headers of an answer say of the limits; those of the account go before those of the user.
struct Limits {
    bool of_account = false;
    int64_t remaining = 0;
    Timestamp reset{};
};
std::optional<Limits> read_limits(const HttpResponse& response);

}  // namespace shaduf::x_ads
