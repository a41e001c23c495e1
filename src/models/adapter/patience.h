#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/result.h"

namespace shaduf {
struct RunContext;
}

namespace shaduf::models {

// What a run does about another one that is in its way: it waits for so long, and says so once.
struct Patience {
    std::chrono::seconds wait{0};
    std::function<void(const std::string& message)> tell = {};
};

// Tries until the attempt gives something else than kind conflict, which another run causes, or the patience is at its
// end: then that error, with what to do. canceled: this run was.
Result<void> until_free(RunContext& run, const Patience& patience, const std::function<Result<void>()>& attempt);

}  // namespace shaduf::models
