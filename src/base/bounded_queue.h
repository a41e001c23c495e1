#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace shaduf {

// Joins two stages of a pipeline. Any number of threads on each side. `close` ends it for the producers: consumers
// still get what is in it, then nullopt. `abort` ends it for both at once and drops what is in it.
template <typename T>
class BoundedQueue {
public:
    struct Limits {
        size_t items_max;
    };
    explicit BoundedQueue(Limits limits) : limits_(limits) {}

    // Blocks while full. False when closed or aborted: the item was not taken.
    bool push(T item) {
        std::unique_lock lock(mutex_);
        not_full_.wait(lock, [&] { return closed_ || items_.size() < limits_.items_max; });
        if (closed_) return false;
        items_.push_back(std::move(item));
        not_empty_.notify_one();
        return true;
    }

    // Blocks while empty. nullopt: closed and drained, or aborted.
    std::optional<T> pop() {
        std::unique_lock lock(mutex_);
        not_empty_.wait(lock, [&] { return closed_ || !items_.empty(); });
        if (items_.empty()) return std::nullopt;
        std::optional<T> item(std::move(items_.front()));
        items_.pop_front();
        not_full_.notify_one();
        return item;
    }

    void close() {
        std::lock_guard lock(mutex_);
        closed_ = true;
        not_full_.notify_all();
        not_empty_.notify_all();
    }

    void abort() {
        std::deque<T> dropped;  // destroyed outside the lock
        std::lock_guard lock(mutex_);
        closed_ = true;
        dropped.swap(items_);
        not_full_.notify_all();
        not_empty_.notify_all();
    }

    size_t size() const {
        std::lock_guard lock(mutex_);
        return items_.size();
    }

private:
    const Limits limits_;
    mutable std::mutex mutex_;
    std::condition_variable not_full_;
    std::condition_variable not_empty_;
    std::deque<T> items_;
    bool closed_ = false;
};

}  // namespace shaduf
