#include "connectors/kafka/lag.h"

#include <algorithm>
#include <functional>

#include "base/run_events.h"
#include "base/stream_lag.h"

namespace shaduf::kafka {
namespace {

constexpr std::chrono::seconds kReportEvery{5};
constexpr size_t kGivenMax = 100'000;  // of a stream that commits nothing for hours

size_t hash_of(const Checkpoint& checkpoint) { return std::hash<std::string>()(checkpoint.value()); }

}  // namespace

void LagWatch::gave(const Checkpoint& checkpoint, int64_t oldest_ms) {
    if (given_.size() >= kGivenMax) given_.erase(given_.begin() + 1);
    given_.push_back({hash_of(checkpoint), oldest_ms});
}

void LagWatch::committed(const Checkpoint& checkpoint) {
    const size_t hash = hash_of(checkpoint);
    const auto last =
        std::find_if(given_.rbegin(), given_.rend(), [&](const Given& given) { return given.checkpoint_hash == hash; });
    given_.erase(given_.begin(), last.base());
}

void LagWatch::report(RunContext& run, const KafkaConsumer& consumer, const Positions& positions) {
    auto* listener = dynamic_cast<LagEvents*>(&run.events);
    const auto now = run.clock.steady_now();
    if (listener == nullptr) return;
    if (reported_at_ && now - *reported_at_ < kReportEvery) return;
    reported_at_ = now;
    StreamLag lag;
    lag.pipeline = pipeline_;
    lag.stream = stream_;
    lag.rebalances = rebalances_;
    for (const auto& [partition, position] : positions) {
        const auto bounds = consumer.known_bounds(partition);
        if (!bounds) continue;
        const int64_t behind = std::max<int64_t>(bounds->end - position.next, 0);
        lag.parts[part_name(partition)] = behind;
        lag.messages += behind;
    }
    int64_t oldest_ms = -1;
    for (const Given& given : given_) {
        if (given.oldest_ms >= 0 && (oldest_ms < 0 || given.oldest_ms < oldest_ms)) oldest_ms = given.oldest_ms;
    }
    if (oldest_ms >= 0) {
        const auto age = run.clock.now().time_since_epoch() - std::chrono::milliseconds(oldest_ms);
        lag.oldest_seconds = std::max(std::chrono::duration<double>(age).count(), 0.0);
    }
    listener->stream_lag(lag);
}

}  // namespace shaduf::kafka
