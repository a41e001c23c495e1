#include "flow/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/retry.h"
#include "base/thread_name.h"

namespace shaduf {
namespace {

// The longest that the clock is not looked at: it may be set, or the machine may have slept.
constexpr auto kLookAtLeast = std::chrono::seconds(1);
constexpr auto kKeepAgainAfter = std::chrono::milliseconds(200);

}  // namespace

Scheduler::Scheduler(Parts parts) : parts_(std::move(parts)), engine_(parts_.engine) {}

Scheduler::~Scheduler() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
        stop_.cancel();
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

Result<void> Scheduler::start(const std::vector<FlowPtr>& flows, const std::map<std::string, uint32_t>& pools,
                              const std::set<std::string>& workers, const Definition& definition) {
    const Timestamp now = last_now_ = parts_.clock.now();
    FlowStep step;
    FlowRemains remains = TRY(parts_.store.remains());
    remains.workers = workers;
    for (const auto& [pool, places] : pools) append(step, engine_.set_pool(pool, places, now));
    for (const FlowPtr& flow : flows) {
        append(step, engine_.set_flow(flow, now));
        remains.specs[{flow->name, flow->revision}] = flow;
    }
    for (const RunRow& run : remains.runs) {
        const std::pair key(run.flow, run.revision);
        if (remains.specs.contains(key)) continue;
        const auto text = TRY(parts_.store.definition(run.flow, run.revision));
        if (FlowPtr flow = text ? definition(run.flow, run.revision, *text) : nullptr) {
            remains.specs[key] = std::move(flow);
        }
    }
    append(step, engine_.resume(std::move(remains), now));
    auto first = std::make_shared<FlowStep>(std::move(step));
    post({[first](Engine&, Timestamp) -> Result<FlowStep> { return std::move(*first); }, [](Result<void>) {}});
    thread_ = std::thread([this] { run(); });
    return {};
}

void Scheduler::post(Event event) {
    const std::lock_guard lock(mutex_);
    if (failure_ || is_stopping_) {
        return event.kept(failure_.value_or(Error(ErrorKind::canceled, "the scheduler was stopped")));
    }
    events_.push_back(std::move(event));
    is_idle_ = false;
    changed_.notify_all();
}

std::future<Result<void>> Scheduler::call(Call call) {
    std::promise<Result<void>> kept;
    auto future = kept.get_future();
    call_then(std::move(call), std::move(kept));
    return future;
}

void Scheduler::call_then(Call call, std::promise<Result<void>> kept) {
    auto promise = std::make_shared<std::promise<Result<void>>>(std::move(kept));
    post({std::move(call), [promise](Result<void> of) { promise->set_value(std::move(of)); }});
}

std::future<Result<RunId>> Scheduler::request(RunRequest request) {
    auto promise = std::make_shared<std::promise<Result<RunId>>>();
    auto id = std::make_shared<RunId>();
    post({[id, request = std::move(request)](Engine& engine, Timestamp now) -> Result<FlowStep> {
              Engine::Requested requested = TRY(engine.request(request, now));
              *id = std::move(requested.run);
              return std::move(requested.step);
          },
          [promise, id](Result<void> kept) {
              promise->set_value(kept.ok() ? Result<RunId>(*id) : Result<RunId>(kept.release_error()));
          }});
    return promise->get_future();
}

void Scheduler::began(RunId run, TaskIndex task, int attempt, std::string worker) {
    post({[run = std::move(run), task, attempt, worker = std::move(worker)](Engine& engine, Timestamp now)
              -> Result<FlowStep> { return engine.began(run, task, attempt, worker, now); },
          [](Result<void>) {}});
}

void Scheduler::ended(TaskEnd end) {
    post({[end = std::move(end)](Engine& engine, Timestamp now) -> Result<FlowStep> { return engine.ended(end, now); },
          [](Result<void>) {}});
}

void Scheduler::settle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return (is_idle_ && events_.empty()) || failure_; });
}

std::optional<Error> Scheduler::failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
}

void Scheduler::run() {
    name_thread("scheduler");
    for (;;) {
        while (work_once()) {
        }
        std::unique_lock lock(mutex_);
        if (is_stopping_ || failure_) break;
        if (!events_.empty()) continue;
        is_idle_ = true;
        changed_.notify_all();
        const auto wakes = engine_.wakes_at();
        std::chrono::microseconds wait = kLookAtLeast;
        if (wakes) wait = std::clamp<std::chrono::microseconds>(*wakes - parts_.clock.now(), {}, wait);
        changed_.wait_for(lock, wait, [&] { return !events_.empty() || is_stopping_; });
        is_idle_ = false;
    }
    // Nobody hears those any more.
    std::vector<Event> left;
    Error why(ErrorKind::canceled, "the scheduler was stopped");
    {
        const std::lock_guard lock(mutex_);
        left.swap(events_);
        if (failure_) why = *failure_;
    }
    for (const Event& event : left) event.kept(why);
}

bool Scheduler::work_once() {
    std::vector<Event> events;
    {
        const std::lock_guard lock(mutex_);
        if (is_stopping_) return false;
        events.swap(events_);
    }
    const Timestamp now = last_now_ = std::max(last_now_, parts_.clock.now());
    FlowStep step;
    std::vector<Result<void>> answers;
    for (const Event& event : events) {
        auto made = event.call(engine_, now);
        answers.push_back(made.ok() ? Result<void>() : Result<void>(made.error()));
        if (made.ok()) append(step, made.release_value());
    }
    append(step, engine_.tick(now));
    const auto kept = step.changes.empty() ? Result<void>() : keep(step.changes);
    if (kept.ok()) {
        for (const TaskStop& stop : step.stops) parts_.runner.stop(stop);
        for (const TaskStart& start : step.starts) parts_.runner.start(start);
        if (parts_.watcher && !step.changes.empty()) parts_.watcher(step.changes);
    }
    for (size_t i = 0; i < events.size(); ++i) events[i].kept(kept.ok() ? std::move(answers[i]) : kept);
    if (!kept.ok()) {
        const std::lock_guard lock(mutex_);
        failure_ = kept.error();
        changed_.notify_all();
        return false;
    }
    return !events.empty() || !step.changes.empty();
}

// Again and again, as what was decided is true only when it is kept.
Result<void> Scheduler::keep(const FlowChanges& changes) {
    for (;;) {
        auto kept = parts_.store.keep(changes);
        const bool may_pass = !kept.ok() && (kept.error().kind() == ErrorKind::unavailable ||
                                             kept.error().kind() == ErrorKind::exhausted);
        if (!may_pass) return kept;
        if (!stop_.wait_for(kKeepAgainAfter)) return kept;
    }
}

}  // namespace shaduf
