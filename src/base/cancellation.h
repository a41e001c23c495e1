#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>

#include "base/result.h"

namespace shaduf {

// One flag that ends a run. All members are thread-safe; `cancel` is not for signal handlers (they write to a pipe that
// a thread reads). Once set, it stays set.
class Cancellation {
public:
    void cancel();
    bool canceled() const { return canceled_.load(std::memory_order_acquire); }
    // An Error of kind canceled once `cancel` was called.
    Result<void> check() const;
    // Waits for `duration`; false when canceled before it has passed.
    bool wait_for(std::chrono::nanoseconds duration) const;

    // Runs `wake` on cancel (at once when canceled already), so that a blocked wait can end. `wake` runs under a lock:
    // it must not call back into this object. Removed when the Waker goes away.
    class Waker {
    public:
        Waker(const Cancellation& cancellation, std::function<void()> wake);
        ~Waker();
        Waker(const Waker&) = delete;
        Waker& operator=(const Waker&) = delete;

    private:
        const Cancellation& cancellation_;
        long id_;
    };

private:
    std::atomic<bool> canceled_{false};
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    mutable std::map<long, std::function<void()>> wakers_;
    mutable long next_id_ = 0;
};

}  // namespace shaduf
