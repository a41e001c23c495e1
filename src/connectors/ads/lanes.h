#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/cancellation.h"
#include "base/error.h"
#include "connectors/ads/slice.h"
#include "connectors/ads/waiting_batch.h"
#include "connectors/connector.h"

namespace shaduf::ads {

// Where the batches of one slice wait, between the thread that fetches them and the reader.
struct Lane {
    explicit Lane(Slice s) : slice(std::move(s)) {}

    Slice slice;
    std::shared_ptr<const TableSlice> table_slice;
    std::deque<WaitingBatch> batches;
    size_t bytes = 0;  // of all of them
    bool ended = false;
    bool left = false;  // the reader had some of it
    std::optional<Error> error;
    std::optional<std::string> skipped;  // why there is nothing of it
};

// Brings slices that are fetched at the same time out one behind the other, in bounded memory: one that is complete
// first, else one whose thread would have to wait. What has to wait long is packed: behind a limit of calls whole
// slices are, and waiting for room would let calls go unused. Any number of fetching threads, one reader.
class Lanes {
public:
    Lanes(std::vector<Slice> slices, uint64_t bytes_max);

    // Fetching threads. The next slice that nobody fetches; waits for one that is to be fetched again. nullptr: the
    // load is stopped.
    Lane* take();
    // Waits while too much waits to be read. False: the load is stopped.
    Result<bool> push(Lane& lane, ReadBatch rows);
    bool restart(Lane& lane);
    bool has_left(const Lane& lane);
    void end(Lane& lane, std::optional<Error> error);

    // The reader.
    struct Next {
        std::shared_ptr<const TableSlice> table_slice;
        std::optional<WaitingBatch> batch;
        std::unique_ptr<Lane> ended;  // behind its last batch; nullptr, and no batch: all slices came out, or the
                                      // load is stopped
    };
    Next next();
    // Those others that failed already and may be fetched again: what broke them has broken them together.
    std::vector<std::unique_ptr<Lane>> take_failed();
    // A slice that failed is to be fetched again. REQUIRES: nothing of it has left
    void fetch_again(std::unique_ptr<Lane> lane);
    void stop();

private:
    Lane* pick() const;
    void drop_batches(Lane& lane);

    const uint64_t bytes_max_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::unique_ptr<Lane>> waiting_;  // that nobody fetches yet
    std::vector<std::unique_ptr<Lane>> open_;    // that some thread fetches or has fetched
    Lane* current_ = nullptr;
    uint64_t bytes_ = 0;
    int blocked_ = 0;
    bool starved_ = false;  // the reader waits for what is still to be fetched
    bool stopped_ = false;
};

}  // namespace shaduf::ads
