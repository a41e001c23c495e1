#include "pipeline/run.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <thread>

#include "base/retry.h"
#include "base/text.h"
#include "base/time.h"
#include "pipeline/job_factory.h"
#include "pipeline/lease.h"
#include "pipeline/meta_store.h"

namespace shaduf {
namespace {

// Of a stream that runs for ever, after an error that passes by.
constexpr RetryPolicy kRestarts{.tries_max = 0, .delay_first = std::chrono::milliseconds(500)};

enum class StreamState { waiting, running, done };

struct Plan {
    const StreamConfig* config;
    std::vector<size_t> after;  // streams whose tables its expectations refer to
    StreamState state = StreamState::waiting;
    StreamResult result;
    std::string started_at;
};

class PipelineRun {
public:
    PipelineRun(RunContext& run, const PipelineConfig& pipeline, const Side& source, const Side& sink,
                std::string policy_key, std::string run_id, MetaStore* history)
        : run_(run),
          pipeline_(pipeline),
          source_(source),
          sink_(sink),
          policy_key_(std::move(policy_key)),
          budget_(MemoryShares::of(pipeline.memory_bytes).in_flight),
          run_id_(std::move(run_id)),
          history_(history) {}

    Result<void> plan(const std::vector<std::string>& wanted) {
        for (const auto& stream : pipeline_.streams) {
            if (wanted.empty() || std::find(wanted.begin(), wanted.end(), stream.name) != wanted.end()) {
                plans_.push_back({&stream, {}, StreamState::waiting, {}, {}});
            }
        }
        for (auto& plan : plans_) {
            for (const auto& expect : plan.config->expect) {
                if (expect.kind != ExpectKind::relationships) continue;
                for (size_t other = 0; other < plans_.size(); ++other) {
                    const bool refers = plans_[other].config->table == expect.to_table && &plans_[other] != &plan;
                    if (refers) plan.after.push_back(other);
                }
            }
        }
        return check_for_cycles();
    }

    std::vector<Error> check() {
        std::vector<Error> errors;
        for (const auto& plan : plans_) {
            const auto job = job_of(*plan.config);
            if (!job.ok()) errors.push_back(job.error().at(plan.config->place));
        }
        return errors;
    }

    std::vector<StreamResult> execute(int at_once) {
        std::vector<std::thread> threads;
        // Those that never end would keep the others from beginning.
        const auto endless = std::count_if(plans_.begin(), plans_.end(),
                                           [](const Plan& plan) { return plan.config->mode == ReadMode::stream; });
        const auto wanted = static_cast<size_t>(std::max(1, at_once) + static_cast<int>(endless));
        const size_t count = std::min(wanted, plans_.size());
        for (size_t i = 1; i < count; ++i) threads.emplace_back([this] { run_until_none_is_left(); });
        run_until_none_is_left();
        for (auto& thread : threads) thread.join();
        std::vector<StreamResult> results;
        for (auto& plan : plans_) results.push_back(std::move(plan.result));
        return results;
    }

private:
    Result<void> check_for_cycles() const {
        std::vector<bool> placed(plans_.size(), false);
        for (size_t round = 0; round < plans_.size(); ++round) {
            for (size_t i = 0; i < plans_.size(); ++i) {
                const auto& after = plans_[i].after;
                placed[i] =
                    placed[i] || std::all_of(after.begin(), after.end(), [&](size_t other) { return placed[other]; });
            }
        }
        for (size_t i = 0; i < plans_.size(); ++i) {
            if (placed[i]) continue;
            return Error(ErrorKind::invalid_config, "streams refer to each other in a circle: " +
                                                        plans_[i].config->name + "; remove one relationship")
                .at(plans_[i].config->place);
        }
        return {};
    }

    void run_until_none_is_left() {
        std::unique_lock lock(mutex_);
        for (;;) {
            Plan* next = nullptr;
            bool any_waits = false;
            for (auto& plan : plans_) {
                if (plan.state != StreamState::waiting) continue;
                any_waits = true;
                const bool ready = std::all_of(plan.after.begin(), plan.after.end(),
                                               [&](size_t other) { return plans_[other].state == StreamState::done; });
                if (ready && next == nullptr) next = &plan;
            }
            if (!any_waits) return;
            if (next == nullptr) {
                changed_.wait(lock);
                continue;
            }
            next->state = StreamState::running;
            lock.unlock();
            run_one(*next);
            lock.lock();
            next->state = StreamState::done;
            changed_.notify_all();
        }
    }

    void run_one(Plan& plan) {
        plan.started_at = format_timestamp(run_.clock.now());
        plan.result.progress.pipeline = pipeline_.name;
        plan.result.progress.stream = plan.config->name;
        plan.result.progress.table = plan.config->table;
        record(plan, "running");
        run_until_it_ends(plan);
        // To be stopped is how a stream that runs for ever ends well.
        plan.result.was_stopped = plan.config->mode == ReadMode::stream && plan.result.error &&
                                  plan.result.error->kind() == ErrorKind::canceled;
        if (plan.result.was_stopped) plan.result.error.reset();
        const auto& error = plan.result.error;
        const bool canceled = error && error->kind() == ErrorKind::canceled;
        record(plan, !error ? "done" : canceled ? "canceled" : "failed");
        record_checks(plan);
    }

    void run_until_it_ends(Plan& plan) {
        StreamProgress before;
        for (int failures = 0;;) {
            auto job = job_of(*plan.config);
            if (!job.ok()) {
                plan.result.error = job.error().at(plan.config->place);
                run_.events.stream_finished(plan.result.progress, &*plan.result.error);
                return;
            }
            plan.result = run_stream(run_, job.release_value(), budget_);
            failures = plan.result.progress.rows_written > 0 ? 1 : failures + 1;
            add(before, plan.result.progress);
            if (!begins_again(plan) || failures > plan.config->retries) return;
            before = plan.result.progress;
            run_.events.message(Severity::warning, pipeline_.name + "." + plan.config->name,
                                "begins again from its checkpoint: " + plan.result.error->to_string());
            const double jitter = static_cast<double>(random_()) / static_cast<double>(std::random_device::max());
            if (!run_.clock.sleep(backoff_delay(kRestarts, failures, jitter), run_.cancellation)) return;
        }
    }

    static void add(const StreamProgress& before, StreamProgress& progress) {
        progress.rows_read += before.rows_read;
        progress.rows_written += before.rows_written;
        progress.rows_quarantined += before.rows_quarantined;
        progress.bytes_read += before.bytes_read;
        progress.warnings += before.warnings;
        progress.retries += before.retries;
        progress.seconds += before.seconds;
    }

    // What is to run for ever outlives a system that is away, and another process that was faster.
    bool begins_again(const Plan& plan) const {
        if (plan.config->mode != ReadMode::stream || !plan.result.error || run_.cancellation.canceled()) return false;
        const ErrorKind kind = plan.result.error->kind();
        return kind == ErrorKind::unavailable || kind == ErrorKind::rate_limited || kind == ErrorKind::conflict;
    }

    // The history is a convenience: a run goes on without it, and says so.
    void record(const Plan& plan, const char* status) {
        if (history_ == nullptr) return;
        StreamRecord record;
        record.run_id = run_id_;
        record.progress = plan.result.progress;
        record.status = status;
        record.error = plan.result.error ? plan.result.error->to_string() : "";
        record.checkpoint = plan.result.checkpoint ? plan.result.checkpoint->value() : "";
        record.started_at = plan.started_at;
        const auto saved = history_->save(record);
        if (!saved.ok()) run_.events.message(Severity::warning, pipeline_.name, saved.error().to_string());
    }

    void record_checks(const Plan& plan) {
        if (history_ == nullptr || plan.result.checks.empty()) return;
        std::vector<CheckRecord> records;
        const std::string at = format_timestamp(run_.clock.now());
        for (const CheckResult& check : plan.result.checks) {
            records.push_back({.id = expectation_id(pipeline_.name, plan.config->name, check.text),
                               .run_id = run_id_,
                               .at = at,
                               .state = check.state,
                               .rows = check.rows,
                               .message = check.message});
        }
        const auto saved = history_->save_checks(records);
        if (!saved.ok()) run_.events.message(Severity::warning, pipeline_.name, saved.error().to_string());
    }

    Result<StreamJob> job_of(const StreamConfig& stream) {
        JobRequest request{.pipeline = pipeline_,
                           .stream = stream,
                           .sink = sink_,
                           .run_id = run_id_,
                           .policy_key = policy_key_,
                           .checkpoint_name = stream.name,
                           .write = stream.write,
                           .streams_at_once = std::min(plans_.size(), static_cast<size_t>(pipeline_.streams_parallel)),
                           .shared = is_shared(source_, pipeline_, stream)};
        StreamJob job = TRY(make_job(request));
        job.quarantine = stream.quarantine;
        const StreamRequest wanted = request_of(pipeline_, stream, stream.mode);
        job.source = TRY(source_.spec->make_source(source_.connection->options, wanted));
        return job;
    }

    RunContext& run_;
    const PipelineConfig& pipeline_;
    const Side source_;
    const Side sink_;
    const std::string policy_key_;
    ByteBudget budget_;
    const std::string run_id_;
    MetaStore* const history_;
    std::random_device random_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Plan> plans_;
};

}  // namespace

bool RunSummary::ok() const {
    return std::all_of(streams.begin(), streams.end(), [](const StreamResult& stream) { return !stream.error; });
}

std::string make_run_id(const Clock& clock) {
    std::string stamp = format_timestamp(std::chrono::floor<std::chrono::seconds>(clock.now()));
    std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
    std::random_device random;
    std::array<char, 8> suffix{};
    std::snprintf(suffix.data(), suffix.size(), "%06x", random() & 0xFFFFFFU);
    return stamp + "-" + suffix.data();
}

std::vector<Error> check_pipeline(RunContext& run, const Project& project, const PipelineConfig& pipeline,
                                  const Registry<ConnectorSpec>& connectors) {
    const auto source = find_source(project, connectors, pipeline.source);
    if (!source.ok()) return {source.error()};
    const auto sink = find_sink(project, connectors, pipeline.sink);
    if (!sink.ok()) return {sink.error()};
    PipelineRun pipeline_run(run, pipeline, source.value(), sink.value(), project.policy_key, "check", nullptr);
    const auto planned = pipeline_run.plan({});
    if (!planned.ok()) return {planned.error()};
    return pipeline_run.check();
}

namespace {

bool all_are_shared(const Side& source, const PipelineConfig& pipeline, const std::vector<std::string>& wanted) {
    return std::all_of(pipeline.streams.begin(), pipeline.streams.end(), [&](const StreamConfig& stream) {
        const bool is_wanted = wanted.empty() || std::find(wanted.begin(), wanted.end(), stream.name) != wanted.end();
        return !is_wanted || is_shared(source, pipeline, stream);
    });
}

}  // namespace

Result<RunSummary> run_pipeline(RunContext& run, const Project& project, const PipelineConfig& pipeline,
                                const Registry<ConnectorSpec>& connectors, const RunOptions& options) {
    const Side source = TRY(find_source(project, connectors, pipeline.source));
    const Side sink = TRY(find_sink(project, connectors, pipeline.sink));
    const std::string folder = project.folder + "/.shaduf";
    std::optional<Lease> lease;
    if (!all_are_shared(source, pipeline, options.streams)) lease = TRY(Lease::take(folder + "/locks", pipeline.name));
    std::unique_ptr<MetaStore> history;
    const std::string meta_path = options.meta_path.value_or(folder + "/meta.db");
    if (!meta_path.empty()) history = TRY(MetaStore::open(meta_path));

    RunSummary summary;
    summary.run_id = options.run_id.empty() ? make_run_id(run.clock) : options.run_id;
    const std::unique_ptr<RateLedger> ledger = history == nullptr ? nullptr : history->make_ledger();
    RunContext world{run.clock,
                     run.cancellation,
                     run.http,
                     run.databases,
                     run.events,
                     run.shared,
                     ledger == nullptr ? run.rates : *ledger};
    PipelineRun pipeline_run(world, pipeline, source, sink, project.policy_key, summary.run_id, history.get());
    TRY(pipeline_run.plan(options.streams));
    summary.streams = pipeline_run.execute(static_cast<int>(pipeline.streams_parallel));
    return summary;
}

}  // namespace shaduf
