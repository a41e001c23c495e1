#pragma once

#include <optional>

#include "base/clock.h"
#include "io/http_server.h"
#include "sandbox/x_ads/reply.h"

namespace shaduf::sandbox::x_ads {

inline constexpr std::string_view kConsumerKey = "sandboxConsumerKey";
inline constexpr std::string_view kConsumerSecret = "sandboxConsumerSecret";
inline constexpr std::string_view kAccessToken = "1000-sandboxAccessToken";
inline constexpr std::string_view kAccessTokenSecret = "sandboxAccessTokenSecret";

// Makes the signature of a request again, from what came, and compares; nullopt: it is right. The time stamp may be off
// by five minutes.
std::optional<Refusal> check_signature(const HttpServerRequest& request, Timestamp now);

}  // namespace shaduf::sandbox::x_ads
