#include "server/run_views.h"

#include <simdjson.h>

#include <algorithm>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "server/answers.h"
#include "server/serve_log.h"

namespace shaduf::server {
namespace {

constexpr size_t kEntriesMax = 20'000;
constexpr size_t kSpecsMax = 2'000;
constexpr size_t kFlowsMax = 200'000;  // with recent runs

struct Moved {
    int64_t rows = 0;
    int64_t bytes = 0;
    int64_t quarantined = 0;
};

// The sums alone, without the thousands of steps behind them.
Moved moved_of(const std::string& outputs) {
    Moved moved;
    if (outputs.empty()) return moved;
    thread_local simdjson::ondemand::parser parser;
    const simdjson::padded_string padded(outputs);
    simdjson::ondemand::document document;
    if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return moved;
    const auto take = [&](std::string_view name, int64_t& into) {
        int64_t value = 0;
        if (document.find_field_unordered(name).get(value) == simdjson::SUCCESS) into = value;
    };
    take("rows", moved.rows);
    take("bytes", moved.bytes);
    take("quarantined", moved.quarantined);
    return moved;
}

bool is_good(RunState state) { return state == RunState::succeeded || state == RunState::warned; }

}  // namespace

RunViews::Part RunViews::part_of(const TaskRow& task) {
    const Moved moved = moved_of(task.outputs);
    return {task.state, moved.rows, moved.bytes, moved.quarantined};
}

void RunViews::count(RunTotals& totals, const Part& part, int64_t by) {
    totals.rows += by * part.rows;
    totals.bytes += by * part.bytes;
    totals.quarantined += by * part.quarantined;
    switch (part.state) {
        case TaskState::waiting:
        case TaskState::paused:
        case TaskState::queued: totals.waiting += by; break;
        case TaskState::running:
        case TaskState::retrying: totals.running += by; break;
        case TaskState::succeeded: totals.succeeded += by; break;
        case TaskState::warned: totals.warned += by; break;
        case TaskState::failed:
        case TaskState::timed_out:
        case TaskState::killed:
        case TaskState::upstream_failed: totals.failed += by; break;
        case TaskState::skipped: totals.skipped += by; break;
    }
}

FlowPtr RunViews::spec(const std::string& flow, const std::string& revision) {
    const auto flows = flows_();
    if (flows != nullptr) {
        const FlowInfo* info = flows->find(flow);
        if (info != nullptr && info->spec->revision == revision) return info->spec;
    }
    const auto key = std::pair(flow, revision);
    {
        const std::lock_guard lock(mutex_);
        const auto found = specs_.find(key);
        if (found != specs_.end()) return found->second;
    }
    const auto text = store_.definition(flow, revision);
    if (!text.ok() || !text.value()) return nullptr;
    auto spec = flow_from_text(flow, revision, *text.value());
    if (!spec.ok()) return nullptr;
    const std::lock_guard lock(mutex_);
    if (specs_.size() >= kSpecsMax) specs_.clear();
    return specs_[key] = spec.release_value();
}

TaskTitle RunViews::title_of(const TaskRow& task) {
    const auto of = run(task.run);
    const FlowPtr flow = of ? spec(of->flow, of->revision) : nullptr;
    const bool is_known = flow != nullptr && task.task < flow->graph.size();
    return {of ? of->flow : "", is_known ? flow->graph[task.task].name : ""};
}

Result<RunViews::Entry> RunViews::load(const RunRow& run) {
    const auto rows = TRY(store_.tasks(run.id));
    const FlowPtr flow = spec(run.flow, run.revision);
    size_t tasks = flow == nullptr ? 0 : flow->graph.size();
    for (const TaskRow& row : rows) tasks = std::max<size_t>(tasks, row.task + 1);
    Entry entry;
    entry.parts.resize(tasks);
    for (const TaskRow& row : rows) entry.parts[row.task] = part_of(row);
    entry.totals.tasks = static_cast<int64_t>(tasks);
    for (const Part& part : entry.parts) count(entry.totals, part, 1);
    entry.has_ended = is_end(run.state);
    entry.row = run;
    if (entry.has_ended) entry.parts = {};
    return entry;
}

void RunViews::keep(const RunId& run, Entry entry) {
    if (entries_.insert_or_assign(run, std::move(entry)).second) order_.push_back(run);
    while (order_.size() > kEntriesMax) {
        entries_.erase(order_.front());
        order_.pop_front();
    }
}

Result<RunTotals> RunViews::totals(const RunRow& run) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(run.id);
        if (found != entries_.end()) return found->second.totals;
    }
    Entry entry = TRY(load(run));
    const RunTotals totals = entry.totals;
    // What is open may have moved while it was read: it is kept once the scheduler has told of it.
    const std::lock_guard lock(mutex_);
    if (entry.has_ended) keep(run.id, std::move(entry));
    return totals;
}

std::optional<RunRow> RunViews::run(const RunId& id) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(id);
        if (found != entries_.end()) return found->second.row;
    }
    auto row = store_.run(id);
    return row.ok() ? row.release_value() : std::nullopt;
}

void RunViews::note_task(const TaskRow& task) {
    const auto found = entries_.find(task.run);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    if (task.task >= entry.parts.size()) return;
    Part& part = entry.parts[task.task];
    count(entry.totals, part, -1);
    part = part_of(task);
    count(entry.totals, part, 1);
}

void RunViews::note_run(const RunRow& run) {
    const auto recent = recent_.find(run.flow);
    if (recent == recent_.end()) return;
    auto& runs = recent->second.runs;
    const auto same = std::find_if(runs.begin(), runs.end(), [&](const RunRow& row) { return row.id == run.id; });
    if (same != runs.end()) {
        *same = run;
    } else {
        runs.push_front(run);
        if (runs.size() > kRecentMax) runs.pop_back();
    }
    if (is_good(run.state)) recent->second.last_success = std::max(recent->second.last_success, run.ended);
}

void RunViews::note(const FlowChanges& changes) {
    for (const RunRow& run : changes.runs) {
        bool is_known = false;
        {
            const std::lock_guard lock(mutex_);
            const auto found = entries_.find(run.id);
            is_known = found != entries_.end() && found->second.has_ended == is_end(run.state);
            if (is_known) found->second.row = run;
        }
        if (is_known) continue;
        auto entry = load(run);  // as the store has it behind this step
        if (!entry.ok()) continue;
        const std::lock_guard lock(mutex_);
        keep(run.id, entry.release_value());
    }
    const std::lock_guard lock(mutex_);
    for (const TaskRow& task : changes.tasks) note_task(task);
    for (const RunRow& run : changes.runs) note_run(run);
}

Result<RunViews::Recent> RunViews::recent(const std::string& flow) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = recent_.find(flow);
        if (found != recent_.end()) return found->second;
    }
    RunFilter filter;
    filter.flow = flow;
    filter.limit = kRecentMax;
    const std::lock_guard lock(mutex_);  // so that no change is missed between reading and keeping
    Recent recent;
    for (RunRow& run : TRY(store_.runs(filter))) recent.runs.push_back(std::move(run));
    filter.states = {RunState::succeeded, RunState::warned};
    filter.limit = 1;
    for (const RunRow& run : TRY(store_.runs(filter))) recent.last_success = run.ended;
    if (recent_.size() >= kFlowsMax) recent_.clear();
    recent_[flow] = recent;
    return recent;
}

void write_run_fields(JsonWriter& json, const RunRow& run, const RunTotals& totals) {
    json.field("id", run.id).field("flow", run.flow).field("type", to_string(run.type));
    json.field("due", format_timestamp(run.due)).key("about").begin_object();
    json.field("begin", format_timestamp(run.about.begin)).field("end", format_timestamp(run.about.end)).end_object();
    json.field("state", to_string(run.state)).field("why", run.why).field("actor", run.actor);
    json.field("created", format_timestamp(run.created));
    write_time(json, "began", run.began);
    write_time(json, "ended", run.ended);
    json.field("revision", run.revision);
    json.field("rows", totals.rows).field("bytes", totals.bytes).field("quarantined", totals.quarantined);
}

void write_run(JsonWriter& json, const RunRow& run, const RunTotals& totals) {
    json.begin_object();
    write_run_fields(json, run, totals);
    json.key("tasks").begin_object().field("total", totals.tasks).field("succeeded", totals.succeeded);
    json.field("warned", totals.warned).field("failed", totals.failed).field("running", totals.running);
    json.field("waiting", totals.waiting).field("skipped", totals.skipped).end_object().end_object();
}

void write_step(JsonWriter& json, const TaskStep& step) {
    json.begin_object().field("name", step.name).field("kind", step.kind).field("state", to_string(step.state));
    write_time(json, "began", step.began);
    write_time(json, "ended", step.ended);
    json.field("table", step.table).field("rows_read", step.rows_read).field("rows_written", step.rows_written);
    json.field("rows_quarantined", step.rows_quarantined).field("bytes", step.bytes).field("retries", step.retries);
    json.field("message", step.message).end_object();
}

void write_task_fields(JsonWriter& json, const FlowSpec& flow, TaskIndex task, const TaskRow* row,
                       const std::optional<TryReport>& report) {
    const TaskNode& node = flow.graph[task];
    static const TaskRow kWaiting;
    const TaskRow& of = row == nullptr ? kWaiting : *row;
    json.field("name", node.name).field("type", flow.tasks[task].type).field("state", to_string(of.state));
    json.field("attempt", int64_t{of.attempt}).field("tries", int64_t{of.tries});
    write_texts(json, "after", node.after);
    write_time(json, "since", of.since);
    write_time(json, "began", of.began);
    write_time(json, "ended", of.ended);
    write_time(json, "comes_again", of.comes_again);
    json.field("worker", of.worker).field("why", of.why);
    Moved moved = moved_of(of.outputs);
    if (report) {
        for (const TaskStep& step : report->steps) {
            moved.rows += step.rows_written;
            moved.bytes += step.bytes;
            moved.quarantined += step.rows_quarantined;
        }
    }
    json.field("rows", moved.rows).field("bytes", moved.bytes).field("quarantined", moved.quarantined);
}

std::string advice_of(const std::string& why) {
    const size_t at = why.rfind("; ");
    return at == std::string::npos ? "" : why.substr(at + 2);
}

}  // namespace shaduf::server
