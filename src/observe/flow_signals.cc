#include "observe/flow_signals.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/thread_name.h"
#include "base/time.h"
#include "flow/task_board.h"
#include "io/url.h"
#include "observe/failure_cause.h"

namespace shaduf::observe {
namespace {

constexpr const char* kCursor = "flow_signals/cursor";
constexpr size_t kHeardMax = 20'000;
constexpr int64_t kPage = 500;
constexpr size_t kScannedMax = 50'000;
// Runs created so shortly before are looked at again: who told of them may not have been heard yet.
constexpr std::chrono::seconds kOverlap{60};
constexpr std::chrono::seconds kCursorEvery{10};
constexpr std::chrono::seconds kLookEvery{5};
constexpr std::chrono::milliseconds kNewsGather{100};
constexpr size_t kLateChecksMax = 2'000;  // flows in one look
constexpr int64_t kLogLinesMax = 200;
constexpr std::string_view kNothingQuarantined = "\"quarantined\":0,\"error_kind\"";
constexpr std::string_view kExpiry = "access token expires at ";
constexpr std::array<std::string_view, 2> kDrift = {"lost field: ", "new field, "};

bool is_good(RunState state) { return state == RunState::succeeded || state == RunState::warned; }

// Whether there is more to say of a try than how it ended.
bool has_more(const TaskRow& task) {
    if (task.tries >= FlowSignals::kRetriedOften || task.state == TaskState::warned) return true;
    return is_end(task.state) && !task.outputs.empty() && task.outputs.find(kNothingQuarantined) == std::string::npos;
}

const TaskRow* first_failed(const std::vector<TaskRow>& tasks) {
    const TaskRow* first = nullptr;
    for (const TaskRow& task : tasks) {
        const bool has_failed = task.state == TaskState::failed || task.state == TaskState::timed_out;
        if (has_failed && (first == nullptr || task.ended < first->ended)) first = &task;
    }
    return first;
}

std::string plural(int64_t count, const std::string& what) {
    return format_count(count) + " " + what + (count == 1 ? "" : "s");
}

}  // namespace

FlowSignals::~FlowSignals() { stop(); }

void FlowSignals::start() {
    thread_ = std::thread([this] { run(); });
}

void FlowSignals::stop() {
    {
        const std::lock_guard lock(mutex_);
        is_stopped_ = true;
    }
    news_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void FlowSignals::hear(const FlowChanges& changes) {
    bool is_news = false;
    {
        const std::lock_guard lock(mutex_);
        for (const TaskRow& task : changes.tasks) {
            if (task.state == TaskState::paused) paused_.insert(task.run);
            if (!paused_.empty() && paused_.contains(task.run)) {
                waiting_.insert(task.run);
                is_news = true;
            }
            if (has_more(task)) has_more_[task.run] = true;
        }
        for (const RunRow& run : changes.runs) {
            if (!is_end(run.state)) {
                heard_.erase(run.id);  // it was run again
                continue;
            }
            heard_[run.id] = {run, has_more_.erase(run.id) > 0};
            if (paused_.erase(run.id) > 0) waiting_.insert(run.id);
            is_news = true;
        }
        if (heard_.size() > kHeardMax || has_more_.size() > kHeardMax || paused_.size() > kHeardMax) {
            heard_.clear();
            has_more_.clear();
            waiting_.clear();
            paused_.clear();
            has_missed_ = true;
        }
    }
    if (is_news) news_.notify_all();
}

void FlowSignals::run() {
    name_thread("flow signals");
    std::unique_lock lock(mutex_);
    while (!is_stopped_) {
        lock.unlock();
        const auto done = look();
        lock.lock();
        // What follows one another closely is told together; behind a failure the clock says when it is tried again.
        const auto has_news = [&] { return is_stopped_ || (done.ok() && !(heard_.empty() && waiting_.empty())); };
        news_.wait_for(lock, kLookEvery, has_news);
        news_.wait_for(lock, kNewsGather, [&] { return is_stopped_; });
    }
}

Result<void> FlowSignals::begin(Timestamp now) {
    const auto kept = TRY(parts_.store.values(kCursor));
    cursor_ = {now, {}};
    if (const auto found = kept.find(kCursor); found != kept.end()) {
        const auto json = nlohmann::json::parse(found->second, nullptr, false);
        if (!json.is_object() || !json.contains("seen") || !json["seen"].is_number_integer()) {
            return Error(ErrorKind::bad_data, "the cursor of signals is not one: " + found->second);
        }
        cursor_.seen = Timestamp(std::chrono::microseconds(json["seen"].get<int64_t>()));
        for (const auto& id : json.value("open", nlohmann::json::array())) {
            if (id.is_string()) cursor_.open.insert(id.get<std::string>());
        }
    }
    return {};
}

// Those that were created since, and those that were open: what has ended is to be told, the rest is open.
Result<void> FlowSignals::add_runs(Timestamp from, std::map<RunId, Ended>& ended) {
    RunFilter filter;
    filter.created_from = from;
    filter.limit = kPage;
    for (size_t scanned = 0; scanned < kScannedMax;) {
        const auto page = TRY(parts_.store.runs(filter));
        for (const RunRow& run : page) {
            if (is_end(run.state)) {
                ended[run.id] = {run, true};
            } else {
                cursor_.open.insert(run.id);
            }
        }
        scanned += page.size();
        if (page.size() < static_cast<size_t>(kPage)) break;
        filter.behind = page.back().id;
    }
    RunFilter open;
    open.states = {RunState::queued, RunState::running};
    open.limit = static_cast<int64_t>(kScannedMax);
    for (const RunRow& run : TRY(parts_.store.runs(open))) cursor_.open.insert(run.id);
    std::set<RunId> gone;
    for (const RunId& id : cursor_.open) {
        const auto run = TRY(parts_.store.run(id));
        if (!run) gone.insert(id);
        if (run && is_end(run->state)) ended[id] = {*run, true};
    }
    for (const RunId& id : gone) cursor_.open.erase(id);
    return {};
}

Result<void> FlowSignals::look() {
    const std::lock_guard look_lock(look_mutex_);
    const Timestamp now = parts_.clock.now();
    if (!parts_.leads()) {
        has_begun_ = false;
        const std::lock_guard lock(mutex_);
        heard_.clear();
        has_more_.clear();
        waiting_.clear();
        paused_.clear();
        return {};
    }
    const bool is_first = !has_begun_;
    if (is_first) TRY(begin(now));
    bool scans = is_first;
    std::map<RunId, Ended> ended;
    std::set<RunId> waiting;
    {
        const std::lock_guard lock(mutex_);
        ended.swap(heard_);
        waiting.swap(waiting_);
        scans = scans || has_missed_;
        has_missed_ = false;
    }
    has_begun_ = false;  // unless all of this succeeds, the next look begins from the cursor that is kept
    TRY(parts_.settle());
    const auto open = parts_.open_keys("");
    open_ = {open.begin(), open.end()};
    told_.clear();
    if (scans) TRY(add_runs(cursor_.seen - kOverlap, ended));
    std::vector<const Ended*> in_order;
    for (const auto& [id, one] : ended) in_order.push_back(&one);
    std::sort(in_order.begin(), in_order.end(),
              [](const Ended* a, const Ended* b) { return a->run.ended < b->run.ended; });
    for (const Ended* one : in_order) TRY(tell_ended(*one));
    TRY(tell_waiting(scans ? cursor_.open : waiting, scans));
    tell_late(now);
    TRY(parts_.settle());
    for (const auto& [id, one] : ended) cursor_.open.erase(id);
    has_begun_ = true;
    // What was created since the cursor was kept last, and has ended by now, may not have been heard of yet; what a
    // scan has looked at, has.
    if (scans || now - kept_at_ >= kCursorEvery) TRY(keep_cursor(scans ? now : kept_at_, now));
    return {};
}

Result<void> FlowSignals::keep_cursor(Timestamp seen, Timestamp now) {
    RunFilter filter;
    filter.states = {RunState::queued, RunState::running};
    filter.limit = static_cast<int64_t>(kScannedMax);
    for (const RunRow& run : TRY(parts_.store.runs(filter))) cursor_.open.insert(run.id);
    cursor_.seen = seen;
    // Those that are not open any more and were not heard of yet stay in it until they are told.
    JsonWriter json;
    json.begin_object().field("seen", now.time_since_epoch().count()).key("open").begin_array();
    for (const RunId& id : cursor_.open) json.text(id);
    TRY(parts_.store.keep_value(kCursor, json.end_array().end_object().str()));
    kept_at_ = now;
    return {};
}

void FlowSignals::tell(Signal signal) {
    told_.insert(signal.key);
    open_.insert(signal.key);
    parts_.tell(std::move(signal));
}

void FlowSignals::end(std::string_view prefix, Timestamp at) {
    for (auto key = open_.lower_bound(std::string(prefix)); key != open_.end() && key->starts_with(prefix);) {
        Signal signal;
        signal.key = *key;
        signal.is_over = true;
        signal.at = at;
        key = open_.erase(key);
        parts_.tell(std::move(signal));
    }
}

Signal FlowSignals::signal_of(const RunRow& run, const FlowInfo* flow, std::string_view kind) const {
    Signal signal;
    signal.kind = kind;
    signal.key = std::string(kind) + "/" + run.flow + (run.type == RunType::backfill ? "@backfill" : "") + "/";
    signal.at = run.ended.value_or(run.created);
    signal.flow = run.flow;
    signal.path = "/runs/" + run.id;
    signal.occurrence = run.id + " " + std::to_string(signal.at.time_since_epoch().count());
    if (flow == nullptr) return signal;
    signal.pipeline = flow->pipeline;
    signal.owner = flow->owner;
    signal.labels = flow->labels;
    return signal;
}

std::string FlowSignals::task_name(const RunRow& run, TaskIndex task) const {
    const FlowPtr spec = parts_.spec(run.flow, run.revision);
    return spec != nullptr && task < spec->graph.size() ? spec->graph[task].name : std::to_string(task);
}

Result<void> FlowSignals::tell_ended(const Ended& ended) {
    const RunRow& run = ended.run;
    if (run.state == RunState::skipped || run.state == RunState::killed) return {};
    const auto flows = parts_.flows();
    const FlowInfo* flow = flows == nullptr ? nullptr : flows->find(run.flow);
    std::vector<TaskRow> tasks;
    if (run.state == RunState::failed || ended.has_more) tasks = TRY(parts_.store.tasks(run.id));
    if (run.state == RunState::failed) {
        tell_failed(run, flow, tasks);
    } else {
        end(signal_of(run, flow, "run_failed").key, run.ended.value_or(run.created));
    }
    tell_tasks(run, flow, tasks);
    return tell_log(run, flow, tasks);
}

void FlowSignals::tell_failed(const RunRow& run, const FlowInfo* flow, const std::vector<TaskRow>& tasks) {
    Signal signal = signal_of(run, flow, "run_failed");
    const TaskRow* task = first_failed(tasks);
    signal.text = task == nullptr ? run.why : task->why;
    const auto report = task == nullptr ? std::nullopt : TryReport::from_json(task->outputs);
    const FailureCause cause =
        cause_of(report ? report->error_kind : "", task != nullptr && task->state == TaskState::timed_out);
    signal.cause = cause.cause;
    signal.advice = advice_in(signal.text).empty() ? cause.advice : advice_in(signal.text);
    signal.title = (run.type == RunType::backfill ? "A backfill of flow " : "Flow ") + run.flow + " failed";
    if (task != nullptr) {
        const std::string name = task_name(run, task->task);
        signal.title += ", in task " + name;
        signal.path += "?task=" + percent_encode(name);
    }
    tell(std::move(signal));
}

void FlowSignals::tell_tasks(const RunRow& run, const FlowInfo* flow, const std::vector<TaskRow>& tasks) {
    int64_t rows = 0;
    std::string where;
    const TaskRow* often = nullptr;
    for (const TaskRow& task : tasks) {
        if (task.tries >= kRetriedOften && (often == nullptr || task.tries > often->tries)) often = &task;
        if (task.outputs.find(kNothingQuarantined) != std::string::npos) continue;
        const auto report = TryReport::from_json(task.outputs);
        for (size_t i = 0; report && i < report->steps.size(); ++i) {
            const TaskStep& step = report->steps[i];
            if (step.rows_quarantined == 0) continue;
            rows += step.rows_quarantined;
            where += (where.empty() ? "" : ", ") + step.name + ": " + plural(step.rows_quarantined, "row");
        }
    }
    Signal quarantined = signal_of(run, flow, "quarantined");
    if (rows > 0) {
        quarantined.severity = Severity::warning;
        quarantined.title =
            plural(rows, "row") + " of flow " + run.flow + (rows == 1 ? " is" : " are") + " in quarantine";
        quarantined.text = where;
        quarantined.cause = "Rows did not keep to the contract, or to what is expected of them.";
        quarantined.advice = "Look at them by reason, mend the rule or the rows, and replay them.";
        quarantined.path = "/quality/quarantine";
        if (!quarantined.pipeline.empty()) quarantined.path += "?pipeline=" + percent_encode(quarantined.pipeline);
        tell(std::move(quarantined));
    } else if (is_good(run.state)) {
        end(quarantined.key, quarantined.at);
    }
    Signal retried = signal_of(run, flow, "retried");
    if (often != nullptr && is_good(run.state)) {
        const std::string name = task_name(run, often->task);
        retried.severity = Severity::info;
        retried.title = "Task " + name + " of flow " + run.flow + " needed " + std::to_string(often->tries) + " tries";
        retried.text = often->why;
        retried.cause = "What it reaches fails now and then, or is slow.";
        retried.advice = "Look at its log before it fails for good.";
        retried.path += "?task=" + percent_encode(name);
        tell(std::move(retried));
    } else if (is_good(run.state)) {
        end(retried.key, retried.at);
    }
}

Result<void> FlowSignals::tell_log(const RunRow& run, const FlowInfo* flow, const std::vector<TaskRow>& tasks) {
    std::string drift;
    std::map<std::string, std::string> expiring;  // by place
    for (const TaskRow& task : tasks) {
        if (parts_.logs == nullptr || task.state != TaskState::warned) continue;
        LogRequest request;
        request.count = kLogLinesMax;
        request.least = Severity::warning;
        const auto page = parts_.logs->read({run.id, task_name(run, task.task), task.attempt}, request);
        if (!page.ok() || !page.value()) continue;  // a log that retention has taken tells nothing
        for (const LogLine& line : page.value()->lines) {
            const auto begins = [&](std::string_view with) { return line.text.starts_with(with); };
            if (begins(kExpiry)) expiring[line.place] = line.text;
            if (!std::any_of(kDrift.begin(), kDrift.end(), begins)) continue;
            drift += (drift.empty() ? "" : "\n") + line.place + ": " + line.text;
        }
    }
    Signal drifted = signal_of(run, flow, "drifted");
    if (!drift.empty()) {
        drifted.severity = Severity::warning;
        drifted.title = "Fields that flow " + run.flow + " loads came or went";
        drifted.text = drift;
        drifted.cause = "The source has changed the shape of its data.";
        drifted.advice = "Take up the new fields, or ask the source's owner for those that are lost.";
        tell(std::move(drifted));
    } else if (is_good(run.state)) {
        end(drifted.key, drifted.at);
    }
    const Signal expires = signal_of(run, flow, "credential_expires");
    for (const auto& [place, text] : expiring) {
        Signal signal = expires;
        signal.key += place;
        signal.severity = Severity::warning;
        signal.title = "A credential of " + place + " expires soon";
        signal.text = text;
        signal.cause = "The other side gives credentials for a time.";
        signal.advice = advice_in(text);
        tell(std::move(signal));
    }
    if (expiring.empty() && is_good(run.state)) end(expires.key, expires.at);
    return {};
}

Result<void> FlowSignals::tell_waiting(const std::set<RunId>& runs, bool is_all) {
    const Timestamp now = parts_.clock.now();
    const auto flows = parts_.flows();
    for (const RunId& id : runs) {
        const std::string prefix = "waits_for_approval/" + id + "/";
        const auto run = TRY(parts_.store.run(id));
        const FlowPtr spec = run ? parts_.spec(run->flow, run->revision) : nullptr;
        if (!run || spec == nullptr || is_end(run->state)) {
            end(prefix, now);
            continue;
        }
        const auto order = spec->graph.in_order();
        const bool asks =
            std::any_of(order.begin(), order.end(), [&](TaskIndex task) { return spec->graph[task].needs_approval; });
        if (!asks) continue;
        for (const TaskRow& task : TRY(parts_.store.tasks(id))) {
            if (task.task >= spec->graph.size()) continue;
            const std::string& name = spec->graph[task.task].name;
            if (task.state != TaskState::paused) {
                end(prefix + name + "/", now);
                continue;
            }
            Signal signal = signal_of(*run, flows == nullptr ? nullptr : flows->find(run->flow), "waits_for_approval");
            signal.key = prefix + name + "/";
            signal.severity = Severity::warning;
            signal.at = task.since.value_or(run->created);
            signal.title = "Task " + name + " of flow " + run->flow + " waits for approval";
            signal.text = task.why;
            signal.advice = "Approve it, or refuse.";
            signal.path += "?task=" + percent_encode(name);
            signal.occurrence = id;
            tell(std::move(signal));
            const std::lock_guard lock(mutex_);
            paused_.insert(id);
        }
    }
    if (!is_all) return {};
    // Of runs that are not there any more.
    for (const std::string& key : std::set<std::string>(open_)) {
        if (key.starts_with("waits_for_approval/") && !told_.contains(key)) end(key, now);
    }
    return {};
}

// A part of the flows each time, in turn, so that very many of them do not take long.
void FlowSignals::tell_late(Timestamp now) {
    const auto set = parts_.flows();
    if (set == nullptr || set->flows.empty()) return;
    const auto& flows = set->flows;
    auto at = std::lower_bound(flows.begin(), flows.end(), late_next_,
                               [](const FlowInfo& flow, const std::string& name) { return flow.spec->name < name; });
    for (size_t i = 0; i < std::min(kLateChecksMax, flows.size()); ++i, ++at) {
        if (at == flows.end()) at = flows.begin();
        const std::string& name = at->spec->name;
        const Timestamp since = known_since_.try_emplace(name, now).first->second;
        const auto due = parts_.late_since(*at, since, now);
        const std::string key = "run_late/" + name + "/";
        if (!due) {
            end(key, now);
            continue;
        }
        if (open_.contains(key)) continue;
        Signal signal;
        signal.key = key;
        signal.kind = "run_late";
        signal.severity = Severity::warning;
        signal.at = now;
        signal.flow = name;
        signal.pipeline = at->pipeline;
        signal.owner = at->owner;
        signal.labels = at->labels;
        signal.title = "Flow " + name + " is late: it has not succeeded since " + format_timestamp(*due);
        signal.cause = "Its run is still going on, has failed, or never began.";
        signal.advice = "Look at its last run, and whether its schedule rests.";
        signal.path = "/flows/" + percent_encode(name);
        signal.occurrence = format_timestamp(*due);
        tell(std::move(signal));
    }
    late_next_ = at == flows.end() ? "" : at->spec->name;
    // Of flows that the project has no more.
    for (const std::string& key : std::set<std::string>(open_)) {
        for (const std::string_view prefix : {"run_late/", "run_failed/"}) {
            if (!key.starts_with(prefix)) continue;
            const std::string flow = key.substr(prefix.size(), key.find_first_of("@/", prefix.size()) - prefix.size());
            if (set->find(flow) == nullptr) end(key, now);
        }
    }
}

}  // namespace shaduf::observe
