#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/command/invocation.h"

namespace shaduf::models {

// What `retry` does again: the command of <state or target>/run_results.json, and only what failed in it.
struct Retry {
    DbtArguments arguments;        // those of then, with what is given now for vars, threads and where things are
    std::vector<std::string> ids;  // unique ids of what failed or was skipped
    // Of models of which some batches were built and some were not: only those are built again.
    std::map<std::string, BatchHistory, std::less<>> batches = {};
};
// `invocation` is that of the retry itself. invalid_config: there is no run, or none that can be done again.
Result<Retry> read_retry(const Invocation& invocation);

}  // namespace shaduf::models
