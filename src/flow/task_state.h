#pragma once

#include <cstdint>
#include <string_view>

namespace shaduf {

// Where a task of a run stands.
//
//   waiting ─▶ queued ─▶ running ─▶ succeeded, warned, failed, timed_out, killed
//      │          ▲         └─▶ retrying ─▶ queued
//      │          └─ paused (until somebody approves)
//      └─▶ skipped, upstream_failed
//
// Those of the last columns are ends; a task leaves one only when it is run again.
enum class TaskState : uint8_t {
    waiting,  // for the tasks before it
    paused,   // for somebody's approval
    queued,   // for a place
    running,
    retrying,  // failed, and comes again when its time has come
    succeeded,
    warned,  // ended as it should, with something to look at; or failed, which was allowed
    failed,
    timed_out,
    killed,           // stopped by somebody
    upstream_failed,  // never began, since one before it has failed
    skipped,          // never began, by a condition or since those before it were skipped
};

constexpr bool is_end(TaskState state) { return state >= TaskState::succeeded; }
constexpr bool is_success(TaskState state) { return state == TaskState::succeeded || state == TaskState::warned; }
// It, or one before it, did not do what it was to do.
constexpr bool is_failure(TaskState state) { return state >= TaskState::failed && state <= TaskState::upstream_failed; }
std::string_view to_string(TaskState state);

// Where a run stands. It is running as long as one of its tasks has not ended.
enum class RunState : uint8_t { queued, running, succeeded, warned, failed, killed, skipped };
constexpr bool is_end(RunState state) { return state >= RunState::succeeded; }
std::string_view to_string(RunState state);

// When a task begins, by how those right before it have ended; as Airflow has them. Where it cannot begin any more, it
// is upstream_failed when a failure is the reason, else skipped. What is certain is decided without waiting for the
// rest, and never depends on the order in which tasks end.
enum class TriggerRule : uint8_t {
    all_success,                  // all have succeeded; skipped when one was skipped
    all_done,                     // all have ended
    all_failed,                   // all have failed
    one_success,                  // one has succeeded
    one_failed,                   // one has failed
    one_done,                     // one has ended, not skipped
    none_failed,                  // all have succeeded or were skipped
    none_failed_min_one_success,  // the same, and one has succeeded
    none_skipped,                 // all have ended, none was skipped
    always,                       // without waiting
};
std::string_view to_string(TriggerRule rule);

}  // namespace shaduf
