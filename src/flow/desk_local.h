#pragma once

#include <functional>
#include <mutex>

#include "flow/desk.h"
#include "flow/scheduler.h"

namespace shaduf {

// The desk of a process that decides itself. Idempotency keys and what is paused are kept by the store, so that they
// outlast the process. Thread-safe; its parts outlive it.
class LocalDesk final : public FlowDesk {
public:
    struct Parts {
        Scheduler& scheduler;
        RunStore& store;
        Clock& clock;
        // The flow as it is now, with its schedules; nullptr: there is none.
        std::function<FlowPtr(const std::string& flow)> flow;
        std::function<std::vector<std::string>()> names;  // of all flows, to suggest from
        // As the engine is to have it, when it is paused or not.
        std::function<FlowPtr(const FlowPtr& flow, bool is_paused)> for_engine;
    };
    explicit LocalDesk(Parts parts) : parts_(std::move(parts)) {}

    Result<Requested> request(const RunRequest& request, const std::string& key) override;
    Result<void> cancel(const RunId& run, const std::string& actor) override;
    Result<void> approve(const RunId& run, const std::string& task, bool yes, const std::string& actor) override;
    Result<void> mark(const RunId& run, const std::string& task, TaskState state, const std::string& actor) override;
    Result<void> run_again(const RunId& run, const std::vector<std::string>& tasks, const std::string& actor) override;
    Result<size_t> backfill(const Backfill& backfill) override;
    Result<void> pause(const std::string& flow, bool yes, const std::string& actor) override;
    Result<bool> is_paused(const std::string& flow) override;
    std::optional<Timestamp> next_due(const std::string& flow) override;

    // A definition: as it is now, or as it was kept.
    Result<FlowPtr> definition(const std::string& flow, const std::string& revision);
    // Forgets keys that nobody can mean any more.
    Result<void> forget_old_keys();

private:
    Result<FlowPtr> find(const std::string& flow) const;
    Result<RunId> request_now(RunRequest request);
    struct Known {
        RunRow row;
        FlowPtr flow;
    };
    Result<Known> known(const RunId& run);
    Result<TaskIndex> task_of(const RunId& run, const std::string& task);
    Result<std::optional<RunId>> requested_before(const RunRequest& request, const std::string& key);
    Result<void> wait_for(std::future<Result<void>> future);
    Result<std::multimap<Timestamp, RunRow>> runs_by_due(const std::string& flow);

    const Parts parts_;
    std::mutex keys_;       // one look-up of a key, and what follows, at a time
    std::mutex backfills_;  // one at a time
};

}  // namespace shaduf
