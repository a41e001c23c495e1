#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "flow/desk.h"
#include "flow/scheduler.h"

namespace shaduf {

// The desk of a process that decides itself. Idempotency keys and what is paused are kept by the store, so that they
// outlast the process. Thread-safe; its parts outlive it.
class LocalDesk final : public DecidingDesk {
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
    Pending request_all(const std::vector<Asked>& asked, Making making) override;
    Result<void> cancel(const RunId& run, const std::string& actor) override;
    Result<void> approve(const RunId& run, const std::string& task, bool yes, const std::string& actor) override;
    Result<void> mark(const RunId& run, const std::string& task, TaskState state, const std::string& actor) override;
    Result<void> run_again(const RunId& run, const std::vector<std::string>& tasks, const std::string& actor) override;
    Result<size_t> backfill(const Backfill& backfill) override;
    Result<void> pause(const std::string& flow, bool yes, const std::string& actor) override;
    Result<bool> is_paused(const std::string& flow) override;
    std::optional<Timestamp> next_due(const std::string& flow) override;

private:
    Result<FlowPtr> find(const std::string& flow) const;
    // What a request is for, complete.
    Result<RunRequest> completed(RunRequest request) const;
    // A key whose run may not be kept yet: that of a place among those that are asked for together.
    struct OpenKey {
        Pending pending;
        size_t place;
    };
    // One run of many that are asked for at once.
    struct Item {
        Result<RunRequest> request;
        std::string key;              // as it is kept; "" is none
        std::optional<RunId> known;   // that the key has asked for before
        std::optional<OpenKey> open;  // the key asks for its run at this time
    };
    Item item_of(const Asked& asked);
    static Result<Requested> make(const Item& item, Engine& engine, Timestamp now, FlowStep& step);
    struct Known {
        RunRow row;
        FlowPtr flow;
    };
    Result<Known> known(const RunId& run);
    Result<TaskIndex> task_of(const RunId& run, const std::string& task);
    Result<void> forget_old_keys();
    Result<std::optional<RunId>> requested_before(const std::string& key);
    Result<void> wait_for(std::future<Result<void>> future);
    Result<std::multimap<Timestamp, RunRow>> runs_by_due(const std::string& flow);

    const Parts parts_;
    std::mutex keys_;  // guards `open_`, and that a key is looked up and asked for by one at a time
    std::map<std::string, OpenKey> open_;
    Timestamp forgets_at_{};  // old keys, the next time
    std::mutex backfills_;    // one at a time
};

// A flow's definition of a revision: `now`, where it is that, or as it was kept.
Result<FlowPtr> definition_of(RunStore& store, const FlowPtr& now, const std::string& flow,
                              const std::string& revision);

}  // namespace shaduf
