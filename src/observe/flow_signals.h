#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "flow/flow_files.h"
#include "flow/run_store.h"
#include "flow/task_log.h"
#include "observe/signal.h"

namespace shaduf::observe {

// Finds in runs of flows what people may want to be told of:
//
//   run_failed          a run has failed, with its tasks' retries used up; over when one succeeds. Backfills apart.
//   run_late            a flow has not succeeded when it should have
//   waits_for_approval  a task waits for somebody
//   quarantined         a run has put rows into quarantine; over with the first that does not
//   retried             a task of a run that ended well was tried kRetriedOften times or more
//   drifted             a run has told of fields that came or went
//   credential_expires  a run has told that a credential is about to expire
//
// It hears of changes while it lives, and keeps a cursor in the store, moved only behind what is settled: so what ended
// while no process was there, or was killed right behind the end, is told by the next one. What is told twice counts
// once, by Signal::at. Of several processes only the one that leads looks.
//
// Thread-safe; the parts outlive it.
class FlowSignals {
public:
    static constexpr int kRetriedOften = 3;

    struct Parts {
        RunStore& store;
        LogStore* logs = nullptr;  // nullptr: none
        const Clock& clock;
        std::function<bool()> leads;
        std::function<std::shared_ptr<const FlowSet>()> flows;
        // A definition as a run keeps to it; nullptr: nobody has it any more.
        std::function<FlowPtr(const std::string& flow, const std::string& revision)> spec;
        // What should have succeeded by now, if so; `known_since`: when the flow was first met.
        std::function<std::optional<Timestamp>(const FlowInfo& flow, Timestamp known_since, Timestamp now)> late_since;
        SignalSink tell;
        // What was told is kept durably, or why not.
        std::function<Result<void>()> settle;
        // Keys of signals that were told and are not over, of those that begin so.
        std::function<std::vector<std::string>(std::string_view prefix)> open_keys;
    };
    explicit FlowSignals(Parts parts) : parts_(std::move(parts)) {}
    ~FlowSignals();  // stops
    FlowSignals(const FlowSignals&) = delete;
    FlowSignals& operator=(const FlowSignals&) = delete;

    // Begins its thread; without it only `look` does something.
    void start();
    void stop();

    // What the scheduler has kept; quick.
    void hear(const FlowChanges& changes);
    // Tells what has come about by now. An error: the store cannot be read or written; the next call tells it.
    Result<void> look();

private:
    struct Ended {
        RunRow run;
        bool has_more = false;  // than its end: its tasks are worth reading
    };
    struct Cursor {
        Timestamp seen{};  // all that were created before it have ended and are told, but for these
        std::set<RunId> open;
    };

    void run();
    Result<void> begin(Timestamp now);
    Result<void> add_runs(Timestamp from, std::map<RunId, Ended>& ended);
    Result<void> tell_ended(const Ended& ended);
    void tell_failed(const RunRow& run, const FlowInfo* flow, const std::vector<TaskRow>& tasks);
    void tell_tasks(const RunRow& run, const FlowInfo* flow, const std::vector<TaskRow>& tasks);
    Result<void> tell_log(const RunRow& run, const FlowInfo* flow, const std::vector<TaskRow>& tasks);
    Result<void> tell_waiting(const std::set<RunId>& runs, bool is_all);
    void tell_late(Timestamp now);
    void tell(Signal signal);
    // Those of these keys that are open, and were not told in this look.
    void end(std::string_view prefix, Timestamp at);
    Signal signal_of(const RunRow& run, const FlowInfo* flow, std::string_view kind) const;
    std::string task_name(const RunRow& run, TaskIndex task) const;
    Result<void> keep_cursor(Timestamp seen, Timestamp now);

    const Parts parts_;
    std::mutex mutex_;  // guards what is heard
    std::condition_variable news_;
    std::map<RunId, Ended> heard_;
    std::map<RunId, bool> has_more_;  // of runs that have not ended
    std::set<RunId> paused_;          // with tasks that wait for somebody,
    std::set<RunId> waiting_;         // and of those, where that may have changed
    bool has_missed_ = false;         // more was heard than is remembered
    bool is_stopped_ = false;
    std::thread thread_;

    std::mutex look_mutex_;  // guards what follows
    bool has_begun_ = false;
    Cursor cursor_;
    Timestamp kept_at_{};
    std::set<std::string> told_;  // keys, in this look
    std::set<std::string> open_;  // keys, before this look
    std::map<std::string, Timestamp> known_since_;
    std::string late_next_;  // the flow that the next look begins with
};

}  // namespace shaduf::observe
