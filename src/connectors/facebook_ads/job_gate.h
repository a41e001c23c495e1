#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

namespace shaduf::facebook {

// How many report runs may be under way at once, over all streams that share a token: starts carefully, grows by every
// answer that tells of little use, and shrinks when use nears what is allowed. Thread-safe.
class JobGate {
public:
    static constexpr double kFirst = 3;
    static constexpr double kMax = 64;
    static constexpr double kShrinkAbove = 75;  // per cent used
    static constexpr double kStopAbove = 90;

    // False when as many are under way as may be.
    bool try_enter() {
        const std::lock_guard lock(mutex_);
        if (under_way_ >= static_cast<int64_t>(allowed_)) return false;
        ++under_way_;
        return true;
    }
    void leave() {
        const std::lock_guard lock(mutex_);
        --under_way_;
    }
    // An answer told how much is used of what may be computed, in per cent.
    void note_use(double percent) {
        const std::lock_guard lock(mutex_);
        if (percent >= kStopAbove)
            allowed_ = 1;
        else if (percent >= kShrinkAbove)
            allowed_ = allowed_ * 0.75 < 1 ? 1 : allowed_ * 0.75;
        else if (percent < kShrinkAbove / 2)
            allowed_ = allowed_ + 0.5 > kMax ? kMax : allowed_ + 0.5;
    }
    int64_t allowed() const {
        const std::lock_guard lock(mutex_);
        return static_cast<int64_t>(allowed_);
    }
    int64_t under_way() const {
        const std::lock_guard lock(mutex_);
        return under_way_;
    }

private:
    mutable std::mutex mutex_;
    double allowed_ = kFirst;
    int64_t under_way_ = 0;
};

}  // namespace shaduf::facebook
