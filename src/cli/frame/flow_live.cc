#include "cli/frame/flow_live.h"

namespace shaduf {
namespace {

constexpr int64_t kLinesAtOnce = 1'000;

bool is_worth_a_line(const std::string& state) {
    return state != "waiting" && state != "queued" && state != "stopping";
}

}  // namespace

void FlowLive::hear(const FlowChanges& changes) {
    const std::lock_guard lock(mutex_);
    states_.insert(states_.end(), changes.history.begin(), changes.history.end());
    for (const RunRow& run : changes.runs) {
        if (is_end(run.state)) ended_.insert(run.id);
    }
    changed_.notify_all();
}

void FlowLive::hear_log(const TryId&) {
    const std::lock_guard lock(mutex_);
    has_lines_ = true;
    changed_.notify_all();
}

void FlowLive::end(const RunId& run) {
    const std::lock_guard lock(mutex_);
    ended_.insert(run);
}

bool FlowLive::show(const RunId& run, const FlowSpec& flow, LogStore& logs, const Cancellation& cancellation) {
    const Cancellation::Waker waker(cancellation, [this] {
        const std::lock_guard lock(mutex_);
        changed_.notify_all();
    });
    for (;;) {
        std::vector<Transition> states;
        bool has_ended = false;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] {
                return !states_.empty() || has_lines_ || ended_.contains(run) || cancellation.canceled();
            });
            states.swap(states_);
            has_lines_ = false;
            has_ended = ended_.contains(run);
        }
        for (const Transition& line : states) {
            if (line.run == run && line.task) show_state(line, flow, logs);
        }
        for (const auto& [id, lines] : std::map(shown_)) show_lines(id, logs);
        out_ << std::flush;
        if (has_ended) return true;
        if (cancellation.canceled()) return false;
    }
}

// What a try has said stands before its end.
void FlowLive::show_state(const Transition& line, const FlowSpec& flow, LogStore& logs) {
    if (*line.task >= flow.graph.size() || !is_worth_a_line(line.to)) return;
    const std::string& name = flow.graph[*line.task].name;
    const TryId id{line.run, name, line.attempt};
    if (line.to == "running") {
        shown_[id] = 0;
    } else if (shown_.contains(id)) {
        show_lines(id, logs);
        shown_.erase(id);
    }
    out_ << name << ": " << line.to;
    if (line.attempt > 1 && line.to == "running") out_ << " (try " << line.attempt << ")";
    if (!line.why.empty() && line.to != "running") out_ << ": " << line.why;
    out_ << "\n";
}

void FlowLive::show_lines(const TryId& id, LogStore& logs) {
    if (is_quiet_) return;
    int64_t& shown = shown_[id];
    for (;;) {
        const auto page = logs.read(id, {.first = shown + 1, .count = kLinesAtOnce, .search = {}});
        if (!page.ok() || !page.value() || page.value()->lines.empty()) return;
        for (const LogLine& line : page.value()->lines) {
            out_ << "  " << id.task << " | ";
            if (line.severity != Severity::info) out_ << (line.severity == Severity::error ? "error: " : "warning: ");
            if (!line.place.empty()) out_ << line.place << ": ";
            out_ << line.text << "\n";
        }
        shown = page.value()->lines.back().number;
    }
}

}  // namespace shaduf
