#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "flow/engine.h"
#include "flow/run_store.h"

namespace shaduf {

// What people and programs ask of runs, whichever process decides. Each call returns when what it asked for is kept;
// within seconds, or with unavailable. Errors: invalid_config when there is no such flow, run or task; conflict when it
// is not in a state for it. Thread-safe.
class FlowDesk {
public:
    virtual ~FlowDesk() = default;

    struct Requested {
        RunId run;
        bool is_new = true;  // false: `key` had asked for it before
    };
    // `key`: an idempotency key; "" is none. The same one within a day gives the same run.
    virtual Result<Requested> request(const RunRequest& request, const std::string& key) = 0;
    virtual Result<void> cancel(const RunId& run, const std::string& actor) = 0;
    virtual Result<void> approve(const RunId& run, const std::string& task, bool yes, const std::string& actor) = 0;
    virtual Result<void> mark(const RunId& run, const std::string& task, TaskState state, const std::string& actor) = 0;
    // Of a run that has ended: these tasks and all behind them; none: those that did not succeed.
    virtual Result<void> run_again(const RunId& run, const std::vector<std::string>& tasks,
                                   const std::string& actor) = 0;
    // A run for each moment of the schedule of [from, to), latest first unless `oldest_first`; those of moments that
    // have a run already only where `again` says so. Gives how many were asked for; at most kBackfillMax.
    struct Backfill {
        std::string flow;
        Timestamp from;
        Timestamp to;
        bool oldest_first = false;
        enum class Again : uint8_t { none, failed, all };
        Again again = Again::none;
        std::string inputs;
        std::string actor;
    };
    static constexpr size_t kBackfillMax = 10'000;
    virtual Result<size_t> backfill(const Backfill& backfill) = 0;
    // A flow's schedules rest, or go on; kept.
    virtual Result<void> pause(const std::string& flow, bool yes, const std::string& actor) = 0;
    virtual Result<bool> is_paused(const std::string& flow) = 0;
    virtual std::optional<Timestamp> next_due(const std::string& flow) = 0;
};

// The desk of a process that decides.
class DecidingDesk : public FlowDesk {
public:
    // Several runs, asked for in one step, each as of `request`.
    struct Asked {
        RunRequest request;
        std::string key;
    };
    // What became of each is sure when `kept` is ready and ok; an error of it is what became of all.
    struct Pending {
        std::shared_future<Result<void>> kept;
        std::shared_ptr<const std::vector<Result<Requested>>> made;
    };
    // `changes`: is kept with the runs, in the same transaction. Called in the scheduler's thread, once for each in
    // their order.
    using Making = std::function<void(size_t which, const Result<Requested>& made, FlowChanges& changes)>;
    virtual Pending request_all(const std::vector<Asked>& asked, Making making) = 0;
};

}  // namespace shaduf
