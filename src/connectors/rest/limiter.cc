#include "connectors/rest/limiter.h"

#include <algorithm>

#include "base/cancellation.h"
#include "base/clock.h"

namespace shaduf::rest {

// The generic cell rate algorithm: a request may start when the clock of what is paid for is at most burst-1 intervals
// ahead.
Limiter::Time Limiter::next_start(Time now) {
    Time start = std::max(now, paused_until_);
    if (limits_.requests_per_second <= 0) return start;
    const auto interval =
        std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(1.0 / limits_.requests_per_second));
    paid_until_ = std::max(paid_until_, now);
    start = std::max(start, paid_until_ - interval * (std::max<int64_t>(limits_.burst, 1) - 1));
    paid_until_ = std::max(paid_until_, start) + interval;
    return start;
}

Result<Limiter::Permit> Limiter::acquire(RunContext& run) {
    const Cancellation::Waker waker(run.cancellation, [this] {
        const std::lock_guard lock(mutex_);
        freed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    freed_.wait(lock, [&] { return run.cancellation.canceled() || in_flight_ < limits_.concurrency; });
    if (run.cancellation.canceled()) return Error(ErrorKind::canceled, "the run was stopped");
    ++in_flight_;
    Permit permit(this);
    const Time now = run.clock.steady_now();
    const Time start = next_start(now);
    lock.unlock();
    if (start > now && !run.clock.sleep(start - now, run.cancellation))
        return Error(ErrorKind::canceled, "the run was stopped");
    return permit;
}

void Limiter::pause(const RunContext& run, std::chrono::milliseconds delay) {
    const std::lock_guard lock(mutex_);
    paused_until_ = std::max(paused_until_, run.clock.steady_now() + delay);
}

void Limiter::give_back() {
    const std::lock_guard lock(mutex_);
    --in_flight_;
    freed_.notify_one();
}

}  // namespace shaduf::rest
