#include "flow/shared/platform.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/thread_name.h"
#include "flow/shared/log_store.h"
#include "flow/shared/schema.h"

namespace shaduf::shared {
namespace {

constexpr std::chrono::milliseconds kLookEvery{1'000};
constexpr std::chrono::milliseconds kAgainAfter{500};
constexpr size_t kChangesAtOnce = 2'000;

}  // namespace

// What a process has while it leads. Its store is bound to the leadership that it was made for: another one, be it of
// the same process, refuses it.
struct SharedFlowPlatform::Lead {
    Lead(int64_t of, Sessions& sessions, FlowDecider::Parts parts)
        : token(of), store(sessions, [of] { return of; }), runner(sessions), decider([&] {
              parts.store = &store;
              parts.runner = &runner;
              return std::move(parts);
          }()) {}

    const int64_t token;
    SharedRunStore store;
    OfferingRunner runner;
    FlowDecider decider;
    std::unique_ptr<Hearing> hearing;
    std::unique_ptr<Commands> commands;
};

Result<std::unique_ptr<FlowPlatform>> SharedFlowPlatform::start(Parts parts, std::shared_ptr<const FlowSet> flows) {
    std::unique_ptr<SharedFlowPlatform> platform(new SharedFlowPlatform(std::move(parts), std::move(flows)));
    TRY(platform->begin());
    return std::unique_ptr<FlowPlatform>(std::move(platform));
}

SharedFlowPlatform::SharedFlowPlatform(Parts parts, std::shared_ptr<const FlowSet> flows)
    : FlowPlatform(std::move(parts), std::move(flows)),
      sessions_(parts_.state, never_),
      store_(sessions_, [] { return std::nullopt; }),
      progress_(sessions_, board_, parts_.board_watcher),
      desk_(parts_.state, sessions_, parts_.world.clock, [this](const std::string& flow) { return spec(flow); }) {}

SharedFlowPlatform::~SharedFlowPlatform() { drain(std::chrono::milliseconds(0)); }

Result<void> SharedFlowPlatform::begin() {
    TRY(sessions_.lend());  // says at once when the store cannot be had
    seen_ = TRY(store_.last_change());
    left_open_ = TRY(store_.remains()).runs;
    logs_ = make_shared_log_store(parts_.folder + "/logs", parts_.world.clock, sessions_);
    board_.watch([this](const TaskBoard::Change& change) {
        progress_.hear(change);
        if (parts_.board_watcher) parts_.board_watcher(change);
    });
    following_ = std::thread([this] { follow(); });
    if (parts_.takes_tasks) make_worker();
    if (!parts_.decides) return {};
    leading_ = std::thread([this] { keep_leading(); });
    leadership_ = std::make_unique<Leadership>(sessions_, Leadership::Settings{.holder = parts_.worker},
                                               [this](std::optional<int64_t> token) {
                                                   const std::lock_guard lock(mutex_);
                                                   token_ = token;
                                                   changed_.notify_all();
                                               });
    return {};
}

void SharedFlowPlatform::make_worker() {
    runner_ = std::make_unique<LocalRunner>(
        LocalRunner::Parts{parts_.types, parts_.connectors, parts_.world, *logs_, board_, parts_.worker, parts_.project,
                           [this](const TaskStart& start) { return inputs_of(start); },
                           [](const RunId&, TaskIndex, int, const std::string&) {},
                           [this](TaskEnd end) { worker_->ended(std::move(end)); },
                           [this](const std::string& key, const std::string& flow, const std::string& inputs,
                                  const Cancellation& canceled) { return run_flow(key, flow, inputs, canceled); }});
    const auto of_revision = [this](const std::string& flow, const std::string& revision) -> FlowPtr {
        auto made = definition(flow, revision);
        return made.ok() ? made.release_value() : nullptr;
    };
    worker_ = std::make_unique<Worker>(
        parts_.state, sessions_, *runner_, of_revision,
        Worker::Settings{.name = parts_.worker, .version = parts_.version, .places = parts_.places});
}

// Takes up what is left when the leadership comes, which may take its time, and lets go when it goes.
void SharedFlowPlatform::keep_leading() {
    name_thread("leading");
    for (;;) {
        std::optional<int64_t> token;
        std::shared_ptr<Lead> lead;
        {
            std::unique_lock lock(mutex_);
            // A scheduler that the store has refused has ended by itself, which nobody tells.
            changed_.wait_for(lock, kAgainAfter, [&] {
                return is_drained_ || token_ != (lead_ ? std::optional(lead_->token) : std::nullopt);
            });
            if (is_drained_) return;
            token = token_;
            lead = lead_;
        }
        if (lead && (token != lead->token || lead->decider.scheduler().failure())) {
            if (token == lead->token) leadership_->lost(lead->token);
            stop_leading();
        } else if (!lead && token) {
            auto begun = begin_to_lead(*token);
            const std::lock_guard lock(mutex_);
            if (begun.ok()) lead_ = begun.release_value();
        }
    }
}

Result<std::unique_ptr<SharedFlowPlatform::Lead>> SharedFlowPlatform::begin_to_lead(int64_t token) {
    auto lead = std::make_unique<Lead>(token, sessions_,
                                       FlowDecider::Parts{.world = parts_.world,
                                                          .connectors = parts_.connectors,
                                                          .project = parts_.project,
                                                          .begins_runs = parts_.begins_runs});
    const auto workers = TRY(lead->store.remains()).workers;
    TRY(lead->decider.start(flows(), workers));
    lead->hearing = std::make_unique<Hearing>(parts_.state, sessions_, lead->decider.scheduler(), Hearing::Settings{});
    lead->commands = std::make_unique<Commands>(parts_.state, sessions_, lead->decider.desk(), [this, token] {
        const std::lock_guard lock(mutex_);
        return token_ == token;
    });
    return lead;
}

void SharedFlowPlatform::stop_leading() {
    std::shared_ptr<Lead> over;
    {
        const std::lock_guard lock(mutex_);
        over = std::exchange(lead_, nullptr);
    }
    if (over == nullptr) return;
    over->commands.reset();
    over->decider.close();
    over->hearing.reset();
}

// What is kept by whoever leads is told here, too.
void SharedFlowPlatform::follow() {
    name_thread("following");
    do {
        static_cast<void>(listen());
    } while (stop_.wait_for(kAgainAfter));
}

Result<void> SharedFlowPlatform::listen() {
    const auto ear = TRY(connect(parts_.state, stop_));
    TRY(ear->execute(std::string("LISTEN ") + kChangesChannel));
    for (;;) {
        for (;;) {
            const FlowChanges changes = TRY(store_.changed_since(seen_, kChangesAtOnce));
            if (changes.empty()) break;
            ends_.hear(changes);
            if (parts_.watcher) parts_.watcher(changes);
            if (changes.runs.size() + changes.tasks.size() < kChangesAtOnce) break;
        }
        if (parts_.board_watcher) static_cast<void>(progress_.read());
        TRY(ear->notifications(kLookEvery));
        TRY(stop_.check());
    }
}

Result<void> SharedFlowPlatform::reload(std::shared_ptr<const FlowSet> flows) {
    set_flows(flows);
    std::shared_ptr<Lead> lead;
    {
        const std::lock_guard lock(mutex_);
        lead = lead_;
    }
    if (lead == nullptr) return {};
    return lead->decider.reload(std::move(flows));
}

void SharedFlowPlatform::drain(std::chrono::milliseconds within) {
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(is_drained_, true)) return;
        changed_.notify_all();
    }
    // Another one leads at once; tries go on here meanwhile.
    if (leading_.joinable()) leading_.join();
    stop_leading();
    leadership_.reset();
    if (worker_ != nullptr) worker_->drain(within);
    leaves_tries_ = true;
    if (runner_ != nullptr) runner_->drain(std::chrono::milliseconds(0));
    ends_.close(Error(ErrorKind::canceled, "the process ends"));
    worker_.reset();
    logs_ = make_file_log_store(parts_.folder + "/logs", parts_.world.clock);  // sends what is left
    stop_.cancel();
    if (following_.joinable()) following_.join();
}

bool SharedFlowPlatform::leads() const {
    const std::lock_guard lock(mutex_);
    return lead_ != nullptr;
}

}  // namespace shaduf::shared
