#include "base/lanes.h"

namespace shaduf {

Lanes::Lanes(size_t count) : errors_(count) {
    for (size_t lane = 1; lane < count; ++lane) threads_.emplace_back([this, lane] { wait_for_work(lane); });
}

Lanes::~Lanes() {
    {
        std::lock_guard lock(mutex_);
        closed_ = true;
        started_.notify_all();
    }
    for (auto& thread : threads_) thread.join();
}

Result<void> Lanes::run(const Work& work) {
    {
        std::lock_guard lock(mutex_);
        work_ = &work;
        running_ = threads_.size();
        ++round_;
        started_.notify_all();
    }
    errors_[0] = work(0);
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return running_ == 0; });
    for (auto& error : errors_) TRY(std::move(error));
    return {};
}

void Lanes::wait_for_work(size_t lane) {
    size_t done = 0;
    std::unique_lock lock(mutex_);
    for (;;) {
        started_.wait(lock, [&] { return closed_ || round_ != done; });
        if (closed_) return;
        done = round_;
        const Work& work = *work_;
        lock.unlock();
        auto ended = work(lane);
        lock.lock();
        errors_[lane] = std::move(ended);
        if (--running_ == 0) ended_.notify_one();
    }
}

}  // namespace shaduf
