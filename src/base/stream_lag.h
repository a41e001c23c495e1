#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace shaduf {

// How far a stream that is read for ever is behind what its source has.
struct StreamLag {
    std::string pipeline;
    std::string stream;
    int64_t messages = 0;                  // in all parts
    std::map<std::string, int64_t> parts;  // those that this process reads: orders/3
    // Age of the oldest message that was read and is not committed; nullopt: all are.
    std::optional<double> oldest_seconds;
    int64_t rebalances = 0;  // since the stream began
};

// Optional power of RunEvents, asked for by dynamic_cast. May be called from any thread, and may not block.
class LagEvents {
public:
    virtual ~LagEvents() = default;
    // Every few seconds, of a stream whose source knows it.
    virtual void stream_lag(const StreamLag& lag) = 0;
};

}  // namespace shaduf
