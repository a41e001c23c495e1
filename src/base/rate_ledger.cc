#include "base/rate_ledger.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include "base/cancellation.h"
#include "base/run_context.h"
#include "base/time.h"

namespace shaduf {
namespace {

using Micros = std::chrono::microseconds;

// What stands in the book under one key.
struct Entry {
    int64_t in_flight = 0;
    Timestamp paused_until{};
    std::deque<Timestamp> calls;       // within the rule's window
    std::optional<int64_t> remaining;  // as the system said, less what went out since
    Timestamp reset{};
};

// When a call may go out; `now` when at once.
Timestamp next_start(Entry& entry, const RateRule& rule, Timestamp now) {
    Timestamp start = std::max(now, entry.paused_until);
    if (entry.remaining && entry.reset <= now) entry.remaining.reset();
    if (entry.remaining && *entry.remaining <= 0) start = std::max(start, entry.reset);
    if (rule.calls_max > 0) {
        while (!entry.calls.empty() && entry.calls.front() + rule.window <= now) entry.calls.pop_front();
        if (static_cast<int64_t>(entry.calls.size()) >= rule.calls_max) {
            const auto first = entry.calls.size() - static_cast<size_t>(rule.calls_max);
            start = std::max(start, entry.calls[first] + std::chrono::duration_cast<Micros>(rule.window));
        }
    }
    return start;
}

class MemoryLedger final : public RateLedger {
public:
    Result<RatePermit> acquire(RunContext& run, const std::string& key, const RateRule& rule) override {
        const Cancellation::Waker waker(run.cancellation, [this] {
            const std::lock_guard lock(mutex_);
            freed_.notify_all();
        });
        std::unique_lock lock(mutex_);
        Entry& entry = entries_[key];  // stays where it is: entries are never removed
        for (;;) {
            freed_.wait(lock, [&] {
                return run.cancellation.canceled() || rule.in_flight_max <= 0 || entry.in_flight < rule.in_flight_max;
            });
            TRY(run.cancellation.check());
            const Timestamp now = run.clock.now();
            const Timestamp start = next_start(entry, rule, now);
            if (start <= now) break;
            if (start - now > rule.wait_max) return too_long(key, start, now);
            lock.unlock();
            if (!run.clock.sleep(start - now, run.cancellation))
                return Error(ErrorKind::canceled, "the run was stopped");
            lock.lock();
        }
        ++entry.in_flight;
        if (rule.calls_max > 0) entry.calls.push_back(run.clock.now());
        if (entry.remaining) --*entry.remaining;
        return RatePermit([this, &entry] {
            const std::lock_guard give_back_lock(mutex_);
            --entry.in_flight;
            freed_.notify_all();
        });
    }

    void pause(const std::string& key, Timestamp until) override {
        const std::lock_guard lock(mutex_);
        Entry& entry = entries_[key];
        entry.paused_until = std::max(entry.paused_until, until);
    }

    void set_remaining(const std::string& key, int64_t calls, Timestamp reset) override {
        const std::lock_guard lock(mutex_);
        Entry& entry = entries_[key];
        // Answers overtake each other: of one window the fewest calls are true.
        if (entry.remaining && entry.reset == reset) calls = std::min(calls, *entry.remaining);
        entry.remaining = calls;
        entry.reset = reset;
    }

private:
    static Error too_long(const std::string& key, Timestamp start, Timestamp now) {
        return Error(ErrorKind::rate_limited, "no call is allowed before " + format_timestamp(start) + ": " + key +
                                                  "; run again then, or ask the provider for a higher limit")
            .retry_after(std::chrono::ceil<std::chrono::milliseconds>(start - now))
            .permanent();
    }

    std::mutex mutex_;
    std::condition_variable freed_;
    std::map<std::string, Entry> entries_;
};

}  // namespace

std::unique_ptr<RateLedger> make_memory_ledger() { return std::make_unique<MemoryLedger>(); }

}  // namespace shaduf
