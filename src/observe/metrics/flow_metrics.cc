#include "observe/metrics/flow_metrics.h"

#include <algorithm>
#include <array>

#include "base/stream_lag.h"

namespace shaduf::observe {
namespace {

constexpr std::string_view kStream = "stream";  // the kind of such steps
constexpr size_t kEndedMax = 20'000;
constexpr size_t kMovedMax = 100'000;

double seconds_between(Timestamp from, Timestamp to) {
    return std::max(std::chrono::duration<double>(to - from).count(), 0.0);
}

bool is_open_task(TaskState state) { return state != TaskState::waiting && !is_end(state); }

// "crm.orders" of a step, also of one of for_each: "item 3: crm.orders".
std::pair<std::string, std::string> stream_of(const std::string& step) {
    const size_t prefix = step.rfind(": ");
    const std::string name = prefix == std::string::npos ? step : step.substr(prefix + 2);
    const size_t dot = name.find('.');
    if (dot == std::string::npos) return {name, ""};
    return {name.substr(0, dot), name.substr(dot + 1)};
}

}  // namespace

FlowMetrics::Run* FlowMetrics::open_run(const RunId& id) {
    const auto found = open_.find(id);
    if (found != open_.end()) return &found->second;
    auto row = parts_.run(id);
    if (!row || is_end(row->state)) return nullptr;
    Run& run = open_[id];
    run.spec = parts_.spec(row->flow, row->revision);
    run.row = std::move(*row);
    return &run;
}

Result<void> FlowMetrics::take_up(const std::function<Result<FlowRemains>()>& read) {
    const std::lock_guard lock(mutex_);
    const FlowRemains remains = TRY(read());
    for (const RunRow& row : remains.runs) {
        Run& run = open_[row.id];
        run.row = row;
        run.spec = parts_.spec(row.flow, row.revision);
    }
    for (const TaskRow& row : remains.tasks) {
        const auto run = open_.find(row.run);
        if (run == open_.end()) continue;
        run->second.tasks[row.task] = {row.state, row.attempt, row.since, !row.worker.empty()};
    }
    return {};
}

void FlowMetrics::hear(const FlowChanges& changes) {
    const bool counts = parts_.counts();
    const std::lock_guard lock(mutex_);
    for (const RunRow& row : changes.runs) {
        const auto [at, is_new] = open_.try_emplace(row.id);
        Run& run = at->second;
        if (is_new) run.spec = parts_.spec(row.flow, row.revision);
        const bool has_begun = (is_new || !run.row.began) && row.began;
        if (has_begun && counts) {
            parts_.metrics.observe(metric::run_wait, {}, seconds_between(row.created, *row.began));
        }
        run.row = row;
    }
    // A task that was queued and has a place in the same step is told as running alone.
    for (const Transition& step : changes.history) {
        if (!step.task || step.to != to_string(TaskState::queued)) continue;
        if (Run* run = open_run(step.run)) run->tasks[*step.task].queued = step.at;
    }
    for (const TaskRow& row : changes.tasks) note_task(row, counts);
    for (const RunRow& row : changes.runs) {
        if (is_end(row.state)) note_run_end(row, counts);
    }
}

void FlowMetrics::note_task(const TaskRow& row, bool counts) {
    Run* run = open_run(row.run);
    if (run == nullptr) return;
    Task& task = run->tasks[row.task];
    const bool is_new_try = row.attempt != task.attempt;
    const bool is_same = !is_new_try && row.state == task.state;
    if (is_new_try) task.has_begun = false;
    if (row.state == TaskState::queued && row.since) task.queued = row.since;
    const bool has_tried = row.attempt > 0 && row.began;
    if (is_new_try && has_tried && task.queued && counts) {
        parts_.metrics.observe(metric::task_queue, {}, seconds_between(*task.queued, *row.began));
    }
    if (is_new_try) task.queued.reset();
    if (!task.has_begun && has_tried && !row.worker.empty()) {
        task.has_begun = true;
        // Where begin and end came together, it began before its end.
        const Timestamp heard = row.ended && is_end(row.state) ? *row.ended : parts_.clock.now();
        if (counts) parts_.metrics.observe(metric::task_dispatch, {}, seconds_between(*row.began, heard));
    }
    const bool is_known = run->spec != nullptr && row.task < run->spec->tasks.size();
    const bool has_ended = is_end(row.state) || row.state == TaskState::retrying;
    if (!is_same && has_ended && is_known) settle_rows(row, run->spec->graph[row.task].name, counts);
    if (!is_same && has_ended && counts) note_try_end(row, is_known ? run->spec->tasks[row.task].type : "unknown");
    task.state = row.state;
    task.attempt = row.attempt;
}

void FlowMetrics::note_try_end(const TaskRow& row, const std::string& type) {
    if (row.state == TaskState::retrying) {
        parts_.metrics.add(metric::task_retries, {type});
    } else {
        parts_.metrics.add(metric::tasks, {type, to_string(row.state)});
    }
    const bool has_run = row.attempt > 0 && row.began && row.ended && row.state != TaskState::upstream_failed;
    if (has_run) parts_.metrics.observe(metric::task_duration, {type}, seconds_between(*row.began, *row.ended));
}

void FlowMetrics::remember(const RunId& id) {
    ended_order_.push_back(id);
    ended_.insert(id);
    if (ended_order_.size() <= kEndedMax) return;
    ended_.erase(ended_order_.front());
    ended_order_.pop_front();
}

void FlowMetrics::note_run_end(const RunRow& row, bool counts) {
    open_.erase(row.id);
    moved_.erase(moved_.lower_bound({row.id, ""}), moved_.lower_bound({row.id + '\0', ""}));
    lags_.erase(lags_.lower_bound({row.id, {}}), lags_.lower_bound({row.id + '\0', {}}));
    // A run that is run again ends again, at another time.
    const std::string key = row.id + " " + std::to_string(row.ended.value_or(Timestamp{}).time_since_epoch().count());
    if (!counts || ended_.contains(key)) return;
    remember(key);
    parts_.metrics.add(metric::runs, {row.flow, to_string(row.type), to_string(row.state)});
    if (row.began && row.ended) {
        parts_.metrics.observe(metric::run_duration, {row.flow}, seconds_between(*row.began, *row.ended));
    }
}

void FlowMetrics::hear(const TaskBoard::Change& change) {
    if (change.lag != nullptr) {
        const std::lock_guard lock(mutex_);
        const StreamLag& lag = *change.lag;
        lags_[{change.id.run, {lag.pipeline, lag.stream}}] = {lag.messages, lag.oldest_seconds.value_or(0)};
        return;
    }
    if (change.step == nullptr || change.step->kind != kStream) return;
    const bool counts = parts_.counts();
    const std::lock_guard lock(mutex_);
    if (!is_running(change.id)) return;
    count_step(change.id.run, change.id.task + "/" + std::to_string(change.id.attempt), *change.step, counts);
}

// What others tell may come behind the end that is kept; that has counted it all.
bool FlowMetrics::is_running(const TryId& id) const {
    const auto run = open_.find(id.run);
    if (run == open_.end()) return false;
    const auto index = run->second.spec == nullptr ? std::nullopt : run->second.spec->graph.find(id.task);
    const auto task = index ? run->second.tasks.find(*index) : run->second.tasks.end();
    if (task == run->second.tasks.end() || task->second.attempt < id.attempt) return true;
    const TaskState state = task->second.state;
    return task->second.attempt == id.attempt && !is_end(state) && state != TaskState::retrying;
}

void FlowMetrics::count_step(const RunId& run, const std::string& of_try, const TaskStep& step, bool counts) {
    const Moved now{step.rows_read, step.rows_written, step.rows_quarantined, step.bytes, step.retries};
    Moved before;
    const auto key = std::pair(run, of_try + " " + step.name);
    const auto found = moved_.find(key);
    if (found != moved_.end()) before = found->second;
    // One that has ended may be told again; it is forgotten with its run.
    if (found != moved_.end() || moved_.size() < kMovedMax) moved_[key] = now;
    if (!counts) return;
    const auto [pipeline, stream] = stream_of(step.name);
    const auto count = [&, p = std::string_view(pipeline), s = std::string_view(stream)](const MetricSpec& spec,
                                                                                         int64_t is, int64_t was) {
        // A stream that began anew counts from the start.
        parts_.metrics.add(spec, {p, s}, static_cast<double>(is >= was ? is - was : is));
    };
    count(metric::rows_read, now.read, before.read);
    count(metric::rows_written, now.written, before.written);
    count(metric::rows_quarantined, now.quarantined, before.quarantined);
    count(metric::bytes_read, now.bytes, before.bytes);
    count(metric::stream_retries, now.retries, before.retries);
}

// What a try that ran elsewhere did since it was told of last, or at all.
void FlowMetrics::settle_rows(const TaskRow& row, const std::string& task, bool counts) {
    if (row.outputs.find(kStream) == std::string::npos) return;  // most have none, and are not worth reading
    const auto report = TryReport::from_json(row.outputs);
    for (const TaskStep& step : report ? report->steps : std::vector<TaskStep>()) {
        if (step.kind == kStream) count_step(row.run, task + "/" + std::to_string(row.attempt), step, counts);
    }
}

void FlowMetrics::collect(MetricPage& page, const FlowSet& flows) const {
    constexpr auto kStates =
        std::to_array({TaskState::queued, TaskState::running, TaskState::retrying, TaskState::paused});
    const std::lock_guard lock(mutex_);
    for (const RunState state : {RunState::queued, RunState::running}) {
        page.set(metric::runs_open, {to_string(state)}, 0);
    }
    for (const TaskState state : kStates) page.set(metric::tasks_open, {to_string(state)}, 0);
    std::map<std::string, uint64_t> used;
    for (const auto& [id, run] : open_) {
        page.set(metric::runs_open, {to_string(run.row.state)}, 1);
        for (const auto& [index, task] : run.tasks) {
            if (!is_open_task(task.state)) continue;
            page.set(metric::tasks_open, {to_string(task.state)}, 1);
            if (task.state != TaskState::running || run.spec == nullptr || index >= run.spec->tasks.size()) continue;
            for (const PlaceRequest::Use& use : run.spec->tasks[index].uses) used[use.pool] += use.places;
        }
    }
    for (const auto& [pool, places] : flows.pools) {
        page.set(metric::pool_places, {pool}, places);
        page.set(metric::pool_used, {pool}, static_cast<double>(std::min<uint64_t>(used[pool], places)));
    }
    for (const auto& [key, lag] : lags_) {
        page.set(metric::lag_messages, {key.second.first, key.second.second}, static_cast<double>(lag.messages));
        page.set(metric::lag_seconds, {key.second.first, key.second.second}, lag.seconds);
    }
}

}  // namespace shaduf::observe
