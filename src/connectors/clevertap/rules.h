#pragma once

#include <string>

#include "connectors/ads/client.h"

namespace shaduf::clevertap {

// CleverTap's manners: two headers, and errors that come under any status, also 200. Answers that say to come back
// later, that an event is not exported, or that a campaign has no result yet count as accepted: see api.h.
class Rules final : public ads::ApiRules {
public:
    Rules(std::string account_id, std::string passcode)
        : account_id_(std::move(account_id)), passcode_(std::move(passcode)) {}

    Result<void> authorize(RunContext& run, HttpRequest& request) override;
    ads::Judgement judge(const RunContext& run, const HttpRequest& request,
                         const HttpResponse& response) const override;

private:
    const std::string account_id_;
    const std::string passcode_;
};

// What an answer's member `error` says.
std::string error_text(const HttpResponse& response);
bool is_in_progress(const HttpResponse& response);
bool is_not_exported(const HttpResponse& response);
bool has_no_result_yet(const HttpResponse& response);

}  // namespace shaduf::clevertap
