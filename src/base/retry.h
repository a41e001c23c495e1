#pragma once

#include <chrono>
#include <functional>

#include "base/result.h"
#include "base/run_context.h"

namespace shaduf {

// Exponential back-off with full jitter: before try n+1, wait a random time up to min(delay_max, delay_first * 2^n).
// A server that said when to come back (Error::retry_delay) is obeyed instead, up to server_delay_max.
struct RetryPolicy {
    int tries_max = 6;
    std::chrono::milliseconds delay_first{500};
    std::chrono::milliseconds delay_max{60'000};
    std::chrono::milliseconds server_delay_max{15 * 60'000};
};

// Decides, after `failures` (from 1) failed tries, how long to wait before the next; thread-safe.
std::chrono::milliseconds backoff_delay(const RetryPolicy& policy, int failures, double random_0_to_1);

// Waits after a failure. Gives the error back when it must not or may no longer be retried, or the run was canceled.
Result<void> wait_before_retry(RunContext& run, const RetryPolicy& policy, int failures, const Error& error);

// Calls `attempt` until it succeeds, fails for good, or the tries are used up. `attempt` must be safe to repeat.
template <typename F>
auto with_retries(RunContext& run, const RetryPolicy& policy, F&& attempt) -> decltype(attempt()) {
    for (int failures = 1;; ++failures) {
        auto result = attempt();
        if (result.ok()) return result;
        auto waited = wait_before_retry(run, policy, failures, result.error());
        if (!waited.ok()) return waited.release_error();
    }
}

}  // namespace shaduf
