#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/ads/fetcher.h"
#include "connectors/ads/settings.h"
#include "connectors/ads/slice.h"
#include "io/object_store.h"

namespace shaduf::ads {

// The pages of one slice on their way into the archive. One thread at a time; nothing of a slice that is not finished
// is ever read again.
class ArchivedSlice {
public:
    virtual ~ArchivedSlice() = default;
    virtual Result<void> keep(RunContext& run, const Page& page) = 0;
    virtual Result<void> finish(RunContext& run) = 0;
};

// A slice as it stands in the archive.
struct ArchivedFetch {
    std::string prefix;  // of its objects' keys
    Timestamp fetched{};
    std::string account;
    std::string part;
    std::optional<DayRange> days;
};

// Keeps answers of a stream as they came, compressed, by slice. Objects are named
// "<connection>/<stream>/<account>/<part>/<days>/<time>-<number>[-end].zst"; each holds a zstd frame a page, with what
// the page and the slice are in skippable frames before it, so that `zstd -dc` prints the answers. Thread-safe.
class Archive {
public:
    // nullptr when the connection keeps none.
    static Result<std::unique_ptr<Archive>> open(const SourceSettings& settings);

    Result<std::unique_ptr<ArchivedSlice>> begin(RunContext& run, const Slice& slice);
    // Removes what is older than the retention.
    Result<void> remove_old(RunContext& run);
    // The complete fetches, by the time of the fetch ascending.
    Result<std::vector<ArchivedFetch>> list(RunContext& run);
    // Gives the pages of one, in order, with the slice as it was when they were fetched.
    using EachPage = std::function<Result<void>(const Slice& slice, Page page)>;
    Result<void> read(RunContext& run, const ArchivedFetch& fetch, const EachPage& each);

private:
    Archive(std::unique_ptr<ObjectStore> store, std::string folder, std::chrono::milliseconds retention)
        : store_(std::move(store)), folder_(std::move(folder)), retention_(retention) {}

    const std::shared_ptr<ObjectStore> store_;
    const std::string folder_;
    const std::chrono::milliseconds retention_;
};

}  // namespace shaduf::ads
