#pragma once

#include <memory>
#include <vector>

#include "io/http_server.h"
#include "sandbox/frame/call_counts.h"
#include "sandbox/frame/platform_host.h"
#include "sandbox/frame/scenario.h"

namespace shaduf::sandbox {

// What the door for tests works on.
struct Controlled {
    std::vector<std::unique_ptr<PlatformHost>>& hosts;
    CallCounts& counts;
    Scenario& scenario;
};

inline constexpr std::string_view kControlPrefix = "/_sandbox/";

// Answers a request under /_sandbox/. Thread-safe.
HttpServerResponse answer_control(const Controlled& controlled, const HttpServerRequest& request);

}  // namespace shaduf::sandbox
