#include "pipeline/stream_run.h"

#include <atomic>
#include <condition_variable>
#include <future>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "base/bounded_queue.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "base/thread_name.h"
#include "data/builder.h"
#include "io/duckdb.h"
#include "pipeline/drift_report.h"
#include "pipeline/graceful_stop.h"
#include "pipeline/quarantine.h"
#include "pipeline/quarantine_guard.h"
#include "pipeline/table_writer.h"

namespace shaduf {
namespace {

constexpr size_t kReasonsMax = 100;
constexpr auto kProgressEvery = std::chrono::milliseconds(200);

// A batch as the workers hand it to the writer.
struct Prepared {
    RecordBatch rows;                   // as the sink may see them
    std::vector<uint32_t> origin;       // rows.row i was this row of the batch as read; empty: the same numbers
    std::vector<RejectedRow> rejected;  // by row of the batch as read
    CheckedRows checked;
    size_t values_ignored = 0;
    std::vector<std::string> fields_ignored;
};

// How the writer tells the reader that all is committed, and where the sink stands.
class Settlement {
public:
    void settle(std::optional<Checkpoint> stands) {
        const std::lock_guard lock(mutex_);
        stands_ = std::move(stands);
        settled_ = true;
        changed_.notify_all();
    }
    Result<std::optional<Checkpoint>> wait(const Cancellation& stop) {
        const Cancellation::Waker waker(stop, [this] {
            const std::lock_guard lock(mutex_);
            changed_.notify_all();
        });
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return settled_ || stop.canceled(); });
        TRY(stop.check());
        return stands_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool settled_ = false;
    std::optional<Checkpoint> stands_;
};

struct Item {
    ReadBatch batch;
    ByteBudget::Share share;
    std::promise<Result<Prepared>> prepared;
    Settlement settlement;  // of a batch that settles
};
using ItemPtr = std::shared_ptr<Item>;

// Text becomes columns of about its size while it is kept for quarantine.
size_t share_of(const ReadBatch& batch) {
    return std::holds_alternative<RecordBatch>(batch.rows) ? batch.byte_size() : batch.byte_size() * 2;
}

uint32_t origin_of(const std::vector<uint32_t>& numbers, size_t row) {
    return numbers.empty() ? static_cast<uint32_t>(row) : numbers[row];
}

// The part of a reason that many rows share.
std::string without_value(const std::string& reason) {
    size_t end = reason.size();
    for (const std::string_view mark : {", the value is ", " at byte offset ", ", at byte offset ", ": withheld",
                                        "; the text of the row is withheld"}) {
        end = std::min(end, reason.find(mark));
    }
    return reason.substr(0, end);
}

RunContext with_cancellation(const RunContext& run, const Cancellation& cancellation) {
    return {run.clock, cancellation, run.http, run.databases, run.events, run.shared, run.rates};
}

class StreamRun {
public:
    StreamRun(RunContext& parent, StreamJob job, ByteBudget& budget)
        : job_(std::move(job)),
          run_(with_cancellation(parent, stop_)),
          read_run_(with_cancellation(parent, stop_reading_)),
          parent_(parent),
          budget_(budget),
          to_work_({static_cast<size_t>(job_.workers) * 2}),
          in_order_({static_cast<size_t>(job_.workers) * 4}),
          writer_(run_, *job_.sink, job_.run_id, job_.schema.empty() ? job_.table : job_.schema + "." + job_.table) {
        result_.progress.pipeline = job_.pipeline;
        result_.progress.stream = job_.stream;
        result_.progress.table = job_.schema.empty() ? job_.table : job_.schema + "." + job_.table;
    }

    StreamResult execute() {
        const Cancellation::Waker stop_reading(stop_, [this] { stop_reading_.cancel(); });
        std::optional<Cancellation::Waker> stop_at_once;
        std::optional<GracefulStop> stop_behind_a_commit;
        if (never_ends()) {
            stop_behind_a_commit.emplace(parent_.cancellation, stop_reading_, stop_, job_.stop_within);
        } else {
            stop_at_once.emplace(parent_.cancellation, [this] { stop_.cancel(); });
        }
        started_ = run_.clock.steady_now();
        run_.events.stream_started(result_.progress);
        auto done = move_rows();
        if (!done.ok()) {
            result_.error = done.error().at(Place::in_stream(job_.source_connection, job_.stream));
        } else if (!job_.expectations->failures().empty()) {
            result_.error = job_.expectations->failures().front();
        }
        for (const auto& warning : job_.expectations->warnings()) warn(warning);
        result_.checks = job_.expectations->results(
            run_, {result_.progress.rows_read, result_.progress.rows_written, was_judged_ || never_ends()});
        if (!result_.error && result_.progress.rows_written > 0) {
            for (const auto& column : job_.policies->unmet()) {
                warn("policy of column " + column + ": the load has no such column");
            }
        }
        result_.progress.retries = retries_;
        result_.progress.seconds = seconds_since_start();
        run_.events.stream_finished(result_.progress, result_.error ? &*result_.error : nullptr);
        return std::move(result_);
    }

private:
    bool never_ends() const { return job_.read == ReadMode::stream; }

    Result<void> move_rows() {
        TRY(open());
        std::thread reader([this] { read_all(); });
        std::vector<std::thread> workers;
        workers.reserve(static_cast<size_t>(job_.workers));
        for (int i = 0; i < job_.workers; ++i) workers.emplace_back([this] { work(); });
        auto written = write_all();
        const bool was_stopped = never_ends() && parent_.cancellation.canceled() && !stop_.canceled();
        if (!written.ok() && !was_stopped) stop_.cancel();
        to_work_.abort();
        in_order_.abort();
        reader.join();
        for (auto& worker : workers) worker.join();
        if (!written.ok()) {
            // Who cannot be told any more is told by the next run.
            if (was_stopped && committed_ && committed_ != acknowledged_) {
                static_cast<void>(job_.source->acknowledge(run_, *committed_).ok());
            }
            TRY(parent_.cancellation.check());
            return written;
        }
        if (values_ignored_ > 0) {
            warn("left out " + format_count(values_ignored_) +
                 " values that the table has no place for (contract: discard_column)");
        }
        report_drift();
        if (committed_ && committed_ != acknowledged_) TRY(job_.source->acknowledge(run_, *committed_));
        return {};
    }

    // Rows are in: that their form cannot be told is no failure.
    void report_drift() {
        TableReader* reader = job_.tells_lost_fields && job_.store ? job_.store->reader() : nullptr;
        const auto quoted = [&](const std::string& name) {
            return job_.schema.empty() ? quote_identifier(name) : quote_table(job_.schema, name);
        };
        // What this load replaced stands among the restatements, by its id.
        const std::vector<std::string> before{
            quoted(job_.table),
            quoted(job_.table + "__restatements") + " WHERE _shaduf_restated_by = " + quote_literal(job_.run_id)};
        const auto lines = drift_.finish(run_, reader, before);
        if (!lines.ok()) return warn("cannot tell which fields are lost: " + lines.error().to_string());
        for (const std::string& line : lines.value()) warn(line);
    }

    Result<void> open() {
        const SinkState state = TRY(writer_.open(job_.write));
        committed_ = state.checkpoint;
        result_.checkpoint = state.checkpoint;
        contract_.emplace(job_.contract, state.table);
        drift_.begin(state.table);
        Expectations::Destination destination;
        destination.reader = job_.store ? job_.store->reader() : nullptr;
        destination.schema = job_.schema;
        destination.table = job_.table;
        destination.table_exists = state.table.has_value();
        destination.mode = job_.write;
        TRY(job_.expectations->load_keys(run_, destination));
        TRY(with_counted_retries([&] { return job_.source->open(read_run_, state.checkpoint); }));
        if (const auto* told = dynamic_cast<const ColumnTeller*>(job_.source.get())) {
            contract_->expect_columns(told->known_columns());
        }
        return {};
    }

    template <typename F>
    auto with_counted_retries(F&& attempt) -> decltype(attempt()) {
        bool again = false;
        return with_retries(read_run_, job_.retries, [&] {
            if (std::exchange(again, true)) ++retries_;
            return attempt();
        });
    }

    // ------------------------------------------------------------------------------------------------- the reader's
    // thread

    void read_all() {
        name_thread("read");
        auto done = read_until_end();
        const bool was_stopped = never_ends() && stop_reading_.canceled() && !stop_.canceled();
        if (!done.ok() && !was_stopped) {
            auto last = std::make_shared<Item>();
            last->prepared.set_value(done.release_error());
            in_order_.push(std::move(last));
        }
        in_order_.close();
        to_work_.close();
    }

    Result<void> read_until_end() {
        for (;;) {
            TRY(acknowledge_committed());
            TRY(failpoint("run.read"));
            auto batch = TRY(with_counted_retries([&] { return job_.source->read(read_run_); }));
            if (!batch) return {};
            auto item = std::make_shared<Item>();
            item->share = budget_.acquire(share_of(*batch), stop_reading_);
            item->batch = std::move(*batch);
            TRY(stop_reading_.check());
            if (!in_order_.push(item)) return {};
            if (!to_work_.push(item)) item->prepared.set_value(Error(ErrorKind::canceled, "the run was stopped"));
            if (item->batch.settles) TRY(resume(*item));
        }
    }

    Result<void> resume(Item& item) {
        auto* shared = dynamic_cast<SharedSource*>(job_.source.get());
        SHADUF_ASSERT(shared != nullptr);
        const auto stands = TRY(item.settlement.wait(stop_reading_));
        return with_counted_retries([&] { return shared->resume_at(read_run_, stands); });
    }

    Result<void> acknowledge_committed() {
        std::optional<Checkpoint> checkpoint;
        {
            std::lock_guard lock(mutex_);
            if (committed_ == acknowledged_) return {};
            checkpoint = committed_;
        }
        if (checkpoint) TRY(job_.source->acknowledge(read_run_, *checkpoint));
        acknowledged_ = checkpoint;
        return {};
    }

    // ------------------------------------------------------------------------------------------------ the workers'
    // threads

    void work() {
        name_thread("decode");
        while (auto item = to_work_.pop()) (*item)->prepared.set_value(prepare((*item)->batch));
    }

    Result<Prepared> prepare(const ReadBatch& batch) {
        static const SchemaPtr no_columns = std::make_shared<const Schema>();
        const bool is_typed = std::holds_alternative<RecordBatch>(batch.rows);
        if (batch.row_count() == 0 && !is_typed) return Prepared{RecordBatch(no_columns, {}, 0), {}, {}, {}};
        TypedBatch typed = TRY(contract_->apply(batch));
        if (batch.row_count() == 0) return Prepared{TRY(job_.policies->apply(typed.rows, nullptr)), {}, {}, {}};
        CheckedRows checked = TRY(job_.expectations->check(run_, typed.rows, batch.treated.get()));
        std::vector<uint32_t> origin = typed.row_numbers;
        if (!checked.rejected.empty()) {
            origin.clear();
            for (const uint32_t row : checked.kept) origin.push_back(origin_of(typed.row_numbers, row));
            for (auto& row : checked.rejected) row.row = origin_of(typed.row_numbers, row.row);
            typed.rejected.insert(typed.rejected.end(), checked.rejected.begin(), checked.rejected.end());
            typed.rows = typed.rows.take(checked.kept);
        }
        RecordBatch allowed = TRY(job_.policies->apply(typed.rows, batch.treated.get()));
        return Prepared{std::move(allowed), std::move(origin),    std::move(typed.rejected),
                        std::move(checked), typed.values_ignored, std::move(typed.fields_ignored)};
    }

    // ------------------------------------------------------------------------------------------------- the writer's
    // thread

    Result<void> write_all() {
        last_commit_ = run_.clock.steady_now();
        // What never ends is judged batch by batch.
        const bool all_or_nothing = job_.expectations->any_fatal() && !never_ends();
        while (auto item = in_order_.pop()) {
            auto prepared = (*item)->prepared.get_future().get();
            if (!prepared.ok()) {
                if (!all_or_nothing && may_commit() && !parent_.cancellation.canceled()) {
                    TRY(commit(CommitKind::interim));
                }
                return prepared.release_error();
            }
            // Rows without a position behind them cannot be committed until one comes: those before go first.
            const bool due = !all_or_nothing && commit_is_due();
            if (due && may_commit() && !(*item)->batch.next) TRY(commit(CommitKind::interim));
            TRY(write((*item)->batch, prepared.release_value()));
            const bool settles = (*item)->batch.settles;
            if (!all_or_nothing && may_commit() && (settles || commit_is_due())) TRY(commit(CommitKind::interim));
            if (settles) (*item)->settlement.settle(TRY(job_.sink->refresh(run_)));
            report_progress();
        }
        if (never_ends() && parent_.cancellation.canceled() && may_commit()) TRY(commit(CommitKind::interim));
        TRY(parent_.cancellation.check());
        was_judged_ = true;
        TRY(judge(true));
        return commit(CommitKind::final);
    }

    // What was written last ends at a position: a commit up to it holds no row that would be read again.
    bool may_commit() const { return pending_.has_value() && !unplaced_rows_; }
    bool commit_is_due() const { return run_.clock.steady_now() - last_commit_ >= job_.commit_every; }

    Result<void> write(const ReadBatch& batch, Prepared prepared) {
        TRY(failpoint("run.write"));
        if (job_.write == WriteMode::slices) TRY(begin_slice(batch));
        if (batch.next) pending_ = batch.next;
        if (batch.next || batch.row_count() > 0) unplaced_rows_ = !batch.next;
        if (batch.row_count() == 0) {
            const Schema& columns = *prepared.rows.schema();
            return columns.size() == 0 ? Result<void>() : writer_.prepare(columns);
        }
        changed_ = true;
        StreamProgress& progress = result_.progress;
        progress.rows_read += static_cast<int64_t>(batch.row_count());
        guard_.add_rows(static_cast<int64_t>(batch.row_count()));
        progress.bytes_read += static_cast<int64_t>(batch.byte_size());
        values_ignored_ += static_cast<int64_t>(prepared.values_ignored);
        drift_.see_ignored(prepared.fields_ignored);
        for (const auto& row : prepared.rejected) TRY(quarantine(batch, row.row, row.why));
        const auto out_of_order = TRY(job_.expectations->check_in_order(prepared.checked));
        if (!out_of_order.empty()) TRY(leave_out(batch, out_of_order, prepared));
        if (prepared.rows.rows() > 0) {
            drift_.see(prepared.rows);
            const WriteReport report = TRY(writer_.write(prepared.rows));
            progress.rows_written += static_cast<int64_t>(report.rows_written);
            for (const auto& row : report.rejected) {
                TRY(quarantine(batch, origin_of(prepared.origin, row.row), row.why));
            }
        }
        TRY(guard_.check_rows());
        if (quarantine_.rows() >= QuarantineBuilder::kRowsAtOnce) TRY(flush_quarantine());
        return judge(false);
    }

    Result<void> begin_slice(const ReadBatch& batch) {
        if (batch.slice == nullptr && batch.row_count() > 0)
            return Error(ErrorKind::invalid_config,
                         "source gives no slices of this stream; set write: merge with a key");
        if (batch.slice == nullptr || batch.slice == slice_) return {};
        slice_ = batch.slice;
        return job_.sink->begin_slice(run_, *slice_);
    }

    Result<void> leave_out(const ReadBatch& batch, const std::vector<RejectedRow>& rejected, Prepared& prepared) {
        std::vector<uint32_t> kept;
        std::vector<uint32_t> origin;
        size_t next = 0;
        for (size_t row = 0; row < prepared.rows.rows(); ++row) {
            if (next < rejected.size() && rejected[next].row == row) {
                TRY(quarantine(batch, origin_of(prepared.origin, row), rejected[next++].why));
                continue;
            }
            kept.push_back(static_cast<uint32_t>(row));
            origin.push_back(origin_of(prepared.origin, row));
        }
        prepared.rows = prepared.rows.take(kept);
        prepared.origin = std::move(origin);
        return {};
    }

    Result<void> quarantine(const ReadBatch& batch, size_t row, const Error& why) {
        const auto reason = TRY(quarantine_.add(batch, row, why, contract_->shape_of(batch), run_.clock.now()));
        ++result_.progress.rows_quarantined;
        guard_.add_rejected(batch.position(row), reason);
        if (dead_letters_ != nullptr) rejected_.push_back({batch.position(row), reason});
        const std::string group = without_value(reason);
        const bool known = result_.reasons.contains(group) || result_.reasons.size() < kReasonsMax;
        ++result_.reasons[known ? group : "other reasons"];
        return {};
    }

    Result<void> flush_quarantine() {
        if (quarantine_.rows() == 0) return {};
        if (dead_letters_ != nullptr) {
            TRY(dead_letters_->hand_on(run_, rejected_));
            rejected_.clear();
        }
        return job_.sink->quarantine(run_, quarantine_.finish());
    }

    Result<void> judge(bool at_end) {
        return job_.expectations->judge(run_, {result_.progress.rows_read, result_.progress.rows_written, at_end});
    }

    // A full refresh that has ended leaves no checkpoint: the next one begins anew.
    Result<void> commit(CommitKind kind) {
        if (kind == CommitKind::interim && !changed_ && pending_ == committed_) {
            last_commit_ = run_.clock.steady_now();
            pending_.reset();
            return {};
        }
        const bool ended = kind == CommitKind::final && job_.read == ReadMode::full_refresh;
        const auto checkpoint = ended ? std::nullopt : pending_ ? pending_ : committed_;
        TRY(guard_.check_share(kind == CommitKind::final));
        TRY(flush_quarantine());
        TRY(failpoint("run.commit"));
        TRY(writer_.commit(checkpoint, kind));
        TRY(failpoint("run.committed"));
        guard_.begin_anew();
        last_commit_ = run_.clock.steady_now();
        result_.checkpoint = checkpoint;
        changed_ = false;
        std::lock_guard lock(mutex_);
        if (pending_) committed_ = std::exchange(pending_, std::nullopt);
        return {};
    }

    void report_progress() {
        const auto now = run_.clock.steady_now();
        if (now - last_report_ < kProgressEvery) return;
        last_report_ = now;
        result_.progress.seconds = seconds_since_start();
        run_.events.stream_progressed(result_.progress);
    }

    void warn(const std::string& text) {
        ++result_.progress.warnings;
        result_.warnings.push_back(text);
        run_.events.message(Severity::warning, job_.pipeline + "." + job_.stream, text);
    }

    double seconds_since_start() const {
        return std::chrono::duration<double>(run_.clock.steady_now() - started_).count();
    }

    Cancellation stop_;  // these outlive what is in the job
    Cancellation stop_reading_;
    StreamJob job_;
    RunContext run_;
    RunContext read_run_;  // the reader's
    RunContext& parent_;
    ByteBudget& budget_;
    BoundedQueue<ItemPtr> to_work_;
    BoundedQueue<ItemPtr> in_order_;
    TableWriter writer_;
    QuarantineBuilder quarantine_{job_};
    QuarantineGuard guard_{job_.quarantine, never_ends()};
    DeadLetters* dead_letters_ = dynamic_cast<DeadLetters*>(job_.source.get());
    std::vector<RejectedMessage> rejected_;  // not handed on yet
    std::optional<Contract> contract_;
    DriftReport drift_;

    StreamResult result_;
    std::shared_ptr<const TableSlice> slice_;  // the writer's: that rows are of
    std::optional<Checkpoint> pending_;        // the writer's: told last, behind rows that are not committed yet
    bool unplaced_rows_ = false;               // the writer's: rows behind that were written
    bool changed_ = false;                     // the writer's: rows came since the last commit
    bool was_judged_ = false;                  // the writer's: the expectations, on the load as a whole
    std::mutex mutex_;                         // guards committed_
    std::optional<Checkpoint> committed_;
    std::optional<Checkpoint> acknowledged_;
    std::atomic<int64_t> retries_{0};
    int64_t values_ignored_ = 0;
    std::chrono::steady_clock::time_point started_;
    std::chrono::steady_clock::time_point last_commit_;
    std::chrono::steady_clock::time_point last_report_;
};

}  // namespace

StreamResult run_stream(RunContext& run, StreamJob job, ByteBudget& budget) {
    return StreamRun(run, std::move(job), budget).execute();
}

}  // namespace shaduf
