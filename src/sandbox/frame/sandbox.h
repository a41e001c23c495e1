#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/cancellation.h"
#include "base/clock.h"
#include "base/registry.h"
#include "io/http_server.h"
#include "sandbox/frame/ledger.h"
#include "sandbox/frame/scenario.h"
#include "sandbox/platform.h"

namespace shaduf::sandbox {

struct SandboxOptions {
    std::string host = "127.0.0.1";
    int port = 0;  // 0: a free one
    uint64_t seed = 1;
    uint32_t accounts = 3;
    uint32_t ads = 60;  // of each platform
    int32_t days = 400;
    int32_t today = 0;
    std::string data_folder;  // "": all is made up; else <folder>/<platform>/insights.csv and such
    std::chrono::milliseconds delay{0};
    std::optional<Rate> rate;
};

// The platforms' APIs on one port of this machine, with a door for tests under /_sandbox/ (see README.md). Serves from
// `start` until `stop`. Thread-safe.
class Sandbox {
public:
    // invalid_config for data that is not whole; conflict when the port is taken. What is passed by reference outlives
    // the sandbox.
    static Result<std::unique_ptr<Sandbox>> start(const SandboxOptions& options,
                                                  const Registry<PlatformSpec>& platforms,
                                                  std::unique_ptr<Scenario> scenario, Clock& clock);
    virtual ~Sandbox() = default;

    virtual std::string url() const = 0;
    // Variables of the environment for a command that is to run against it: SANDBOX_URL, and of each platform its URL
    // and credentials.
    virtual std::vector<std::pair<std::string, std::string>> environment() const = 0;
    // What a request is answered, without a connection.
    virtual HttpServerResponse answer(const HttpServerRequest& request) = 0;
    virtual void stop() = 0;
};

}  // namespace shaduf::sandbox
