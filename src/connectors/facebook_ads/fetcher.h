#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "connectors/ads/fetcher.h"
#include "connectors/facebook_ads/api.h"
#include "connectors/facebook_ads/settings.h"

namespace shaduf::facebook {

// One stream of a connection. Thread-safe as ads::SliceFetcher asks for.
class Fetcher final : public ads::SliceFetcher {
public:
    // `since` as the option of reports has it.
    Fetcher(ConnectionSettings connection, StreamSettings stream, ReadMode mode, std::string since)
        : connection_(std::move(connection)), stream_(std::move(stream)), mode_(mode), since_(std::move(since)) {}

    ads::SliceKind kind() const override;
    ads::SliceColumns columns() const override;
    std::vector<ShapeColumn> known_columns() const override;
    Result<ads::StreamPlan> plan(RunContext& run, ads::Memory& memory) override;
    Result<void> fetch(RunContext& run, const ads::Slice& slice, ads::Memory& memory, ads::SliceOutput& out) override;
    Result<ReadBatch> parse(const ads::Slice& slice, const ads::Page& page) const override;

private:
    std::shared_ptr<Api> api(RunContext& run);
    void warn_of_silence(RunContext& run, ads::Day today) const;

    const ConnectionSettings connection_;
    const StreamSettings stream_;
    const ReadMode mode_;
    const std::string since_;
    std::mutex mutex_;
    std::shared_ptr<Api> api_;
};

// The stream of a request; used by its source.
Result<std::unique_ptr<ads::SliceFetcher>> make_fetcher(const Options& connection, const StreamRequest& request);

}  // namespace shaduf::facebook
