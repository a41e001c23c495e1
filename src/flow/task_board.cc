#include "flow/task_board.h"

#include "base/json_writer.h"
#include "base/time.h"
#include "flow/json_values.h"

namespace shaduf {
namespace {

// A step that only counts rows is not told more often.
constexpr std::chrono::milliseconds kToldAgainAfter{250};

void write_time(JsonWriter& json, std::string_view name, const std::optional<Timestamp>& time) {
    json.key(name);
    if (time) {
        json.text(format_timestamp(*time));
    } else {
        json.null();
    }
}

std::optional<Timestamp> read_time(const jinja::Value* value) {
    const auto parsed = parse_timestamp(text_of(value));
    if (!parsed) return std::nullopt;
    return Timestamp(std::chrono::microseconds(parsed->microseconds));
}

void write_step(JsonWriter& json, const TaskStep& step) {
    json.begin_object().field("name", step.name).field("kind", step.kind).field("state", to_string(step.state));
    write_time(json, "began", step.began);
    write_time(json, "ended", step.ended);
    json.field("table", step.table).field("rows_read", step.rows_read).field("rows_written", step.rows_written);
    json.field("rows_quarantined", step.rows_quarantined).field("bytes", step.bytes).field("retries", step.retries);
    json.field("message", step.message).end_object();
}

TaskState state_of(std::string_view name) {
    for (int i = 0; i <= static_cast<int>(TaskState::skipped); ++i) {
        if (to_string(static_cast<TaskState>(i)) == name) return static_cast<TaskState>(i);
    }
    return TaskState::waiting;
}

TaskStep read_step(const jinja::Value& value) {
    TaskStep step;
    step.name = text_of(member_of(value, "name"));
    step.kind = text_of(member_of(value, "kind"));
    step.state = state_of(text_of(member_of(value, "state")));
    step.began = read_time(member_of(value, "began"));
    step.ended = read_time(member_of(value, "ended"));
    step.table = text_of(member_of(value, "table"));
    step.rows_read = integer_of(member_of(value, "rows_read"));
    step.rows_written = integer_of(member_of(value, "rows_written"));
    step.rows_quarantined = integer_of(member_of(value, "rows_quarantined"));
    step.bytes = integer_of(member_of(value, "bytes"));
    step.retries = integer_of(member_of(value, "retries"));
    step.message = text_of(member_of(value, "message"));
    return step;
}

const std::vector<jinja::Value>& items_of(const jinja::Value* value) {
    static const std::vector<jinja::Value> kNone;
    return value != nullptr && value->kind() == jinja::Kind::list ? value->items() : kNone;
}

}  // namespace

std::string TryReport::to_json() const {
    int64_t rows = 0, bytes = 0, quarantined = 0;
    for (const TaskStep& step : steps) {
        rows += step.rows_written;
        bytes += step.bytes;
        quarantined += step.rows_quarantined;
    }
    JsonWriter json;
    json.begin_object().key("values").raw(values.empty() ? "{}" : values).key("tables").begin_array();
    for (const std::string& table : tables) json.text(table);
    json.end_array().field("rows", rows).field("bytes", bytes).field("quarantined", quarantined);
    json.field("error_kind", error_kind).key("steps").begin_array();
    for (const TaskStep& step : steps) write_step(json, step);
    return json.end_array().end_object().str();
}

std::optional<TryReport> TryReport::from_json(std::string_view text) {
    const auto parsed = parse_json_value(text);
    if (!parsed.ok() || text.empty() || parsed.value().kind() != jinja::Kind::dict) return std::nullopt;
    TryReport report;
    if (const auto* values = member_of(parsed.value(), "values")) report.values = json_text_of(*values);
    report.error_kind = text_of(member_of(parsed.value(), "error_kind"));
    for (const auto& table : items_of(member_of(parsed.value(), "tables"))) report.tables.push_back(text_of(&table));
    for (const auto& step : items_of(member_of(parsed.value(), "steps"))) report.steps.push_back(read_step(step));
    return report;
}

void TaskBoard::watch(Watcher watcher) { watcher_ = std::move(watcher); }

void TaskBoard::begin(const TryId& id) {
    const std::lock_guard lock(mutex_);
    tries_.try_emplace(id);
}

void TaskBoard::set_step(const TryId& id, TaskStep step) {
    {
        const std::lock_guard lock(mutex_);
        Entry& entry = tries_[id];
        std::vector<TaskStep>& steps = entry.report.steps;
        const auto now = std::chrono::steady_clock::now();
        const auto [at, is_new] = entry.by_name.try_emplace(step.name, steps.size());
        const bool only_counts = !is_new && steps[at->second].state == step.state && !is_end(step.state);
        if (is_new) {
            steps.push_back(step);
        } else {
            steps[at->second] = step;
        }
        if (is_success(step.state) && steps.size() > TryReport::kStepsMax) {
            steps.erase(steps.begin() + static_cast<ptrdiff_t>(at->second));
            entry.by_name.clear();
            for (size_t i = 0; i < steps.size(); ++i) entry.by_name[steps[i].name] = i;
        }
        if (only_counts && now - entry.told[step.name] < kToldAgainAfter) return;
        if (is_end(step.state)) {
            entry.told.erase(step.name);
        } else {
            entry.told[step.name] = now;
        }
    }
    if (watcher_) watcher_({id, &step, 0, nullptr});
}

void TaskBoard::set_log_lines(const TryId& id, int64_t lines) {
    if (watcher_) watcher_({id, nullptr, lines, nullptr});
}

void TaskBoard::set_lag(const TryId& id, const StreamLag& lag) {
    if (watcher_) watcher_({id, nullptr, 0, &lag});
}

TryReport TaskBoard::take(const TryId& id) {
    const std::lock_guard lock(mutex_);
    const auto found = tries_.find(id);
    if (found == tries_.end()) return {};
    TryReport report = std::move(found->second.report);
    tries_.erase(found);
    return report;
}

void TaskBoard::show(const TryId& id, TryReport report) {
    const std::lock_guard lock(mutex_);
    elsewhere_[id] = std::move(report);
}

void TaskBoard::forget(const TryId& id) {
    const std::lock_guard lock(mutex_);
    elsewhere_.erase(id);
}

std::optional<TryReport> TaskBoard::own_report(const TryId& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = tries_.find(id);
    return found == tries_.end() ? std::nullopt : std::optional(found->second.report);
}

std::optional<TryReport> TaskBoard::report(const TryId& id) const {
    if (auto own = own_report(id)) return own;
    const std::lock_guard lock(mutex_);
    const auto found = elsewhere_.find(id);
    return found == elsewhere_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace shaduf
