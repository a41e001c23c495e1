#include "flow/decider.h"

#include <random>

#include "base/time.h"

namespace shaduf {
namespace {

constexpr std::string_view kTasks = "tasks";
constexpr std::chrono::milliseconds kStopPatience{10'000};
constexpr size_t kDefinitionsAtOnce = 5'000;

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

FlowDecider::FlowDecider(Parts parts) : parts_(std::move(parts)) {
    auto random = std::make_shared<Random>();
    scheduler_ = std::make_unique<Scheduler>(Scheduler::Parts{
        *parts_.store,
        parts_.world.clock,
        *parts_.runner,
        [this](const FlowChanges& changes) {
            if (triggers_ != nullptr) triggers_->hear(changes);
            if (parts_.watcher) parts_.watcher(changes);
        },
        {[random](Timestamp now) { return make_id(now, random->bits()); }, [random] { return random->fraction(); }}});
    desk_ = std::make_unique<LocalDesk>(LocalDesk::Parts{
        *scheduler_, *parts_.store, parts_.world.clock, [this](const std::string& flow) { return spec(flow); },
        [this] {
            std::vector<std::string> names;
            for (const FlowInfo& flow : flows()->flows) names.push_back(flow.spec->name);
            return names;
        },
        [this](const FlowPtr& flow, bool is_paused) { return for_engine(flow, is_paused); }});
    if (!parts_.begins_runs) return;
    triggers_ = std::make_unique<FlowTriggers>(
        FlowTriggers::Parts{parts_.world, parts_.connectors, parts_.project, *parts_.store, *desk_});
}

FlowDecider::~FlowDecider() {
    close();
    scheduler_.reset();  // before what it tells
}

Result<void> FlowDecider::start(std::shared_ptr<const FlowSet> flows, const std::set<std::string>& workers) {
    {
        const std::lock_guard lock(mutex_);
        flows_ = flows;
    }
    TRY(keep_definitions(*flows));
    const auto specs = TRY(this->specs(*flows));
    TRY(scheduler_->start(specs, flows->pools, workers,
                          [](const std::string& flow, const std::string& revision, const std::string& text) {
                              auto made = flow_from_text(flow, revision, text);
                              return made.ok() ? made.release_value() : FlowPtr();
                          }));
    is_started_ = true;
    if (triggers_ != nullptr) TRY(triggers_->start(std::move(flows)));
    return {};
}

Result<void> FlowDecider::keep_definitions(const FlowSet& flows) {
    if (!knows_kept_) kept_ = TRY(parts_.store->definitions_kept());
    knows_kept_ = true;
    std::vector<FlowDefinition> left;
    const auto keep = [&]() -> Result<void> {
        TRY(parts_.store->keep_definitions(left));
        for (FlowDefinition& of : left) kept_.emplace(std::move(of.flow), std::move(of.revision));
        left.clear();
        return {};
    };
    for (const FlowInfo& flow : flows.flows) {
        const FlowSpec& own = *flow.spec;
        if (kept_.contains({own.name, own.revision})) continue;
        left.push_back({own.name, own.revision, flow_to_text(own)});
        if (left.size() == kDefinitionsAtOnce) TRY(keep());
    }
    return left.empty() ? Result<void>() : keep();
}

Result<std::vector<FlowPtr>> FlowDecider::specs(const FlowSet& flows) const {
    const auto paused = TRY(parts_.store->values("paused/"));
    std::vector<FlowPtr> specs;
    for (const FlowInfo& flow : flows.flows) {
        const auto found = paused.find("paused/" + flow.spec->name);
        const bool rests = found == paused.end() ? flow.spec->is_paused : found->second.starts_with("yes");
        specs.push_back(for_engine(flow.spec, rests));
    }
    return specs;
}

FlowPtr FlowDecider::for_engine(const FlowPtr& flow, bool is_paused) const {
    const bool rests = is_paused || !parts_.begins_runs;
    if (rests == flow->is_paused) return flow;
    FlowSpec changed = *flow;
    changed.is_paused = rests;
    return std::make_shared<const FlowSpec>(std::move(changed));
}

std::shared_ptr<const FlowSet> FlowDecider::flows() const {
    const std::lock_guard lock(mutex_);
    return flows_;
}

FlowPtr FlowDecider::spec(const std::string& flow) const {
    const auto set = flows();
    const FlowInfo* found = set->find(flow);
    return found == nullptr ? nullptr : found->spec;
}

Result<void> FlowDecider::reload(std::shared_ptr<const FlowSet> flows) {
    std::shared_ptr<const FlowSet> before;
    {
        const std::lock_guard lock(mutex_);
        before = std::exchange(flows_, flows);
    }
    TRY(keep_definitions(*flows));
    std::vector<std::future<Result<void>>> calls;
    for (FlowPtr& own : TRY(specs(*flows))) {
        calls.push_back(scheduler_->call([own = std::move(own)](Engine& engine, Timestamp now) -> Result<FlowStep> {
            return engine.set_flow(own, now);
        }));
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

void FlowDecider::close() {
    if (std::exchange(is_closed_, true) || !is_started_) return;
    if (triggers_ != nullptr) triggers_->stop();
    if (scheduler_->failure()) return;
    auto closed = scheduler_->call(
        [](Engine& engine, Timestamp now) -> Result<FlowStep> { return engine.set_pool(std::string(kTasks), 0, now); });
    closed.wait_for(kStopPatience);
}

void FlowDecider::settle() {
    if (is_started_ && !scheduler_->failure()) scheduler_->settle();
}

}  // namespace shaduf
