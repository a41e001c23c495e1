#include "flow/flow_platform.h"

#include <random>

#include "base/json_writer.h"
#include "base/time.h"
#include "flow/run_ends.h"
#include "flow/triggers.h"

namespace shaduf {
namespace {

constexpr std::string_view kTasks = "tasks";
constexpr std::chrono::milliseconds kStopPatience{10'000};

// Numbers that differ from process to process, and from call to call. Thread-safe.
class Random {
public:
    uint64_t bits() {
        const std::lock_guard lock(mutex_);
        return generator_();
    }
    double fraction() { return static_cast<double>(bits() >> 11U) / static_cast<double>(uint64_t{1} << 53U); }

private:
    std::mutex mutex_;
    std::mt19937_64 generator_{std::random_device()() ^ (uint64_t{std::random_device()()} << 32U)};
};

// Ids sort by time: "20261122T060211.123456Z-4f2a9c81d3".
RunId make_id(Timestamp now, uint64_t random) {
    std::string time = format_timestamp(now);
    std::string id;
    for (const char c : time.substr(0, 19)) {
        if (c != '-' && c != ':') id += c;
    }
    const std::string micros = std::to_string(1'000'000 + now.time_since_epoch().count() % 1'000'000);
    constexpr std::string_view kHex = "0123456789abcdef";
    id += "." + micros.substr(1) + "Z-";
    for (int i = 0; i < 10; ++i, random >>= 4U) id += kHex[random & 15U];
    return id;
}

}  // namespace

FlowPlatform::FlowPlatform(Parts parts) : parts_(std::move(parts)) {}

FlowPlatform::~FlowPlatform() { drain(std::chrono::milliseconds(0)); }

Result<std::unique_ptr<FlowPlatform>> FlowPlatform::start(Parts parts, std::shared_ptr<const FlowSet> flows) {
    std::unique_ptr<FlowPlatform> platform(new FlowPlatform(std::move(parts)));
    TRY(platform->begin(std::move(flows)));
    return platform;
}

Result<void> FlowPlatform::begin(std::shared_ptr<const FlowSet> flows) {
    flows_ = flows;
    store_ = TRY(open_sqlite_run_store(parts_.folder + "/runs.db"));
    logs_ = make_file_log_store(parts_.folder + "/logs", parts_.world.clock);
    if (parts_.board_watcher) board_.watch(parts_.board_watcher);
    ends_ = std::make_unique<RunEnds>();
    make_runner();
    auto random = std::make_shared<Random>();
    scheduler_ = std::make_unique<Scheduler>(Scheduler::Parts{
        *store_,
        parts_.world.clock,
        *runner_,
        [this](const FlowChanges& changes) { hear(changes); },
        {[random](Timestamp now) { return make_id(now, random->bits()); }, [random] { return random->fraction(); }}});
    make_desk();
    if (parts_.begins_runs) {
        triggers_ = std::make_unique<FlowTriggers>(
            FlowTriggers::Parts{parts_.world, parts_.connectors, parts_.project, *store_, *desk_});
    }
    TRY(keep_definitions(*flows));
    TRY(desk_->forget_old_keys());
    left_open_ = TRY(store_->remains()).runs;
    TRY(start_scheduler(*flows));
    is_started_ = true;
    if (triggers_ != nullptr) TRY(triggers_->start(flows));
    return {};
}

void FlowPlatform::make_runner() {
    runner_ = std::make_unique<LocalRunner>(
        LocalRunner::Parts{parts_.types, parts_.connectors, parts_.world, *logs_, board_, parts_.worker, parts_.project,
                           [this](const TaskStart& start) { return inputs_of(start); },
                           [this](RunId run, TaskIndex task, int attempt, std::string worker) {
                               scheduler_->began(std::move(run), task, attempt, std::move(worker));
                           },
                           [this](TaskEnd end) { scheduler_->ended(std::move(end)); },
                           [this](const std::string& flow, const std::string& inputs,
                                  const Cancellation& cancellation) { return run_flow(flow, inputs, cancellation); }});
}

void FlowPlatform::make_desk() {
    desk_ = std::make_unique<LocalDesk>(LocalDesk::Parts{
        *scheduler_, *store_, parts_.world.clock, [this](const std::string& flow) { return spec(flow); },
        [this] {
            std::vector<std::string> names;
            for (const FlowInfo& flow : flows()->flows) names.push_back(flow.spec->name);
            return names;
        },
        [this](const FlowPtr& flow, bool is_paused) { return for_engine(flow, is_paused); }});
}

Result<void> FlowPlatform::start_scheduler(const FlowSet& flows) {
    const auto paused = TRY(store_->values("paused/"));
    std::vector<FlowPtr> specs;
    for (const FlowInfo& flow : flows.flows) {
        const auto found = paused.find("paused/" + flow.spec->name);
        specs.push_back(
            for_engine(flow.spec, found == paused.end() ? flow.spec->is_paused : found->second.starts_with("yes")));
    }
    return scheduler_->start(specs, flows.pools, {},
                             [](const std::string& flow, const std::string& revision, const std::string& text) {
                                 auto made = flow_from_text(flow, revision, text);
                                 return made.ok() ? made.release_value() : FlowPtr();
                             });
}

Result<void> FlowPlatform::keep_definitions(const FlowSet& flows) {
    for (const FlowInfo& flow : flows.flows) {
        const FlowSpec& own = *flow.spec;
        if (!kept_.emplace(own.name, own.revision).second) continue;
        TRY(store_->keep_definition(own.name, own.revision, flow_to_text(own)));
    }
    return {};
}

FlowPtr FlowPlatform::for_engine(const FlowPtr& flow, bool is_paused) const {
    const bool rests = is_paused || !parts_.begins_runs;
    if (rests == flow->is_paused) return flow;
    FlowSpec changed = *flow;
    changed.is_paused = rests;
    return std::make_shared<const FlowSpec>(std::move(changed));
}

std::shared_ptr<const FlowSet> FlowPlatform::flows() const {
    const std::lock_guard lock(mutex_);
    return flows_;
}

FlowPtr FlowPlatform::spec(const std::string& flow) const {
    const auto set = flows();
    const FlowInfo* found = set->find(flow);
    return found == nullptr ? nullptr : found->spec;
}

void FlowPlatform::hear(const FlowChanges& changes) {
    ends_->hear(changes);
    if (triggers_ != nullptr) triggers_->hear(changes);
    if (parts_.watcher) parts_.watcher(changes);
}

Result<void> FlowPlatform::reload(std::shared_ptr<const FlowSet> flows) {
    std::shared_ptr<const FlowSet> before;
    {
        const std::lock_guard lock(mutex_);
        before = std::exchange(flows_, flows);
    }
    TRY(keep_definitions(*flows));
    const auto paused = TRY(store_->values("paused/"));
    std::vector<std::future<Result<void>>> calls;
    for (const FlowInfo& flow : flows->flows) {
        const auto found = paused.find("paused/" + flow.spec->name);
        FlowPtr own =
            for_engine(flow.spec, found == paused.end() ? flow.spec->is_paused : found->second.starts_with("yes"));
        calls.push_back(scheduler_->call(
            [own](Engine& engine, Timestamp now) -> Result<FlowStep> { return engine.set_flow(own, now); }));
    }
    for (const FlowInfo& flow : before->flows) {
        if (flows->find(flow.spec->name) != nullptr) continue;
        calls.push_back(scheduler_->call([name = flow.spec->name](Engine& engine, Timestamp) -> Result<FlowStep> {
            engine.remove_flow(name);
            return FlowStep();
        }));
    }
    for (const auto& [pool, places] : flows->pools) {
        calls.push_back(
            scheduler_->call([pool = pool, places = places](Engine& engine, Timestamp now) -> Result<FlowStep> {
                return engine.set_pool(pool, places, now);
            }));
    }
    for (auto& call : calls) TRY(call.get());
    if (triggers_ != nullptr) triggers_->set_flows(flows);
    return {};
}

void FlowPlatform::drain(std::chrono::milliseconds within) {
    if (std::exchange(is_drained_, true) || !is_started_) return;
    if (triggers_ != nullptr) triggers_->stop();
    if (!scheduler_->failure()) {
        // Who waits for a place goes on waiting, for the process that comes next.
        auto closed = scheduler_->call([](Engine& engine, Timestamp now) -> Result<FlowStep> {
            return engine.set_pool(std::string(kTasks), 0, now);
        });
        closed.wait_for(kStopPatience);
    }
    runner_->drain(within);
    ends_->close(Error(ErrorKind::canceled, "the process ends"));
    // What was told of ends is kept before the process goes.
    if (!scheduler_->failure()) scheduler_->settle();
}

Result<RunState> FlowPlatform::wait_for(const RunId& run, const Cancellation& cancellation) {
    return ends_->wait(
        run, [&] { return store_->run(run); }, cancellation);
}

Result<TryInputs> FlowPlatform::inputs_of(const TaskStart& start) {
    const auto run = TRY(store_->run(start.run));
    if (!run) return Error(ErrorKind::internal, "the run of a task is not kept: " + start.run);
    TryInputs inputs{run->inputs, "{}", run->due, run->about};
    // Of thousands of tasks few look at others: only for those all rows are read.
    if (start.flow->tasks[start.task].config.find("outputs") == std::string::npos) return inputs;
    JsonWriter json;
    json.begin_object();
    for (const TaskRow& row : TRY(store_->tasks(start.run))) {
        if (!is_end(row.state) || row.task >= start.flow->graph.size()) continue;
        const auto report = TryReport::from_json(row.outputs);
        json.key(start.flow->graph[row.task].name).raw(report ? report->values : "{}");
    }
    inputs.outputs = json.end_object().str();
    return inputs;
}

Result<RunState> FlowPlatform::run_flow(const std::string& flow, const std::string& inputs,
                                        const Cancellation& cancellation) {
    const auto requested = TRY(desk_->request({flow, RunType::event, {}, {}, inputs, "a task"}, ""));
    auto ended = wait_for(requested.run, cancellation);
    if (!ended.ok() && cancellation.canceled()) {
        // It may have ended meanwhile; either way nobody waits for it.
        static_cast<void>(desk_->cancel(requested.run, "the task that waits for it").ok());
    }
    return ended;
}

}  // namespace shaduf
