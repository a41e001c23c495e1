#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/run_context.h"
#include "connectors/connector.h"
#include "connectors/kafka/positions.h"

namespace shaduf::kafka {

// Keeps what a stream's lag is told from. One thread: the reader's.
class LagWatch {
public:
    LagWatch(std::string pipeline, std::string stream) : pipeline_(std::move(pipeline)), stream_(std::move(stream)) {}

    // A batch was given up to this checkpoint; the oldest of its rows is of that time (-1: unknown, or none).
    void gave(const Checkpoint& checkpoint, int64_t oldest_ms);
    void committed(const Checkpoint& checkpoint);
    void rebalanced() { ++rebalances_; }
    // Tells it now and then.
    void report(RunContext& run, const KafkaConsumer& consumer, const Positions& positions);

private:
    struct Given {
        size_t checkpoint_hash;
        int64_t oldest_ms;
    };

    const std::string pipeline_;
    const std::string stream_;
    std::deque<Given> given_;  // not committed yet
    int64_t rebalances_ = 0;
    std::optional<std::chrono::steady_clock::time_point> reported_at_;
};

}  // namespace shaduf::kafka
