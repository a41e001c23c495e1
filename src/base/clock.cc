#include "base/clock.h"

#include "base/cancellation.h"

namespace shaduf {

Timestamp SystemClock::now() const {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::chrono::steady_clock::time_point SystemClock::steady_now() const { return std::chrono::steady_clock::now(); }

bool SystemClock::sleep(std::chrono::nanoseconds duration, const Cancellation& cancellation) {
    return cancellation.wait_for(duration);
}

}  // namespace shaduf
