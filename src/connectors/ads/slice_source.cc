#include "connectors/ads/slice_source.h"

#include <algorithm>
#include <thread>

#include "base/failpoint.h"
#include "base/run_events.h"
#include "base/text.h"
#include "connectors/ads/archive.h"
#include "connectors/ads/lanes.h"
#include "connectors/ads/window.h"
#include "data/builder.h"

namespace shaduf::ads {
namespace {

// A load that was broken off is gone on with while its numbers are not too old to stand beside the new ones.
constexpr std::chrono::hours kResumeWithin{24};

size_t rows_of(const ReadBatch& batch) {
    if (const auto* raw = std::get_if<RawRows>(&batch.rows)) return raw->rows.size();
    return std::get<RecordBatch>(batch.rows).rows();
}

// What a slice's fetch gives: into the archive, and parsed into its lane.
class LaneOutput final : public SliceOutput {
public:
    LaneOutput(const SliceFetcher& fetcher, Archive* archive, Lanes& lanes, Lane& lane)
        : fetcher_(fetcher), archive_(archive), lanes_(lanes), lane_(lane) {}

    Result<void> begin(RunContext& run) {
        if (archive_ != nullptr && kept_ == nullptr) kept_ = TRY(archive_->begin(run, lane_.slice));
        return {};
    }
    Result<void> finish(RunContext& run) {
        if (lane_.skipped) return {};
        TRY(begin(run));
        if (kept_ != nullptr) TRY(kept_->finish(run));
        if (cursor_) lane_.slice.cursor = *cursor_;
        return {};
    }

    Result<void> give(RunContext& run, Page page) override {
        TRY(begin(run));
        if (kept_ != nullptr) TRY(kept_->keep(run, page));
        ReadBatch batch = TRY(fetcher_.parse(lane_.slice, page));
        if (rows_of(batch) == 0 && !std::holds_alternative<RecordBatch>(batch.rows)) return {};
        const bool goes_on = TRY(lanes_.push(lane_, std::move(batch)));
        if (!goes_on) return Error(ErrorKind::canceled, "the run was stopped");
        return {};
    }
    bool has_left() const override { return lanes_.has_left(lane_); }
    bool restart() override {
        if (!lanes_.restart(lane_)) return false;
        kept_.reset();
        return true;
    }
    void skip(std::string why) override { lane_.skipped = std::move(why); }
    void set_cursor(std::string cursor) override { cursor_ = std::move(cursor); }

private:
    const SliceFetcher& fetcher_;
    Archive* const archive_;
    Lanes& lanes_;
    Lane& lane_;
    std::unique_ptr<ArchivedSlice> kept_;
    std::optional<std::string> cursor_;
};

class SliceSource final : public Source, public ColumnTeller {
public:
    SliceSource(std::unique_ptr<SliceFetcher> fetcher, SourceSettings settings)
        : fetcher_(std::move(fetcher)), settings_(std::move(settings)) {}
    ~SliceSource() override { stop(); }
    SliceSource(const SliceSource&) = delete;
    SliceSource& operator=(const SliceSource&) = delete;

    std::vector<ShapeColumn> known_columns() const override { return fetcher_->known_columns(); }

    Result<void> open(RunContext& run, const std::optional<Checkpoint>& resume_from) override {
        stop();
        position_ = resume_from ? TRY(parse_position(*resume_from)) : Position();
        is_over_ = settings_.mode == ReadMode::full_refresh && resume_from && !position_.begun;
        if (is_over_) return {};
        begin_load(run);
        memory_.assign(position_.memory);
        if (archive_ == nullptr) archive_ = TRY(Archive::open(settings_));
        if (archive_ != nullptr) TRY(archive_->remove_old(run));
        auto plan = fetcher_->plan(run, memory_);
        if (!plan.ok()) return plan.error().at(place());
        auto slices = plan_slices(fetcher_->kind(), plan.value(), settings_, position_);
        if (!slices.ok()) return slices.error().at(place());
        tell(run, plan.value(), slices.value().size());
        threads_max_ = std::min<size_t>({slices.value().size(), static_cast<size_t>(settings_.slices_at_once),
                                         static_cast<size_t>(std::max(1, plan.value().slices_at_once))});
        slices_left_ = slices.value().size();
        lanes_ = std::make_unique<Lanes>(slices.release_value(), settings_.memory_bytes);
        return {};
    }

    Result<std::optional<ReadBatch>> read(RunContext& run) override {
        if (is_over_) return std::optional<ReadBatch>();
        start(run);
        for (auto& lane : failed_) lanes_->fetch_again(std::move(lane));
        failed_.clear();
        Lanes::Next next = lanes_->next();
        TRY(run.cancellation.check());
        if (next.batch) {
            ReadBatch batch = TRY(std::move(*next.batch).unpack());
            gave_rows_ = gave_rows_ || rows_of(batch) > 0;
            batch.slice = std::move(next.table_slice);
            return std::optional(std::move(batch));
        }
        if (next.ended == nullptr) {
            is_over_ = true;
            return std::optional<ReadBatch>();
        }
        if (next.ended->error) return failure(std::move(next.ended));
        if (next.ended->skipped) {
            run.events.message(Severity::warning, place().to_string(),
                               next.ended->slice.to_string() + " is left out: " + *next.ended->skipped);
            next.table_slice.reset();
        }
        return end_of(*next.ended, std::move(next.table_slice));
    }

private:
    Place place() const { return Place::in_stream(settings_.connection, settings_.stream); }

    void begin_load(RunContext& run) {
        const Timestamp now = run.clock.now();
        if (position_.begun && now - *position_.begun < kResumeWithin) return;
        finish_load(position_);
        position_.begun = now;
        if (settings_.mode == ReadMode::full_refresh) position_.accounts.clear();
    }

    void tell(RunContext& run, const StreamPlan& plan, size_t slices) const {
        run.events.message(Severity::info, place().to_string(),
                           format_count(static_cast<int64_t>(slices)) + " slices of " +
                               format_count(static_cast<int64_t>(plan.accounts.size())) + " accounts");
    }

    void start(RunContext& run) {
        if (world_ != nullptr) return;
        world_ = std::make_unique<World>(run, *lanes_);
        for (size_t i = 0; i < threads_max_; ++i) threads_.emplace_back([this] { fetch_all(); });
    }

    void stop() {
        if (world_ != nullptr) world_->stopped.cancel();
        if (lanes_ != nullptr) lanes_->stop();
        for (std::thread& thread : threads_) thread.join();
        threads_.clear();
        world_.reset();
        failed_.clear();
    }

    void fetch_all() {
        while (Lane* lane = lanes_->take()) {
            lane->table_slice = table_slice_of(*fetcher_, lane->slice);
            auto fetched = fetch(world_->run, *lane);
            lanes_->end(*lane, fetched.ok() ? std::nullopt : std::optional(fetched.release_error()));
        }
    }

    Result<void> fetch(RunContext& run, Lane& lane) {
        LaneOutput out(*fetcher_, archive_.get(), *lanes_, lane);
        TRY(fetcher_->fetch(run, lane.slice, memory_, out));
        return out.finish(run);
    }

    // The error of a slice. When it may be retried and nothing of the slice has left, the next `read` does so.
    Error failure(std::unique_ptr<Lane> lane) {
        Error error =
            lane->error->at(Place::in_stream(settings_.connection, settings_.stream, lane->slice.to_string()));
        if (lane->left || !error.may_retry()) return error.permanent();
        failed_ = lanes_->take_failed();
        failed_.push_back(std::move(lane));
        return error;
    }

    Result<std::optional<ReadBatch>> end_of(const Lane& lane, std::shared_ptr<const TableSlice> table_slice) {
        TRY(failpoint("ads.slice"));
        if (!lane.skipped) TRY(finish_slice(fetcher_->kind(), settings_, lane.slice, position_));
        if (--slices_left_ == 0) finish_load(position_);
        position_.memory = memory_.all();
        ReadBatch batch;
        if (slices_left_ == 0 && !gave_rows_) {
            batch.rows = no_rows();
        } else {
            batch.rows = RawRows{.text = BufferBuilder().finish()};
        }
        batch.slice = std::move(table_slice);
        batch.next = to_checkpoint(position_);
        return std::optional(std::move(batch));
    }

    // Makes the table where nothing came to make it of.
    RecordBatch no_rows() const {
        std::vector<Field> fields;
        for (const ShapeColumn& column : fetcher_->known_columns()) fields.push_back({column.name, column.type});
        const auto schema = std::make_shared<const Schema>(std::move(fields));
        return RecordBatchBuilder(schema).finish();
    }

    // The world of the fetching threads, which ends with the load, not only with the run.
    struct World {
        World(RunContext& parent, Lanes& lanes)
            : run{parent.clock, stopped, parent.http, parent.databases, parent.events, parent.shared, parent.rates},
              with_parent(parent.cancellation, [this, &lanes] {
                  stopped.cancel();
                  lanes.stop();
              }) {}
        Cancellation stopped;
        RunContext run;
        const Cancellation::Waker with_parent;
    };

    const std::unique_ptr<SliceFetcher> fetcher_;
    const SourceSettings settings_;
    Position position_;
    Memory memory_;
    std::unique_ptr<Archive> archive_;
    std::unique_ptr<Lanes> lanes_;
    std::unique_ptr<World> world_;
    std::vector<std::thread> threads_;
    std::vector<std::unique_ptr<Lane>> failed_;  // to be fetched again by the next `read`
    size_t threads_max_ = 1;
    size_t slices_left_ = 0;
    bool gave_rows_ = false;
    bool is_over_ = false;
};

}  // namespace

Result<std::unique_ptr<Source>> make_slice_source(std::unique_ptr<SliceFetcher> fetcher, SourceSettings settings) {
    return std::unique_ptr<Source>(std::make_unique<SliceSource>(std::move(fetcher), std::move(settings)));
}

}  // namespace shaduf::ads
