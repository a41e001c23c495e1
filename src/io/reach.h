#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/result.h"

namespace shaduf {

// The addresses of a host, as texts; unavailable: the name is not known. Not to be canceled: the resolver has its own
// time limit.
Result<std::vector<std::string>> resolve_host(const std::string& host);
// Whether something takes TCP connections there. unavailable: nothing does, and why.
Result<void> reach_port(const std::string& host, int port, std::chrono::milliseconds limit,
                        const Cancellation& cancellation);

}  // namespace shaduf
