#pragma once

#include <thread>

#include "base/cancellation.h"

namespace shaduf {

// Turns the first SIGINT or SIGTERM into a cancellation, so that a run ends after its last commit; a second one ends
// the process at once. One at a time in a process; made before other threads.
class SignalWatch {
public:
    explicit SignalWatch(Cancellation& cancellation);
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

private:
    std::thread thread_;
};

}  // namespace shaduf
