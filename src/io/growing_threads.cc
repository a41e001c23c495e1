#include "io/growing_threads.h"

namespace shaduf {

void GrowingThreads::enqueue(std::function<void()> job) {
    std::list<std::thread> ended;
    {
        const std::lock_guard lock(mutex_);
        jobs_.push_back(std::move(job));
        if (idle_threads_ < jobs_.size() && threads_.size() < threads_max_) {
            const auto own = threads_.emplace(threads_.end());
            *own = std::thread([this, own] { work(own); });
        }
        ended.swap(ended_);
    }
    changed_.notify_one();
    for (std::thread& thread : ended) thread.join();
}

void GrowingThreads::work(std::list<std::thread>::iterator own) {
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto has_work = [this] { return !jobs_.empty() || is_shut_down_; };
        ++idle_threads_;
        changed_.wait_for(lock, idle_, has_work);
        --idle_threads_;
        if (jobs_.empty()) break;  // nothing came for long, or nothing will
        const auto job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        job();
        lock.lock();
    }
    ended_.splice(ended_.end(), threads_, own);
    changed_.notify_all();
}

void GrowingThreads::shutdown() {
    std::unique_lock lock(mutex_);
    is_shut_down_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return threads_.empty(); });
    std::list<std::thread> ended;
    ended.swap(ended_);
    lock.unlock();
    for (std::thread& thread : ended) thread.join();
}

size_t GrowingThreads::threads() const {
    const std::lock_guard lock(mutex_);
    return threads_.size();
}

}  // namespace shaduf
