#include "base/byte_budget.h"

#include <algorithm>
#include <utility>

#include "base/cancellation.h"

namespace shaduf {

ByteBudget::Share::Share(Share&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

ByteBudget::Share& ByteBudget::Share::operator=(Share&& other) noexcept {
    if (this != &other) {
        release();
        budget_ = std::exchange(other.budget_, nullptr);
        bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
}

void ByteBudget::Share::release() {
    if (budget_ != nullptr) budget_->give_back(bytes_);
    budget_ = nullptr;
    bytes_ = 0;
}

ByteBudget::Share ByteBudget::acquire(size_t bytes, const Cancellation& cancellation) {
    bytes = std::min(bytes, bytes_max_);
    Cancellation::Waker waker(cancellation, [this] {
        std::lock_guard lock(mutex_);
        freed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    freed_.wait(lock, [&] { return cancellation.canceled() || bytes_used_ + bytes <= bytes_max_; });
    if (cancellation.canceled()) return {};
    bytes_used_ += bytes;
    return Share(*this, bytes);
}

size_t ByteBudget::bytes_used() const {
    std::lock_guard lock(mutex_);
    return bytes_used_;
}

void ByteBudget::give_back(size_t bytes) {
    std::lock_guard lock(mutex_);
    bytes_used_ -= bytes;
    freed_.notify_all();
}

}  // namespace shaduf
