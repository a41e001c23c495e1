#include "sandbox/frame/ledger.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/time.h"

namespace shaduf::sandbox {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

std::chrono::milliseconds whole(Milliseconds duration) {
    return std::chrono::milliseconds(static_cast<int64_t>(std::ceil(std::max(0.0, duration.count()))));
}

}  // namespace

Result<Rate> Rate::parse(std::string_view text) {
    Rate rate{};
    const size_t slash = text.find('/');
    const auto parsed = std::from_chars(text.data(), text.data() + std::min(slash, text.size()), rate.calls);
    const auto window = slash == std::string_view::npos ? std::nullopt : parse_duration(text.substr(slash + 1));
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + slash || rate.calls < 1 || !window ||
        window->count() < 1) {
        return Error(ErrorKind::invalid_config,
                     "rate not understood: " + std::string(text) + "; give calls and a time, such as 600/1h");
    }
    rate.window = *window;
    return rate;
}

Verdict Ledgers::judge(Ledger& ledger, Refill refill, int64_t cost) {
    const auto now = clock_.steady_now();
    if (!rate_) return {};
    const Milliseconds window(rate_->window);
    const auto limit = static_cast<double>(rate_->calls);
    if (refill == Refill::evenly) {
        ledger.level = std::max(0.0, ledger.level - Milliseconds(now - ledger.level_at) / window * limit);
    } else if (ledger.level > 0 && now - ledger.window >= rate_->window) {
        ledger.level = 0;
    }
    ledger.level_at = now;
    if (ledger.level == 0) ledger.window = now;

    const double after = ledger.level + static_cast<double>(cost);
    Verdict verdict{.allowed = after <= limit + 1e-6, .limit = rate_->calls};
    if (verdict.allowed) ledger.level = after;
    verdict.remaining = std::max<int64_t>(0, static_cast<int64_t>(limit - ledger.level + 1e-6));
    verdict.used = (verdict.allowed ? ledger.level : after) / limit;
    if (refill == Refill::by_window) {
        verdict.reset_in = whole(window - Milliseconds(now - ledger.window));
    } else {
        verdict.reset_in = whole((verdict.allowed ? ledger.level : after - limit) / limit * window);
    }
    return verdict;
}

Verdict Ledgers::take(const std::string& key, Refill refill, int64_t cost) {
    std::lock_guard lock(mutex_);
    const auto [at, is_new] = ledgers_.try_emplace(key);
    Ledger& ledger = at->second;
    if (is_new) ledger.began = ledger.window = ledger.level_at = clock_.steady_now();
    const Verdict verdict = judge(ledger, refill, cost);
    (verdict.allowed ? ledger.allowed : ledger.refused) += cost;
    return verdict;
}

Verdict Ledgers::look(const std::string& key, Refill refill) {
    std::lock_guard lock(mutex_);
    const auto found = ledgers_.find(key);
    if (found != ledgers_.end()) return judge(found->second, refill, 0);
    Ledger unused;
    unused.began = unused.window = unused.level_at = clock_.steady_now();
    return judge(unused, refill, 0);
}

std::vector<LedgerState> Ledgers::states() const {
    std::lock_guard lock(mutex_);
    std::vector<LedgerState> states;
    for (const auto& [key, ledger] : ledgers_) {
        LedgerState state{key, ledger.allowed, ledger.refused, 0};
        if (rate_) {
            const Milliseconds passed(clock_.steady_now() - ledger.began);
            const double windows = passed / Milliseconds(rate_->window);
            state.allowance = rate_->calls + static_cast<int64_t>(windows * static_cast<double>(rate_->calls));
        }
        states.push_back(std::move(state));
    }
    return states;
}

void Ledgers::reset() {
    std::lock_guard lock(mutex_);
    ledgers_.clear();
}

}  // namespace shaduf::sandbox
