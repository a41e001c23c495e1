#pragma once

#include <chrono>

namespace shaduf {

class Cancellation;

// UTC, microseconds: the unit of every timestamp in shaduf.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

// Time as seen by a run. Tests give a fake one, so no test sleeps. Thread-safe.
class Clock {
public:
    virtual ~Clock() = default;
    virtual Timestamp now() const = 0;
    virtual std::chrono::steady_clock::time_point steady_now() const = 0;
    // False when canceled before `duration` has passed.
    virtual bool sleep(std::chrono::nanoseconds duration, const Cancellation& cancellation) = 0;
};

class SystemClock final : public Clock {
public:
    Timestamp now() const override;
    std::chrono::steady_clock::time_point steady_now() const override;
    bool sleep(std::chrono::nanoseconds duration, const Cancellation& cancellation) override;
};

}  // namespace shaduf
