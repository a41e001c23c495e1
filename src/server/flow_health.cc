#include "server/flow_health.h"

#include <algorithm>

namespace shaduf::server {
namespace {

constexpr std::chrono::minutes kGraceMin{5};

bool is_good(RunState state) { return state == RunState::succeeded || state == RunState::warned; }

// How long runs take that went well; nothing when none did.
std::chrono::microseconds usual_duration(const RunViews::Recent& recent) {
    std::vector<std::chrono::microseconds> durations;
    for (const RunRow& run : recent.runs) {
        if (is_good(run.state) && run.began && run.ended) durations.push_back(*run.ended - *run.began);
    }
    if (durations.empty()) return std::chrono::microseconds(0);
    const auto middle = durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2);
    std::nth_element(durations.begin(), middle, durations.end());
    return *middle;
}

// The last moment of the schedules that is not behind `now`, and not before the flow counts.
std::optional<Timestamp> last_due(const FlowSpec& flow, Timestamp now) {
    std::optional<Timestamp> last;
    for (const Schedule& schedule : flow.schedules) {
        const auto due = schedule.previous(now + std::chrono::microseconds(1));
        if (due && (!flow.starts || *due >= *flow.starts) && (!flow.ends || *due < *flow.ends))
            last = std::max(last, due);
    }
    return last;
}

}  // namespace

std::optional<Lateness> lateness_of(const FlowInfo& flow, const RunViews::Recent& recent, bool is_paused,
                                    Timestamp now) {
    if (is_paused || flow.is_endless || flow.spec == nullptr) return std::nullopt;
    if (flow.stale_after.count() > 0) {
        if (!recent.last_success) return std::nullopt;  // it has never been fresh
        const Timestamp due = *recent.last_success + flow.stale_after;
        return due < now ? std::optional(Lateness{due}) : std::nullopt;
    }
    const auto due = last_due(*flow.spec, now);
    if (!due) return std::nullopt;
    const auto is_of_it = [&](const RunRow& run) { return is_good(run.state) && run.ended && *run.ended >= *due; };
    if (std::any_of(recent.runs.begin(), recent.runs.end(), is_of_it)) return std::nullopt;
    // A schedule that was only just read has not missed what lies before.
    const bool has_run = !recent.runs.empty() && recent.runs.back().created <= *due;
    const auto grace = std::max<std::chrono::microseconds>(kGraceMin, 2 * usual_duration(recent));
    return has_run && now - *due > grace ? std::optional(Lateness{*due}) : std::nullopt;
}

std::optional<Failing> failing_of(const RunViews::Recent& recent) {
    Failing failing;
    for (const RunRow& run : recent.runs) {
        if (!is_end(run.state) || run.state == RunState::skipped || run.state == RunState::killed) continue;
        if (run.state != RunState::failed) break;
        if (failing.last == nullptr) failing.last = &run;
        failing.since = run.ended.value_or(run.created);
        ++failing.times;
    }
    return failing.last == nullptr ? std::nullopt : std::optional(failing);
}

}  // namespace shaduf::server
