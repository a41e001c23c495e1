#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "base/cancellation.h"
#include "base/result.h"
#include "flow/run_rows.h"

namespace shaduf {

// Lets threads wait for the ends of runs. Thread-safe.
class RunEnds {
public:
    void hear(const FlowChanges& changes);
    // `now` looks up whether it has ended already; called once the end cannot be missed any more.
    Result<RunState> wait(const RunId& run, const std::function<Result<std::optional<RunRow>>()>& now,
                          const Cancellation& cancellation);
    // Nobody hears of ends any more: whoever waits gets `error`.
    void close(const Error& error);

private:
    struct Entry {
        size_t waiting = 0;
        std::optional<RunState> state;
        std::condition_variable changed;  // of its own, as hundreds may wait, each for another run
    };
    std::mutex mutex_;
    std::map<RunId, Entry> entries_;
    std::optional<Error> closed_;
};

}  // namespace shaduf
