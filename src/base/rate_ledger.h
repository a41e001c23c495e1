#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/result.h"

namespace shaduf {

struct RunContext;

// What may be asked of one account, token or host, whoever asks; 0 is "any".
struct RateRule {
    int64_t in_flight_max = 0;
    int64_t calls_max = 0;  // in any `window`
    std::chrono::milliseconds window{0};
    // Waits longer than this are not waited for: an error of kind rate_limited says until when the pause lasts.
    std::chrono::milliseconds wait_max{15 * 60'000};
};

// The right to one call; given back when it goes away.
class RatePermit {
public:
    explicit RatePermit(std::function<void()> give_back) : give_back_(std::move(give_back)) {}
    RatePermit(RatePermit&& other) noexcept : give_back_(std::exchange(other.give_back_, nullptr)) {}
    RatePermit& operator=(RatePermit&&) = delete;
    ~RatePermit() {
        if (give_back_) give_back_();
    }

private:
    std::function<void()> give_back_;
};

// One book of what each outside system still allows, by `key` ("facebook_ads:act_1"), kept for all pipelines of the
// process, and by some implementations for all processes of a project. Keys hold no secrets. Thread-safe; waits go
// through the run's clock and end within a second of its cancellation.
class RateLedger {
public:
    virtual ~RateLedger() = default;
    // Waits until one more call may go out.
    virtual Result<RatePermit> acquire(RunContext& run, const std::string& key, const RateRule& rule) = 0;
    // Nobody calls under `key` before `until`; a pause that lasts longer already stays.
    virtual void pause(const std::string& key, Timestamp until) = 0;
    // The system said how many calls it will still answer before `reset`.
    virtual void set_remaining(const std::string& key, int64_t calls, Timestamp reset) = 0;
};

// For one process.
std::unique_ptr<RateLedger> make_memory_ledger();

}  // namespace shaduf
