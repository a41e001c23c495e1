#include "flow/triggers.h"

#include <algorithm>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/thread_name.h"
#include "flow/json_values.h"
#include "flow/sensors.h"
#include "flow/task_board.h"
#include "io/crypto.h"

namespace shaduf {
namespace {

constexpr std::chrono::milliseconds kLookEvery{500};
constexpr std::chrono::hours kMissedBack{48};
constexpr std::chrono::seconds kAgainFirst{5};
constexpr std::chrono::minutes kAgainLongest{5};
constexpr std::chrono::minutes kRanWell{10};
constexpr const char* kSeen = "triggers_seen";

std::string key_of(const char* kind, const std::string& flow, size_t index) {
    return std::string(kind) + "/" + flow + "/" + std::to_string(index);
}

int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp time_of(int64_t count) { return Timestamp(std::chrono::microseconds(count)); }

bool any_waits_for_tables(const FlowSet& flows) {
    return std::any_of(flows.flows.begin(), flows.flows.end(),
                       [](const FlowInfo& flow) { return !flow.on_tables.empty(); });
}

}  // namespace

FlowTriggers::FlowTriggers(Parts parts)
    : parts_(std::move(parts)), own_{parts_.world.clock,  stop_,
                                     parts_.world.http,   parts_.world.databases,
                                     parts_.world.events, parts_.world.shared,
                                     parts_.world.rates} {}

FlowTriggers::~FlowTriggers() { stop(); }

Result<void> FlowTriggers::start(std::shared_ptr<const FlowSet> flows) {
    TRY(load(std::move(flows)));
    thread_ = std::thread([this] { run(); });
    return {};
}

void FlowTriggers::stop() {
    {
        const std::lock_guard lock(mutex_);
        stop_.cancel();
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

void FlowTriggers::set_flows(std::shared_ptr<const FlowSet> flows) {
    const std::lock_guard lock(mutex_);
    flows_ = std::move(flows);
    changed_.notify_all();
}

void FlowTriggers::hear(const FlowChanges& changes) {
    const std::lock_guard lock(mutex_);
    const size_t before = updates_.size() + ended_.size();
    for (const TaskRow& task : changes.tasks) {
        if (!is_success(task.state) || !task.ended || task.outputs.empty()) continue;
        updates_.push_back({task.run, task.task, task.attempt, *task.ended, task.outputs});
    }
    for (const RunRow& run : changes.runs) {
        if (is_end(run.state)) ended_.push_back(run);
    }
    if (updates_.size() + ended_.size() > before) changed_.notify_all();
}

// ------------------------------------------------------------------------------------------------------ what is kept

Result<void> FlowTriggers::load(std::shared_ptr<const FlowSet> flows) {
    flows_ = std::move(flows);
    for (const auto& [key, text] : TRY(parts_.store.values("tables/"))) {
        const jinja::Value kept = TRY(parse_json_value(text));
        Waiting& waiting = waiting_[key];
        waiting.pending = text_of(member_of(kept, "pending"));
        const auto* tables = member_of(kept, "tables");
        if (tables == nullptr || tables->kind() != jinja::Kind::dict) continue;
        for (const auto& [name, seen] : tables->dict().entries()) {
            const auto* used = member_of(seen, "used");
            waiting.tables[name.text()] = {time_of(integer_of(member_of(seen, "at"))), text_of(member_of(seen, "by")),
                                           used == nullptr || used->truth()};
        }
    }
    for (const auto& [key, text] : TRY(parts_.store.values("sensor/"))) {
        const jinja::Value kept = TRY(parse_json_value(text));
        sensing_[key].state = text_of(member_of(kept, "state"));
        sensing_[key].pending = text_of(member_of(kept, "pending"));
    }
    for (const FlowInfo& flow : flows_->flows) {
        if (!flow.is_endless) continue;
        RunFilter open;
        open.flow = flow.spec->name;
        open.states = {RunState::queued, RunState::running};
        for (const RunRow& run : TRY(parts_.store.runs(open))) {
            endless_[flow.spec->name].open = run.id;
            endless_[flow.spec->name].began = run.began.value_or(run.created);
        }
    }
    return take_up_missed();
}

// Ends of tasks that were kept, and of which no trigger was told.
Result<void> FlowTriggers::take_up_missed() {
    const auto kept = TRY(parts_.store.values(kSeen));
    if (kept.empty()) {
        seen_ = parts_.world.clock.now();
        return parts_.store.keep_value(kSeen, std::to_string(micros(seen_)));
    }
    seen_ = time_of(std::strtoll(kept.begin()->second.c_str(), nullptr, 10));
    if (!any_waits_for_tables(*flows_)) return {};
    RunFilter filter;
    filter.created_from = seen_ - kMissedBack;
    filter.limit = 1'000;
    std::vector<Update> missed;
    for (;;) {
        const auto page = TRY(parts_.store.runs(filter));
        for (const RunRow& run : page) {
            if (run.ended && *run.ended < seen_) continue;
            for (const TaskRow& task : TRY(parts_.store.tasks(run.id))) {
                if (!is_success(task.state) || !task.ended || *task.ended < seen_) continue;
                missed.push_back({task.run, task.task, task.attempt, *task.ended, task.outputs});
            }
        }
        if (static_cast<int64_t>(page.size()) < filter.limit) break;
        filter.behind = page.back().id;
    }
    std::sort(missed.begin(), missed.end(), [](const Update& a, const Update& b) { return a.at < b.at; });
    const std::lock_guard lock(mutex_);
    updates_.insert(updates_.begin(), missed.begin(), missed.end());
    return {};
}

Result<void> FlowTriggers::keep(const std::string& key, const Waiting& waiting) {
    JsonWriter json;
    json.begin_object().field("pending", waiting.pending).key("tables").begin_object();
    for (const auto& [name, seen] : waiting.tables) {
        json.key(name).begin_object().field("at", micros(seen.at)).field("by", seen.by);
        json.key("used").boolean(seen.is_used).end_object();
    }
    json.end_object().end_object();
    return parts_.store.keep_value(key, json.str());
}

Result<void> FlowTriggers::keep(const std::string& key, const Sensing& sensing) {
    JsonWriter json;
    json.begin_object().field("pending", sensing.pending).field("state", sensing.state).end_object();
    return parts_.store.keep_value(key, json.str());
}

// -------------------------------------------------------------------------------------------------------------- work

void FlowTriggers::run() {
    name_thread("triggers");
    for (;;) {
        work();
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, kLookEvery, [&] { return !updates_.empty() || !ended_.empty() || stop_.canceled(); });
        if (stop_.canceled()) return;
    }
}

void FlowTriggers::work() {
    std::vector<Update> updates;
    std::vector<RunRow> ended;
    std::shared_ptr<const FlowSet> flows;
    {
        const std::lock_guard lock(mutex_);
        updates.swap(updates_);
        ended.swap(ended_);
        flows = current_ = flows_;
    }
    if (any_waits_for_tables(*flows)) {
        for (const Update& update : updates) hear_update(update);
    }
    for (const RunRow& run : ended) hear_end(run);
    for (const FlowInfo& flow : flows->flows) {
        for (size_t i = 0; i < flow.on_tables.size() && !stop_.canceled(); ++i) fire_tables(flow, i);
        for (size_t i = 0; i < flow.sensors.size() && !stop_.canceled(); ++i) look(flow, i);
        if (flow.is_endless && !stop_.canceled()) keep_open(flow);
    }
}

void FlowTriggers::warn(const std::string& flow, const Error& error) {
    if (error.kind() == ErrorKind::canceled) return;
    parts_.world.events.message(Severity::warning, "flow " + flow, error.to_string());
}

bool FlowTriggers::rests(const std::string& flow) {
    const auto paused = parts_.desk.is_paused(flow);
    return !paused.ok() || paused.value();
}

// True: there is such a run, from now on or since before.
bool FlowTriggers::ask(const std::string& flow, const std::string& inputs, const std::string& actor) {
    const std::string key = "trigger-" + to_hex(sha256(inputs)).substr(0, 32);
    const auto asked = parts_.desk.request({flow, RunType::event, {}, {}, inputs, actor}, key);
    if (!asked.ok()) warn(flow, asked.error());
    return asked.ok();
}

void FlowTriggers::hear_update(const Update& update) {
    const auto report = TryReport::from_json(update.outputs);
    if (report && !report->tables.empty()) {
        const auto run = parts_.store.run(update.run);
        if (run.ok() && run.value()) {
            if (const auto noted = note_tables(run.value()->flow, report->tables, update); !noted.ok()) {
                // It is not lost: the time up to which all was seen stays, and the next process looks again.
                return warn(run.value()->flow, noted.error());
            }
        }
    }
    if (update.at <= seen_) return;
    seen_ = update.at;
    if (!report || report->tables.empty()) return;
    static_cast<void>(parts_.store.keep_value(kSeen, std::to_string(micros(seen_))).ok());
}

// A flow's own tables do not begin it again.
Result<void> FlowTriggers::note_tables(const std::string& flow, const std::vector<std::string>& tables,
                                       const Update& update) {
    const std::string by = update.run + "/" + std::to_string(update.task) + "#" + std::to_string(update.attempt);
    for (const FlowInfo& other : current_->flows) {
        if (other.spec->name == flow) continue;
        for (size_t i = 0; i < other.on_tables.size(); ++i) {
            const std::string key = key_of("tables", other.spec->name, i);
            bool has_changed = false;
            for (const std::string& table : other.on_tables[i].tables) {
                if (std::find(tables.begin(), tables.end(), table) == tables.end()) continue;
                TableSeen& seen = waiting_[key].tables[table];
                if (seen.by == by || update.at < seen.at) continue;
                seen = {update.at, by, false};
                has_changed = true;
            }
            if (has_changed) TRY(keep(key, waiting_[key]));
        }
    }
    return {};
}

void FlowTriggers::fire_tables(const FlowInfo& flow, size_t index) {
    const TableTrigger& trigger = flow.on_tables[index];
    const std::string key = key_of("tables", flow.spec->name, index);
    const auto found = waiting_.find(key);
    if (found == waiting_.end()) return;
    Waiting& waiting = found->second;
    if (waiting.pending.empty()) {
        size_t fresh = 0;
        Timestamp first = Timestamp::max(), last = Timestamp::min();
        JsonWriter inputs;
        inputs.begin_object().key("trigger").begin_object().key("tables").begin_object();
        for (const std::string& table : trigger.tables) {
            const TableSeen& seen = waiting.tables[table];
            if (seen.is_used) continue;
            ++fresh;
            first = std::min(first, seen.at);
            last = std::max(last, seen.at);
            inputs.field(table, seen.by);
        }
        inputs.end_object().end_object().end_object();
        if (fresh == 0 || (trigger.needs_all && fresh < trigger.tables.size())) return;
        const bool is_apart = trigger.needs_all && trigger.within.count() > 0 && last - first > trigger.within;
        if (is_apart || rests(flow.spec->name)) return;
        waiting.pending = inputs.str();
        for (const std::string& table : trigger.tables) waiting.tables[table].is_used = true;
        if (const auto kept = keep(key, waiting); !kept.ok()) return warn(flow.spec->name, kept.error());
    }
    if (!ask(flow.spec->name, waiting.pending, "tables " + join(trigger.tables, ", "))) return;
    waiting.pending.clear();
    if (const auto kept = keep(key, waiting); !kept.ok()) warn(flow.spec->name, kept.error());
}

// ----------------------------------------------------------------------------------------------------------- sensors

void FlowTriggers::look(const FlowInfo& flow, size_t index) {
    const SensorTrigger& sensor = flow.sensors[index];
    const std::string key = key_of("sensor", flow.spec->name, index);
    Sensing& sensing = sensing_[key];
    const Timestamp now = parts_.world.clock.now();
    const std::string actor = "sensor " + sensor.type;
    if (sensing.pending.empty()) {
        if (now < sensing.looks_at || rests(flow.spec->name)) return;
        sensing.looks_at = now + sensor.every;
        const auto project = parts_.project();
        const auto seen = project.ok() ? look_at(sensor, sensing.state, *project.value(), parts_.connectors, own_)
                                       : Result<SensorLook>(project.error());
        if (!seen.ok()) {
            // Said once, until it is another error.
            const std::string text = seen.error().to_string();
            if (std::exchange(sensing.error, text) != text) warn(flow.spec->name, seen.error());
            return;
        }
        sensing.error.clear();
        if (seen.value().state == sensing.state) return;
        sensing.state = seen.value().state;
        if (seen.value().news) {
            JsonWriter inputs;
            inputs.begin_object().key("trigger").raw(*seen.value().news);
            inputs.field("version", to_hex(sha256(key + sensing.state)).substr(0, 16)).end_object();
            sensing.pending = inputs.str();
        }
        if (const auto kept = keep(key, sensing); !kept.ok()) return warn(flow.spec->name, kept.error());
        if (sensing.pending.empty()) return;
    }
    if (!ask(flow.spec->name, sensing.pending, actor)) return;
    sensing.pending.clear();
    if (const auto kept = keep(key, sensing); !kept.ok()) warn(flow.spec->name, kept.error());
}

// ------------------------------------------------------------------------------------------- flows that never end

void FlowTriggers::hear_end(const RunRow& run) {
    const auto found = endless_.find(run.flow);
    if (found == endless_.end() || found->second.open != run.id) return;
    Endless& endless = found->second;
    const Timestamp now = parts_.world.clock.now();
    endless.open.reset();
    const bool ran_well = run.began && now - *run.began >= kRanWell;
    endless.delay = ran_well || endless.delay.count() == 0
                        ? std::chrono::milliseconds(kAgainFirst)
                        : std::min<std::chrono::milliseconds>(endless.delay * 2, kAgainLongest);
    endless.again_at = now + endless.delay;
}

void FlowTriggers::keep_open(const FlowInfo& flow) {
    Endless& endless = endless_[flow.spec->name];
    if (endless.open || parts_.world.clock.now() < endless.again_at || rests(flow.spec->name)) return;
    endless.began = parts_.world.clock.now();
    const auto asked = parts_.desk.request({flow.spec->name, RunType::event, {}, {}, "{}", "it never ends"}, "");
    if (asked.ok()) {
        endless.open = asked.value().run;
    } else {
        warn(flow.spec->name, asked.error());
        endless.again_at = parts_.world.clock.now() + kAgainFirst;
    }
}

}  // namespace shaduf
