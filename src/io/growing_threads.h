#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace shaduf {

// Threads for jobs that may take long, as many as are needed at once up to a limit; what comes beyond it waits. A
// thread that has had nothing to do for a while ends. Thread-safe.
class GrowingThreads {
public:
    explicit GrowingThreads(size_t threads_max, std::chrono::seconds idle = std::chrono::seconds(30))
        : threads_max_(threads_max), idle_(idle) {}
    ~GrowingThreads() { shutdown(); }
    GrowingThreads(const GrowingThreads&) = delete;
    GrowingThreads& operator=(const GrowingThreads&) = delete;

    void enqueue(std::function<void()> job);
    // Waits for the jobs that are running or waiting.
    void shutdown();
    size_t threads() const;

private:
    void work(std::list<std::thread>::iterator own);

    const size_t threads_max_;
    const std::chrono::seconds idle_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::list<std::function<void()>> jobs_;
    std::list<std::thread> threads_;
    std::list<std::thread> ended_;  // to be joined
    size_t idle_threads_ = 0;
    bool is_shut_down_ = false;
};

}  // namespace shaduf
