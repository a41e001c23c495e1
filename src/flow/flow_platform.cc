#include "flow/flow_platform.h"

#include "base/json_writer.h"
#include "flow/decider.h"
#include "flow/shared/platform.h"

namespace shaduf {
namespace {

// The only process of a project, with its runs in a file.
class LocalFlowPlatform final : public FlowPlatform {
public:
    LocalFlowPlatform(Parts parts, std::shared_ptr<const FlowSet> flows)
        : FlowPlatform(std::move(parts), std::move(flows)) {}
    ~LocalFlowPlatform() override { drain(std::chrono::milliseconds(0)); }

    Result<void> begin() {
        store_ = TRY(open_sqlite_run_store(parts_.folder + "/runs.db"));
        logs_ = make_file_log_store(parts_.folder + "/logs", parts_.world.clock);
        if (parts_.board_watcher) board_.watch(parts_.board_watcher);
        left_open_ = TRY(store_->remains()).runs;
        make_runner();
        decider_ = std::make_unique<FlowDecider>(FlowDecider::Parts{.world = parts_.world,
                                                                    .connectors = parts_.connectors,
                                                                    .project = parts_.project,
                                                                    .store = store_.get(),
                                                                    .runner = runner_.get(),
                                                                    .watcher =
                                                                        [this](const FlowChanges& changes) {
                                                                            ends_.hear(changes);
                                                                            if (parts_.watcher) parts_.watcher(changes);
                                                                        },
                                                                    .begins_runs = parts_.begins_runs});
        return decider_->start(flows(), {});
    }

    Result<void> reload(std::shared_ptr<const FlowSet> flows) override {
        set_flows(flows);
        return decider_->reload(std::move(flows));
    }
    void drain(std::chrono::milliseconds within) override {
        if (std::exchange(is_drained_, true)) return;
        if (decider_ != nullptr) decider_->close();
        if (runner_ != nullptr) runner_->drain(within);
        ends_.close(Error(ErrorKind::canceled, "the process ends"));
        // What was told of ends is kept before the process goes.
        if (decider_ != nullptr) decider_->settle();
    }
    RunStore& store() override { return *store_; }
    LogStore& logs() override { return *logs_; }
    FlowDesk& desk() override { return decider_->desk(); }
    size_t tries_running() const override { return runner_->running(); }
    std::optional<Error> failure() const override { return decider_->scheduler().failure(); }
    bool leads() const override { return !failure(); }

private:
    void make_runner() {
        runner_ = std::make_unique<LocalRunner>(LocalRunner::Parts{
            parts_.types, parts_.connectors, parts_.world, *logs_, board_, parts_.worker, parts_.project,
            [this](const TaskStart& start) { return inputs_of(start); },
            [this](RunId run, TaskIndex task, int attempt, std::string worker) {
                decider_->scheduler().began(std::move(run), task, attempt, std::move(worker));
            },
            [this](TaskEnd end) { decider_->scheduler().ended(std::move(end)); },
            [this](const std::string& key, const std::string& flow, const std::string& inputs,
                   const Cancellation& cancellation) { return run_flow(key, flow, inputs, cancellation); }});
    }

    std::unique_ptr<RunStore> store_;
    std::unique_ptr<LogStore> logs_;
    std::unique_ptr<LocalRunner> runner_;
    std::unique_ptr<FlowDecider> decider_;
    bool is_drained_ = false;
};

}  // namespace

Result<std::unique_ptr<FlowPlatform>> FlowPlatform::start(Parts parts, std::shared_ptr<const FlowSet> flows) {
    if (!parts.state.empty()) return shared::SharedFlowPlatform::start(std::move(parts), std::move(flows));
    auto platform = std::make_unique<LocalFlowPlatform>(std::move(parts), std::move(flows));
    TRY(platform->begin());
    return std::unique_ptr<FlowPlatform>(std::move(platform));
}

FlowPlatform::FlowPlatform(Parts parts, std::shared_ptr<const FlowSet> flows)
    : parts_(std::move(parts)), flows_(std::move(flows)) {}

std::shared_ptr<const FlowSet> FlowPlatform::flows() const {
    const std::lock_guard lock(flows_mutex_);
    return flows_;
}

void FlowPlatform::set_flows(std::shared_ptr<const FlowSet> flows) {
    const std::lock_guard lock(flows_mutex_);
    flows_ = std::move(flows);
}

FlowPtr FlowPlatform::spec(const std::string& flow) const {
    const auto set = flows();
    const FlowInfo* found = set->find(flow);
    return found == nullptr ? nullptr : found->spec;
}

Result<FlowPtr> FlowPlatform::definition(const std::string& flow, const std::string& revision) {
    return definition_of(store(), spec(flow), flow, revision);
}

Result<RunState> FlowPlatform::wait_for(const RunId& run, const Cancellation& cancellation) {
    return ends_.wait(
        run, [&] { return store().run(run); }, cancellation);
}

Result<TryInputs> FlowPlatform::inputs_of(const TaskStart& start) {
    const auto run = TRY(store().run(start.run));
    if (!run) return Error(ErrorKind::internal, "the run of a task is not kept: " + start.run);
    TryInputs inputs{run->inputs, "{}", run->due, run->about};
    // Of thousands of tasks few look at others: only for those all rows are read.
    if (start.flow->tasks[start.task].config.find("outputs") == std::string::npos) return inputs;
    JsonWriter json;
    json.begin_object();
    for (const TaskRow& row : TRY(store().tasks(start.run))) {
        if (!is_end(row.state) || row.task >= start.flow->graph.size()) continue;
        const auto report = TryReport::from_json(row.outputs);
        json.key(start.flow->graph[row.task].name).raw(report ? report->values : "{}");
    }
    inputs.outputs = json.end_object().str();
    return inputs;
}

// A try that was lost has asked for a run already, which goes on; one that failed, since its run did, wants another.
Result<FlowDesk::Requested> FlowPlatform::request_once(const std::string& key, const RunRequest& request) {
    for (int failed = 0;; ++failed) {
        const auto requested = TRY(desk().request(request, "task/" + key + "/" + std::to_string(failed)));
        if (requested.is_new) return requested;
        const auto run = TRY(store().run(requested.run));
        const bool has_failed = run && (run->state == RunState::failed || run->state == RunState::killed);
        if (!has_failed) return requested;
    }
}

Result<RunState> FlowPlatform::run_flow(const std::string& key, const std::string& flow, const std::string& inputs,
                                        const Cancellation& cancellation) {
    const auto requested = TRY(request_once(key, {flow, RunType::event, {}, {}, inputs, "a task"}));
    auto ended = wait_for(requested.run, cancellation);
    if (!ended.ok() && cancellation.canceled() && !leaves_tries_) {
        // It may have ended meanwhile; either way nobody waits for it.
        static_cast<void>(desk().cancel(requested.run, "the task that waits for it").ok());
    }
    return ended;
}

}  // namespace shaduf
