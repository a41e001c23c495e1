#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace shaduf::sandbox {

// So many calls in so long.
struct Rate {
    int64_t calls;
    std::chrono::milliseconds window;

    // "600/1h", "100/10s". invalid_config for anything else.
    static Result<Rate> parse(std::string_view text);
};

// How an allowance comes back: evenly, call by call, or all of it when a window that began with its first call ends.
enum class Refill : uint8_t { evenly, by_window };

// What a ledger says to a call.
struct Verdict {
    bool allowed = true;
    int64_t limit = 0;      // of a window; 0: there is none
    int64_t remaining = 0;  // behind this call
    double used = 0;        // of the limit, behind this call: 0 to 1, and above where refused calls count
    std::chrono::milliseconds reset_in{0};  // until a call is allowed (refused), or all of the allowance is back
};

// What was taken of the allowance of one key.
struct LedgerState {
    std::string key;
    int64_t allowed = 0;  // calls that were let through
    int64_t refused = 0;
    int64_t allowance = 0;  // calls that could have been made since the first one; 0: without limit
};

// The calls of accounts, tokens, whatever a key names, against what is allowed. Thread-safe.
class Ledgers {
public:
    // Without a rate, everything is allowed, and counted.
    Ledgers(Clock& clock, std::optional<Rate> rate) : clock_(clock), rate_(rate) {}

    const std::optional<Rate>& rate() const { return rate_; }
    // Takes `cost` calls of the key's allowance; refused ones take none.
    Verdict take(const std::string& key, Refill refill = Refill::evenly, int64_t cost = 1);
    // The same, without taking.
    Verdict look(const std::string& key, Refill refill = Refill::evenly);

    std::vector<LedgerState> states() const;
    void reset();

private:
    struct Ledger {
        std::chrono::steady_clock::time_point began;   // the first call
        std::chrono::steady_clock::time_point window;  // by_window: when the present one began
        std::chrono::steady_clock::time_point level_at;
        double level = 0;  // calls that count now
        int64_t allowed = 0;
        int64_t refused = 0;
    };
    Verdict judge(Ledger& ledger, Refill refill, int64_t cost);

    Clock& clock_;
    const std::optional<Rate> rate_;
    mutable std::mutex mutex_;
    std::map<std::string, Ledger> ledgers_;
};

}  // namespace shaduf::sandbox
