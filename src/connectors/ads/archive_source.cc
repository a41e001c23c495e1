#include <algorithm>
#include <deque>
#include <map>

#include "base/run_events.h"
#include "base/text.h"
#include "connectors/ads/archive.h"
#include "connectors/ads/slice_source.h"
#include "connectors/ads/window.h"

namespace shaduf::ads {
namespace {

Day day_of(int32_t number) { return Day(std::chrono::days(number)); }

// Of the fetches, oldest first, those without which some day would be missing or not the newest.
std::vector<ArchivedFetch> needed(SliceKind kind, std::vector<ArchivedFetch> fetches, const ReplayRange& range) {
    if (kind == SliceKind::changes) return fetches;
    std::map<std::pair<std::string, std::string>, DaySet> covered;
    std::vector<ArchivedFetch> wanted;
    for (auto fetch = fetches.rbegin(); fetch != fetches.rend(); ++fetch) {
        const Day epoch{};
        DayRange days = fetch->days.value_or(DayRange{epoch, epoch});
        if (fetch->days && range.first_day) days.first = std::max(days.first, day_of(*range.first_day));
        if (fetch->days && range.last_day) days.last = std::min(days.last, day_of(*range.last_day));
        DaySet& have = covered[{fetch->account, fetch->part}];
        if (days.last < days.first || have.missing(days).empty()) continue;
        have.add(days);
        wanted.push_back(*fetch);
    }
    std::reverse(wanted.begin(), wanted.end());
    return wanted;
}

class ArchiveSource final : public Source, public ColumnTeller {
public:
    ArchiveSource(std::unique_ptr<SliceFetcher> fetcher, std::unique_ptr<Archive> archive, SourceSettings settings,
                  const ReplayRange& range)
        : fetcher_(std::move(fetcher)), archive_(std::move(archive)), settings_(std::move(settings)), range_(range) {}

    std::vector<ShapeColumn> known_columns() const override { return fetcher_->known_columns(); }

    // Always from the beginning: what was loaded before is only replaced by the same.
    Result<void> open(RunContext& run, const std::optional<Checkpoint>&) override {
        const auto fetches = needed(fetcher_->kind(), TRY(archive_->list(run)), range_);
        fetches_.assign(fetches.begin(), fetches.end());
        batches_.clear();
        run.events.message(Severity::info, settings_.connection + "." + settings_.stream,
                           format_count(static_cast<int64_t>(fetches.size())) + " archived slices");
        if (!fetches.empty()) return {};
        return Error(ErrorKind::invalid_config,
                     "nothing is archived of these days; set archive on the connection before the load, or give others")
            .at(Place::in_stream(settings_.connection, settings_.stream));
    }

    Result<std::optional<ReadBatch>> read(RunContext& run) override {
        if (batches_.empty() && fetches_.empty()) return std::optional<ReadBatch>();
        if (batches_.empty()) {
            TRY(run.cancellation.check());
            TRY(read_fetch(run, fetches_.front()));
            fetches_.pop_front();
        }
        std::optional<ReadBatch> batch(std::move(batches_.front()));
        batches_.pop_front();
        return batch;
    }

private:
    // A fetch is held whole: it was one slice.
    Result<void> read_fetch(RunContext& run, const ArchivedFetch& fetch) {
        std::shared_ptr<const TableSlice> table_slice;
        auto done = archive_->read(run, fetch, [&](const Slice& slice, Page page) -> Result<void> {
            if (table_slice == nullptr) table_slice = table_slice_of(*fetcher_, slice);
            ReadBatch batch = TRY(fetcher_->parse(slice, page));
            batch.slice = table_slice;
            batches_.push_back(std::move(batch));
            return {};
        });
        if (!done.ok()) return done.error().at(Place::in_stream(settings_.connection, settings_.stream));
        if (table_slice == nullptr) {
            Slice slice;
            slice.account.id = fetch.account;
            slice.part = fetch.part;
            slice.days = fetch.days;
            table_slice = table_slice_of(*fetcher_, slice);
        }
        ReadBatch last;
        last.rows = RawRows{.text = BufferBuilder().finish()};
        last.slice = table_slice;
        last.next = Checkpoint(std::to_string(fetches_.size()));
        batches_.push_back(std::move(last));
        return {};
    }

    const std::unique_ptr<SliceFetcher> fetcher_;
    const std::unique_ptr<Archive> archive_;
    const SourceSettings settings_;
    const ReplayRange range_;
    std::deque<ArchivedFetch> fetches_;
    std::deque<ReadBatch> batches_;
};

}  // namespace

Result<std::unique_ptr<Source>> make_archive_source(std::unique_ptr<SliceFetcher> fetcher, SourceSettings settings,
                                                    const ReplayRange& range) {
    auto archive = TRY(Archive::open(settings));
    if (archive == nullptr)
        return Error(ErrorKind::invalid_config, "connection keeps no archive: " + settings.connection +
                                                    "; set archive: 90d on it before the next load");
    return std::unique_ptr<Source>(
        std::make_unique<ArchiveSource>(std::move(fetcher), std::move(archive), std::move(settings), range));
}

}  // namespace shaduf::ads
