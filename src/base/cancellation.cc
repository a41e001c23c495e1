#include "base/cancellation.h"

namespace shaduf {

void Cancellation::cancel() {
    std::lock_guard lock(mutex_);
    canceled_.store(true, std::memory_order_release);
    changed_.notify_all();
    for (const auto& [id, wake] : wakers_) wake();
}

Result<void> Cancellation::check() const {
    if (canceled()) return Error(ErrorKind::canceled, "the run was stopped");
    return {};
}

bool Cancellation::wait_for(std::chrono::nanoseconds duration) const {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, duration, [&] { return canceled(); });
}

Cancellation::Waker::Waker(const Cancellation& cancellation, std::function<void()> wake) : cancellation_(cancellation) {
    std::lock_guard lock(cancellation_.mutex_);
    id_ = cancellation_.next_id_++;
    if (cancellation_.canceled()) wake();
    cancellation_.wakers_.emplace(id_, std::move(wake));
}

Cancellation::Waker::~Waker() {
    std::lock_guard lock(cancellation_.mutex_);
    cancellation_.wakers_.erase(id_);
}

}  // namespace shaduf
