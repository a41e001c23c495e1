#include "server/data/limited_run.h"

#include "base/time.h"

namespace shaduf::server {

LimitedRun::LimitedRun(RunContext& world, std::chrono::milliseconds limit)
    : limit_(limit),
      with_process_(world.cancellation, [this] { own_.cancel(); }),
      run_{world.clock, own_, world.http, world.databases, world.events, world.shared, world.rates},
      timer_([this] {
          if (!done_.wait_for(limit_)) return;
          is_late_ = true;
          own_.cancel();
      }) {}

LimitedRun::~LimitedRun() {
    done_.cancel();
    timer_.join();
}

std::chrono::milliseconds LimitedRun::passed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began_);
}

Error LimitedRun::explain(const Error& error) const {
    if (error.kind() != ErrorKind::canceled || !is_late_) return error;
    return Error(ErrorKind::unavailable,
                 "no answer within " + format_duration(limit_) + "; ask for less, or try again");
}

}  // namespace shaduf::server
