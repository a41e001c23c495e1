#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace shaduf {

class Cancellation;

// The bytes that all rows in flight may hold together. A share is taken once, when rows enter a pipeline, and travels
// with them until they are written: no stage takes a second one, so stages cannot wait for each other in a circle.
// Thread-safe.
class ByteBudget {
public:
    explicit ByteBudget(size_t bytes_max) : bytes_max_(bytes_max) {}

    class Share {
    public:
        Share() = default;
        Share(Share&& other) noexcept;
        Share& operator=(Share&& other) noexcept;
        ~Share() { release(); }
        size_t bytes() const { return bytes_; }
        void release();

    private:
        friend class ByteBudget;
        Share(ByteBudget& budget, size_t bytes) : budget_(&budget), bytes_(bytes) {}
        ByteBudget* budget_ = nullptr;
        size_t bytes_ = 0;
    };

    // Blocks until `bytes` are free; more than the whole budget counts as the whole. An empty share when canceled.
    Share acquire(size_t bytes, const Cancellation& cancellation);
    size_t bytes_max() const { return bytes_max_; }
    size_t bytes_used() const;

private:
    void give_back(size_t bytes);

    const size_t bytes_max_;
    mutable std::mutex mutex_;
    std::condition_variable freed_;
    size_t bytes_used_ = 0;
};

}  // namespace shaduf
