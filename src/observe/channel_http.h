#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/http.h"
#include "observe/channel.h"

// What channels that speak HTTP share.
namespace shaduf::observe {

// An answer, or how sending has ended without one. No error names more of an address than its host.
struct ChannelReply {
    std::optional<HttpResponse> response;
    SendOutcome failure;
};

// A POST of a body; short limits of time, no redirects, small answers.
ChannelReply post(RunContext& run, const std::string& url, HttpHeaders headers, std::string body);

// What an answer of status 300 or above means: 429 and 5xx, 408 and 425 come again, when the server says so; others are
// refused for good. `who` speaks: "Slack"; `said`: what the answer says, else the start of its body.
SendOutcome refusal(const RunContext& run, std::string_view who, const HttpResponse& response,
                    std::string_view said = {});

// "hooks.slack.com"; "" for what is no URL.
std::string host_of(std::string_view url);
// An URL that is http or https; invalid_config otherwise, without it.
Result<void> check_url(const Options& options, std::string_view field);

}  // namespace shaduf::observe
