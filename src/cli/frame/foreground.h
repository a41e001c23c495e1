#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/cancellation.h"
#include "base/result.h"

namespace shaduf {

// Runs a program with the terminal, input and output of this process, and waits for it. It is looked up in PATH; its
// environment is that of this process with `variables` set besides. A cancellation is handed on as SIGTERM. Its exit
// status, or 128 and the number of the signal that ended it, as shells have it. invalid_config: it cannot be started.
Result<int> run_in_foreground(const std::vector<std::string>& words,
                              const std::vector<std::pair<std::string, std::string>>& variables,
                              const Cancellation& cancellation);

}  // namespace shaduf
