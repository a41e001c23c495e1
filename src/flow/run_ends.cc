#include "flow/run_ends.h"

namespace shaduf {

void RunEnds::hear(const FlowChanges& changes) {
    const std::lock_guard lock(mutex_);
    for (const RunRow& run : changes.runs) {
        const auto entry = entries_.find(run.id);
        if (entry == entries_.end() || !is_end(run.state)) continue;
        entry->second.state = run.state;
        entry->second.changed.notify_all();
    }
}

void RunEnds::close(const Error& error) {
    const std::lock_guard lock(mutex_);
    closed_ = error;
    for (auto& [run, entry] : entries_) entry.changed.notify_all();
}

Result<RunState> RunEnds::wait(const RunId& run, const std::function<Result<std::optional<RunRow>>()>& now,
                               const Cancellation& cancellation) {
    // Cancellation takes the lock, so that it cannot come between a look and the wait.
    const Cancellation::Waker waker(cancellation, [this, &run] {
        const std::lock_guard lock(mutex_);
        const auto entry = entries_.find(run);
        if (entry != entries_.end()) entry->second.changed.notify_all();
    });
    {
        const std::lock_guard lock(mutex_);
        ++entries_[run].waiting;
    }
    const auto found = now();
    std::unique_lock lock(mutex_);
    Entry& entry = entries_[run];
    if (found.ok() && found.value() && is_end(found.value()->state)) entry.state = found.value()->state;
    if (found.ok()) entry.changed.wait(lock, [&] { return entry.state || closed_ || cancellation.canceled(); });
    const auto state = entry.state;
    if (--entry.waiting == 0) entries_.erase(run);
    if (state) return *state;
    if (!found.ok()) return found.error();
    if (cancellation.canceled()) return Error(ErrorKind::canceled, "stopped while waiting for run " + run);
    return *closed_;
}

}  // namespace shaduf
