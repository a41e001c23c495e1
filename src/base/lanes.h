#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"

namespace shaduf {

// Does one piece of work on several threads at once: lane 0 is the caller's, the others wait for the next piece. For
// work of a millisecond and more that falls apart by a number modulo `count()`. One caller at a time.
class Lanes {
public:
    using Work = std::function<Result<void>(size_t lane)>;

    explicit Lanes(size_t count);
    ~Lanes();
    Lanes(const Lanes&) = delete;
    Lanes& operator=(const Lanes&) = delete;

    size_t count() const { return errors_.size(); }
    // Calls `work` once for each lane and returns when all have ended; the error of the lowest lane that has one.
    Result<void> run(const Work& work);

private:
    void wait_for_work(size_t lane);

    std::mutex mutex_;
    std::condition_variable started_;
    std::condition_variable ended_;
    const Work* work_ = nullptr;
    size_t round_ = 0;
    size_t running_ = 0;
    bool closed_ = false;
    std::vector<Result<void>> errors_;
    std::vector<std::thread> threads_;
};

}  // namespace shaduf
