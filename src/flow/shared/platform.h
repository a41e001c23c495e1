#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "flow/decider.h"
#include "flow/flow_platform.h"
#include "flow/local_runner.h"
#include "flow/run_ends.h"
#include "flow/shared/commands.h"
#include "flow/shared/hearing.h"
#include "flow/shared/leadership.h"
#include "flow/shared/progress.h"
#include "flow/shared/run_store.h"
#include "flow/shared/sessions.h"
#include "flow/shared/worker.h"

namespace shaduf::shared {

// A process of several that share the flows of a project through PostgreSQL. Each may run tries, and each that may lead
// takes its turn at deciding: then it has a FlowDecider, which hears of tries through `Hearing` and of people through
// `Commands`; for as long as it leads, and not a moment longer than the store says.
class SharedFlowPlatform final : public FlowPlatform {
public:
    static Result<std::unique_ptr<FlowPlatform>> start(Parts parts, std::shared_ptr<const FlowSet> flows);
    ~SharedFlowPlatform() override;

    Result<void> reload(std::shared_ptr<const FlowSet> flows) override;
    void drain(std::chrono::milliseconds within) override;
    RunStore& store() override { return store_; }
    LogStore& logs() override { return *logs_; }
    FlowDesk& desk() override { return desk_; }
    size_t tries_running() const override { return runner_ == nullptr ? 0 : runner_->running(); }
    std::optional<Error> failure() const override { return std::nullopt; }
    bool leads() const override;

private:
    struct Lead;  // what a process has while it leads

    SharedFlowPlatform(Parts parts, std::shared_ptr<const FlowSet> flows);
    Result<void> begin();
    void make_worker();
    void keep_leading();
    Result<std::unique_ptr<Lead>> begin_to_lead(int64_t token);
    void stop_leading();
    void follow();
    Result<void> listen();

    Cancellation stop_;   // of the thread that follows
    Cancellation never_;  // of sessions: what is asked for when all else has ended is answered
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<int64_t> token_;  // of the leadership, as it was told last
    bool is_drained_ = false;
    int64_t seen_ = 0;  // of changes, by the thread that follows
    Sessions sessions_;
    SharedRunStore store_;  // to read
    std::unique_ptr<LogStore> logs_;
    Progress progress_;
    SharedDesk desk_;
    std::unique_ptr<LocalRunner> runner_;
    std::unique_ptr<Worker> worker_;
    std::shared_ptr<Lead> lead_;
    std::unique_ptr<Leadership> leadership_;
    std::thread leading_;
    std::thread following_;
};

}  // namespace shaduf::shared
