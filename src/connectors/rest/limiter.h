#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/result.h"
#include "base/run_context.h"

namespace shaduf::rest {

// What one connection may ask of its host, over all streams of this process: so many requests a second, so many at
// once, and none while the host has asked for a pause. Thread-safe.
class Limiter {
public:
    struct Limits {
        double requests_per_second = 0;  // 0: any
        int64_t burst = 1;               // that may go out at once after a quiet time
        int64_t concurrency = 4;
    };
    explicit Limiter(Limits limits) : limits_(limits) {}

    // Given back when it goes away.
    class Permit {
    public:
        explicit Permit(Limiter* limiter) : limiter_(limiter) {}
        Permit(Permit&& other) noexcept : limiter_(std::exchange(other.limiter_, nullptr)) {}
        Permit& operator=(Permit&&) = delete;
        ~Permit() {
            if (limiter_ != nullptr) limiter_->give_back();
        }

    private:
        Limiter* limiter_;
    };
    // Waits until a request may go out. An error of kind canceled ends the wait.
    Result<Permit> acquire(RunContext& run);
    // Nobody sends before `delay` has passed.
    void pause(const RunContext& run, std::chrono::milliseconds delay);

private:
    using Time = std::chrono::steady_clock::time_point;
    void give_back();
    Time next_start(Time now);

    const Limits limits_;
    std::mutex mutex_;
    std::condition_variable freed_;
    int64_t in_flight_ = 0;
    Time paid_until_{};  // the rate is kept by a clock that each request moves on by one interval
    Time paused_until_{};
};

}  // namespace shaduf::rest
