#pragma once

#include <chrono>
#include <optional>
#include <thread>

#include "base/cancellation.h"

namespace shaduf {

// Stops a stream that never ends in two steps when `parent` is canceled: reading at once, and everything once `grace`
// has passed, so that what was read before can be committed. All three outlive it.
class GracefulStop {
public:
    GracefulStop(const Cancellation& parent, Cancellation& reading, Cancellation& everything,
                 std::chrono::milliseconds grace)
        : waker_(std::in_place, parent, [&reading, &everything, grace, this] {
              reading.cancel();
              timer_ = std::thread([&everything, grace, this] {
                  if (ended_.wait_for(grace)) everything.cancel();
              });
          }) {}
    ~GracefulStop() {
        waker_.reset();
        ended_.cancel();
        if (timer_.joinable()) timer_.join();
    }
    GracefulStop(const GracefulStop&) = delete;
    GracefulStop& operator=(const GracefulStop&) = delete;

private:
    Cancellation ended_;
    std::thread timer_;
    std::optional<Cancellation::Waker> waker_;  // the last, since its call uses the others
};

}  // namespace shaduf
