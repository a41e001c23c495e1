#include "base/retry.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "base/run_events.h"

namespace shaduf {
namespace {

double random_0_to_1() {
    thread_local std::mt19937_64 generator{std::random_device{}()};
    return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

}  // namespace

std::chrono::milliseconds backoff_delay(const RetryPolicy& policy, int failures, double random) {
    const double ceiling =
        std::min<double>(static_cast<double>(policy.delay_max.count()),
                         static_cast<double>(policy.delay_first.count()) * std::pow(2.0, failures - 1));
    return std::chrono::milliseconds(static_cast<int64_t>(ceiling * random));
}

Result<void> wait_before_retry(RunContext& run, const RetryPolicy& policy, int failures, const Error& error) {
    if (!error.may_retry() || failures >= policy.tries_max) return error;
    auto delay = backoff_delay(policy, failures, random_0_to_1());
    if (auto asked = error.retry_delay()) {
        if (*asked > policy.server_delay_max) return error;
        delay = *asked;
    }
    run.events.message(Severity::warning, error.place().to_string(),
                       "retry " + std::to_string(failures) + " of " + std::to_string(policy.tries_max - 1) + " in " +
                           std::to_string(delay.count()) + " ms: " + error.message());
    if (!run.clock.sleep(delay, run.cancellation)) return Error(ErrorKind::canceled, "the run was stopped");
    return {};
}

}  // namespace shaduf
