#pragma once

#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/cancellation.h"
#include "base/clock.h"
#include "base/result.h"
#include "flow/engine.h"
#include "flow/run_store.h"

namespace shaduf {

// Runs tries of tasks somewhere. Thread-safe.
class TaskRunner {
public:
    virtual ~TaskRunner() = default;
    // Returns at once; `Scheduler::ended` is to be called in the end, once.
    virtual void start(const TaskStart& start) = 0;
    // The try is to end soon, as How::stopped; it may have ended already.
    virtual void stop(const TaskStop& stop) = 0;
};

// What watches runs: live pages, alerts, metrics. Called by the scheduler's thread behind each step that is kept, so it
// must be quick.
using FlowWatcher = std::function<void(const FlowChanges&)>;

// The engine at work: one thread that hears what happens, keeps what the engine makes of it, and has it done. All that
// has come in since the last time is kept in one transaction, so that it keeps up however slow the disk is. When the
// store cannot be written, nothing is begun until it can; when another process leads, the scheduler ends.
//
// Thread-safe, but for `start`. The store, the runner and the clock outlive it.
class Scheduler {
public:
    struct Parts {
        RunStore& store;
        Clock& clock;
        TaskRunner& runner;
        FlowWatcher watcher;
        Engine::Settings engine;
    };
    explicit Scheduler(Parts parts);
    ~Scheduler();  // stops; tries that are running are left to whoever owns the runner

    // Goes on from what the store has. `definition` makes the flow of a revision that is not among `flows` from the
    // text that was kept of it; nullptr when it cannot.
    using Definition =
        std::function<FlowPtr(const std::string& flow, const std::string& revision, const std::string& text)>;
    Result<void> start(const std::vector<FlowPtr>& flows, const std::map<std::string, uint32_t>& pools,
                       const std::set<std::string>& workers, const Definition& definition);

    // A call of the engine, in the scheduler's thread; what it gives is kept when the future is ready.
    using Call = std::function<Result<FlowStep>(Engine& engine, Timestamp now)>;
    std::future<Result<void>> call(Call call);
    void call_then(Call call, std::promise<Result<void>> kept);
    std::future<Result<RunId>> request(RunRequest request);
    void began(RunId run, TaskIndex task, int attempt, std::string worker);
    void ended(TaskEnd end);

    // Waits until nothing is to be done at this time, for tests.
    void settle();
    // Why it has ended by itself.
    std::optional<Error> failure() const;

private:
    struct Event {
        Call call;
        std::function<void(Result<void>)> kept;
    };

    void post(Event event);
    void run();
    // False: there is nothing more to do at this time.
    bool work_once();
    Result<void> keep(const FlowChanges& changes);

    Parts parts_;
    Engine engine_;
    Timestamp last_now_{};  // the clock may be set back, the engine's time must not go back
    Cancellation stop_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Event> events_;
    bool is_idle_ = false;
    bool is_stopping_ = false;
    std::optional<Error> failure_;
    std::thread thread_;
};

}  // namespace shaduf
