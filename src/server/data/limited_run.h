#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "base/run_context.h"

namespace shaduf::server {

// What one call of the API does with systems outside: it has its own cancellation, which comes by itself when the time
// is up or the process ends.
class LimitedRun {
public:
    LimitedRun(RunContext& world, std::chrono::milliseconds limit);
    ~LimitedRun();
    LimitedRun(const LimitedRun&) = delete;
    LimitedRun& operator=(const LimitedRun&) = delete;

    RunContext& run() { return run_; }
    std::chrono::milliseconds passed() const;
    // An error as the caller should see it: what was canceled because the time was up says so.
    Error explain(const Error& error) const;
    template <typename T>
    Result<T> explain(Result<T> result) const {
        if (result.ok()) return result;
        return explain(result.error());
    }

private:
    const std::chrono::milliseconds limit_;
    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    Cancellation own_;
    Cancellation done_;
    std::atomic<bool> is_late_{false};
    Cancellation::Waker with_process_;
    RunContext run_;
    std::thread timer_;
};

}  // namespace shaduf::server
