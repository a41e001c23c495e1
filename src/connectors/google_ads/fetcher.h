#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "connectors/ads/fetcher.h"
#include "connectors/google_ads/api.h"
#include "connectors/google_ads/rows.h"
#include "connectors/google_ads/streams.h"

namespace shaduf::google_ads {

// One stream of Google Ads: see ads/fetcher.h.
class Fetcher final : public ads::SliceFetcher {
public:
    Fetcher(ApiSettings settings, StreamShape shape, std::string stream)
        : settings_(std::move(settings)), shape_(std::move(shape)), stream_(std::move(stream)) {}

    ads::SliceKind kind() const override { return shape_.kind; }
    ads::SliceColumns columns() const override;
    Result<ads::StreamPlan> plan(RunContext& run, ads::Memory& memory) override;
    Result<void> fetch(RunContext& run, const ads::Slice& slice, ads::Memory& memory, ads::SliceOutput& out) override;
    Result<ReadBatch> parse(const ads::Slice& slice, const ads::Page& page) const override;

private:
    Result<void> fetch_rows(RunContext& run, const ads::Slice& slice, ads::Memory& memory, ads::SliceOutput& out) const;
    Result<void> fetch_changes(RunContext& run, const ads::Slice& slice, ads::SliceOutput& out) const;
    Result<void> fetch_changed(RunContext& run, const ads::Slice& slice, const std::vector<std::string>& names,
                               ads::SliceOutput& out) const;
    Result<void> find_others(RunContext& run, const ads::Slice& slice, const std::vector<std::string>& names,
                             std::unordered_set<std::string>& there) const;
    std::string query_for(const std::optional<ads::DayRange>& days) const;
    Result<std::shared_ptr<const RowReader>> reader_of(const std::string& note) const;

    const ApiSettings settings_;
    const StreamShape shape_;
    const std::string stream_;
    // Of the load, set by `plan`.
    std::unique_ptr<const Api> api_;
    Query query_;
    RowPlan rows_;
    // The reader made last, and the note it was made of.
    mutable std::mutex mutex_;
    mutable std::string note_;
    mutable std::shared_ptr<const RowReader> reader_;
};

// The query and the columns of a stream, as the catalogue of the version in use knows its fields. Tells of those that
// are left out. invalid_config for fields that it does not know.
struct ResolvedStream {
    Query query;
    RowPlan rows;
};
Result<ResolvedStream> resolve(RunContext& run, const Api& api, const StreamShape& shape, const std::string& stream);

}  // namespace shaduf::google_ads
