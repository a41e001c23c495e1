#include "observe/anomalies/anomaly_watch.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/thread_name.h"
#include "base/time.h"
#include "flow/task_board.h"
#include "observe/anomalies/load_judge.h"
#include "observe/anomalies/load_model.h"

namespace shaduf::observe {
namespace {

constexpr const char* kTable = "table/";
constexpr const char* kAsk = "table_ask/";
constexpr const char* kSeen = "tables_seen";
constexpr size_t kUpdatesMax = 10'000;
constexpr size_t kUpdatesBytesMax = 32 << 20;
constexpr std::string_view kNoSteps = R"("steps":[])";  // of what has loaded nothing
constexpr std::chrono::seconds kLookEvery{1};
constexpr std::chrono::seconds kAsksEvery{5};
constexpr std::chrono::hours kMissedBack{48};
constexpr std::chrono::hours kLookAgain{24};
constexpr std::chrono::hours kForgottenAfter{24 * 400};

int64_t number_of(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp time_of(int64_t number) { return Timestamp(std::chrono::microseconds(number)); }

// Rows by table that a task wrote; -1 where a step does not know.
std::map<std::string, int64_t> loads_of(const TryReport& report) {
    std::map<std::string, int64_t> loads;
    for (const TaskStep& step : report.steps) {
        const bool loads_table =
            step.kind == "stream" || step.kind == "model" || step.kind == "seed" || step.kind == "snapshot";
        if (!loads_table || step.table.empty() || !is_success(step.state)) continue;
        std::string table = to_lower(step.table);
        // Streams leave out the schema where their sink has but one.
        for (const std::string& whole : report.tables) {
            if (table.find('.') == std::string::npos && whole.ends_with("." + table)) table = whole;
        }
        if (table.find('.') == std::string::npos) table = "main." + table;
        // Databases do not say of every statement how many rows it wrote; a stream counts.
        const int64_t rows = step.kind == "stream" || step.rows_written > 0 ? step.rows_written : -1;
        const auto [at, is_new] = loads.try_emplace(table, rows);
        if (!is_new) at->second = rows < 0 || at->second < 0 ? -1 : at->second + rows;
    }
    return loads;
}

}  // namespace

Signal signal_of(const std::string& table, const std::string& flow, const Anomaly& anomaly) {
    Signal signal;
    signal.key = std::string(to_string(anomaly.kind)) + "/" + table;
    signal.kind = anomaly.kind == AnomalyKind::freshness ? "stale" : to_string(anomaly.kind);
    signal.severity = anomaly.kind == AnomalyKind::zero_rows ? Severity::error : Severity::warning;
    signal.is_over = anomaly.over.has_value();
    signal.at = anomaly.over.value_or(anomaly.at);
    signal.flow = flow;
    signal.table = table;
    signal.path = "/quality";
    signal.occurrence = anomaly.by;
    signal.text = anomaly.message;
    switch (anomaly.kind) {
        case AnomalyKind::freshness:
            signal.title = table + " is not fresh";
            signal.cause = "the flow that loads it does not run, fails, or takes longer than it did";
            signal.advice = "look at the runs of " + (flow.empty() ? "its flow" : flow);
            break;
        case AnomalyKind::volume:
            signal.title =
                table + " has got " + (anomaly.found < anomaly.expected ? "fewer" : "more") + " rows than usual";
            signal.cause = "the source gave more or less than it does at this time, or a filter of it has changed";
            signal.advice = "compare with the source; say that it is usual where it is right";
            break;
        case AnomalyKind::zero_rows:
            signal.title = table + " has got no rows";
            signal.cause = "the source answered without data: a permission, a filter, or what feeds it has stopped";
            signal.advice = "look whether the source has new rows; say that it is usual where it is right";
            break;
    }
    if (signal.is_over) signal.title = table + " is as usual again";
    return signal;
}

AnomalyWatch::~AnomalyWatch() { stop(); }

void AnomalyWatch::start() {
    thread_ = std::thread([this] { run(); });
}

void AnomalyWatch::stop() {
    {
        const std::lock_guard lock(mutex_);
        stop_.cancel();
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

void AnomalyWatch::run() {
    name_thread("watch tables");
    while (!stop_.canceled()) {
        work();
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, kLookEvery, [&] { return stop_.canceled() || !updates_.empty() || has_asks_; });
    }
    work();  // what has come in by now is kept
}

void AnomalyWatch::hear(const FlowChanges& changes) {
    std::vector<Update> heard;
    size_t bytes = 0;
    for (const TaskRow& task : changes.tasks) {
        if (!is_success(task.state) || !task.ended || task.outputs.empty()) continue;
        if (task.outputs.find(kNoSteps) != std::string::npos) continue;
        bytes += task.outputs.size();
        heard.push_back({task.run, task.task, task.attempt, *task.ended, task.outputs});
    }
    if (heard.empty()) return;
    const std::lock_guard lock(mutex_);
    if (updates_.size() + heard.size() > kUpdatesMax || updates_bytes_ + bytes > kUpdatesBytesMax) {
        has_missed_ = true;
        return;
    }
    updates_bytes_ += bytes;
    updates_.insert(updates_.end(), std::make_move_iterator(heard.begin()), std::make_move_iterator(heard.end()));
    changed_.notify_all();
}

void AnomalyWatch::work() {
    const bool leads = parts_.leads();
    bool has_missed = false, begins = false;
    std::vector<Update> updates;
    {
        const std::lock_guard lock(mutex_);
        updates.swap(updates_);
        updates_bytes_ = 0;
        has_missed = std::exchange(has_missed_, false);
        begins = leads && !is_watching_;
        if (!leads) {
            is_watching_ = false;
            return;
        }
    }
    const auto done = [&]() -> Result<void> {
        if (begins) TRY(take_over());
        if (begins || has_missed) TRY(take_up_missed());
        TRY(take_asks());
        Timestamp newest = seen_;
        for (const Update& update : updates) {
            TRY(take_update(update));
            newest = std::max(newest, update.at);
        }
        TRY(look_at_clock());
        if (newest != seen_) {
            TRY(parts_.store.keep_value(kSeen, std::to_string(number_of(newest))));
            seen_ = newest;
        }
        const std::lock_guard lock(mutex_);
        is_watching_ = true;
        return {};
    }();
    if (!done.ok()) {
        // The store has it all: it is looked up again, when that can be.
        if (parts_.warn && !has_failed_) parts_.warn(done.error());
        const std::lock_guard lock(mutex_);
        is_watching_ = false;
    }
    has_failed_ = !done.ok();
}

Result<void> AnomalyWatch::take_over() {
    const auto values = TRY(parts_.store.values(kTable));
    {
        const std::lock_guard lock(mutex_);
        tables_.clear();
    }
    looks_at_.clear();
    for (const auto& [key, text] : values) {
        auto history = LoadHistory::from_json(text);
        if (!history) continue;
        // Of a table that nobody loads any more.
        if (!history->loads.empty() && parts_.clock.now() - history->loads.back().at > kForgottenAfter) {
            TRY(parts_.store.keep_value(key, std::nullopt));
            continue;
        }
        // Whether it was told before the process ended is not known for sure: told again, it counts once.
        for (auto& [kind, anomaly] : history->open) anomaly.is_told = anomaly.is_told && anomaly.over.has_value();
        TRY(keep(key.substr(std::string_view(kTable).size()), std::move(*history)));
    }
    const auto seen = TRY(parts_.store.values(kSeen));
    seen_ = seen.empty() ? parts_.clock.now() : time_of(std::strtoll(seen.begin()->second.c_str(), nullptr, 10));
    if (seen.empty()) TRY(parts_.store.keep_value(kSeen, std::to_string(number_of(seen_))));
    return {};
}

// Tasks that ended while nobody watched, or right before the process did.
Result<void> AnomalyWatch::take_up_missed() {
    // What was forgotten for its age must not come back.
    const Timestamp from = std::max<Timestamp>(seen_, parts_.clock.now() - kForgottenAfter);
    RunFilter filter;
    filter.created_from = from - kMissedBack;
    filter.limit = 1'000;
    std::vector<Update> missed;
    for (;;) {
        const auto page = TRY(parts_.store.runs(filter));
        for (const RunRow& run : page) {
            if (run.ended && *run.ended < from) continue;
            for (TaskRow& task : TRY(parts_.store.tasks(run.id))) {
                if (!is_success(task.state) || !task.ended || *task.ended < from || task.outputs.empty()) continue;
                missed.push_back({task.run, task.task, task.attempt, *task.ended, std::move(task.outputs)});
            }
        }
        if (static_cast<int64_t>(page.size()) < filter.limit) break;
        filter.behind = page.back().id;
    }
    std::sort(missed.begin(), missed.end(), [](const Update& a, const Update& b) { return a.at < b.at; });
    for (const Update& update : missed) TRY(take_update(update));
    return {};
}

Result<void> AnomalyWatch::take_update(const Update& update) {
    const auto report = TryReport::from_json(update.outputs);
    if (!report) return {};
    const std::string by = update.run + "/" + std::to_string(update.task) + "/" + std::to_string(update.attempt);
    for (const auto& [table, rows] : loads_of(*report)) {
        LoadHistory history = TRY(read(table)).value_or(LoadHistory{});
        if (history.has(by)) continue;
        if (const std::string flow = parts_.flow_of(update.run); !flow.empty()) history.flow = flow;
        take_load(history, {.at = update.at, .rows = rows, .by = by});
        TRY(keep(table, std::move(history)));
    }
    return {};
}

Result<std::optional<LoadHistory>> AnomalyWatch::read(const std::string& table) {
    const auto values = TRY(parts_.store.values(kTable + table));
    const auto found = values.find(kTable + table);
    return found == values.end() ? std::optional<LoadHistory>() : LoadHistory::from_json(found->second);
}

Result<void> AnomalyWatch::keep(const std::string& table, LoadHistory history) {
    const std::string key = kTable + table;
    const Timestamp now = parts_.clock.now();
    const auto late_at = check_freshness(history, now, history.flow.empty() || parts_.rests(history.flow));
    TRY(parts_.store.keep_value(key, history.to_json()));
    if (tell(table, history)) TRY(parts_.store.keep_value(key, history.to_json()));
    note(table, history, late_at);
    return {};
}

// Whether anything was told.
bool AnomalyWatch::tell(const std::string& table, LoadHistory& history) {
    const Timestamp now = parts_.clock.now();
    bool has_told = false;
    for (auto at = history.open.begin(); at != history.open.end();) {
        Anomaly& anomaly = at->second;
        if (anomaly.over) {
            if (anomaly.is_told) parts_.sink(signal_of(table, history.flow, anomaly));
            at = history.open.erase(at);
            has_told = true;
            continue;
        }
        const auto muted = history.muted_until.find(at->first);
        const bool is_muted = muted != history.muted_until.end() && muted->second > now;
        if (!anomaly.is_told && !is_muted) {
            parts_.sink(signal_of(table, history.flow, anomaly));
            anomaly.is_told = has_told = true;
        }
        ++at;
    }
    return has_told;
}

void AnomalyWatch::note(const std::string& table, const LoadHistory& history, std::optional<Timestamp> late_at) {
    const LoadModel model(history);
    TableState state{.table = table,
                     .flow = history.flow,
                     .loads = history.loads.size(),
                     .learning = learning_of(history),
                     .last = {},
                     .late_at = late_at,
                     .rows_usual = {},
                     .open = {},
                     .muted_until = history.muted_until};
    if (!history.loads.empty()) {
        state.last = history.loads.back().at;
        if (const auto rows = model.rows_at(*state.last)) state.rows_usual = rows->expected;
    }
    // A flow that rests may be set going again without a load.
    Timestamp looks_at = late_at.value_or(parts_.clock.now() + kLookAgain);
    for (const auto& [kind, anomaly] : history.open) {
        state.open.push_back(anomaly);
        looks_at = std::min<Timestamp>(looks_at, parts_.clock.now() + kAsksEvery);
    }
    looks_at_[table] = looks_at;
    const std::lock_guard lock(mutex_);
    tables_[table] = std::move(state);
}

Result<void> AnomalyWatch::look_at_clock() {
    const Timestamp now = parts_.clock.now();
    std::vector<std::string> due;
    for (const auto& [table, at] : looks_at_) {
        if (at < now) due.push_back(table);
    }
    for (const std::string& table : due) {
        auto history = TRY(read(table));
        if (!history) {
            looks_at_.erase(table);
            continue;
        }
        const LoadHistory before = *history;
        const auto late_at = check_freshness(*history, now, history->flow.empty() || parts_.rests(history->flow));
        const bool has_changed = *history != before;
        const bool is_untold = std::any_of(history->open.begin(), history->open.end(),
                                           [](const auto& entry) { return !entry.second.is_told; });
        if (has_changed || is_untold) {
            TRY(keep(table, std::move(*history)));
        } else {
            note(table, *history, late_at);
        }
    }
    return {};
}

Result<std::vector<AnomalyWatch::TableState>> AnomalyWatch::tables() {
    std::vector<TableState> states;
    {
        const std::lock_guard lock(mutex_);
        if (is_watching_) {
            for (const auto& [table, state] : tables_) states.push_back(state);
            return states;
        }
    }
    for (const auto& [key, text] : TRY(parts_.store.values(kTable))) {
        const auto history = LoadHistory::from_json(text);
        if (!history) continue;
        TableState state{.table = key.substr(std::string_view(kTable).size()),
                         .flow = history->flow,
                         .loads = history->loads.size(),
                         .learning = learning_of(*history),
                         .last = {},
                         .late_at = {},
                         .rows_usual = {},
                         .open = {},
                         .muted_until = history->muted_until};
        if (!history->loads.empty()) state.last = history->loads.back().at;
        for (const auto& [kind, anomaly] : history->open) {
            if (!anomaly.over) state.open.push_back(anomaly);
        }
        states.push_back(std::move(state));
    }
    return states;
}

Result<bool> AnomalyWatch::mute(const std::string& table, AnomalyKind kind, Timestamp until) {
    return ask({table, kind, until});
}

Result<bool> AnomalyWatch::call_usual(const std::string& table, AnomalyKind kind) { return ask({table, kind, {}}); }

// Through the store, so that it is not lost and reaches whoever watches.
Result<bool> AnomalyWatch::ask(const Ask& ask) {
    const auto known = TRY(parts_.store.values(kTable + ask.table));
    if (!known.contains(kTable + ask.table)) return false;
    const std::string key =
        std::string(kAsk) + (ask.mute_until ? "mute/" : "usual/") + std::string(to_string(ask.kind)) + "/" + ask.table;
    TRY(parts_.store.keep_value(key, std::to_string(ask.mute_until ? number_of(*ask.mute_until) : 0)));
    const std::lock_guard lock(mutex_);
    has_asks_ = true;
    changed_.notify_all();
    return true;
}

Result<void> AnomalyWatch::take_asks() {
    const Timestamp now = parts_.clock.now();
    {
        const std::lock_guard lock(mutex_);
        if (!has_asks_ && now - asked_at_ < kAsksEvery) return {};
        has_asks_ = false;
    }
    asked_at_ = now;
    for (const auto& [key, value] : TRY(parts_.store.values(kAsk))) {
        const auto words = split(std::string_view(key), '/');
        const auto kind = words.size() > 3 ? anomaly_kind_of(words[2]) : std::nullopt;
        if (kind) {
            const std::string table = key.substr(static_cast<size_t>(words[3].data() - key.data()));
            if (auto history = TRY(read(table))) {
                if (words[1] == "usual") {
                    observe::call_usual(*history, *kind, now);
                } else {
                    history->muted_until[*kind] = time_of(std::strtoll(value.c_str(), nullptr, 10));
                }
                TRY(keep(table, std::move(*history)));
            }
        }
        TRY(parts_.store.keep_value(key, std::nullopt));
    }
    return {};
}

}  // namespace shaduf::observe
