#include "flow/task_state.h"

#include <array>

#include "flow/run_rows.h"

namespace shaduf {

std::string_view to_string(TaskState state) {
    constexpr std::array<std::string_view, 12> kNames = {"waiting",   "paused",    "queued",          "running",
                                                         "retrying",  "succeeded", "warned",          "failed",
                                                         "timed_out", "killed",    "upstream_failed", "skipped"};
    return kNames[static_cast<size_t>(state)];
}

std::string_view to_string(RunState state) {
    constexpr std::array<std::string_view, 7> kNames = {"queued", "running", "succeeded", "warned",
                                                        "failed", "killed",  "skipped"};
    return kNames[static_cast<size_t>(state)];
}

std::string_view to_string(TriggerRule rule) {
    constexpr std::array<std::string_view, 10> kNames = {
        "all_success",  "all_done", "all_failed",  "one_success",
        "one_failed",   "one_done", "none_failed", "none_failed_min_one_success",
        "none_skipped", "always"};
    return kNames[static_cast<size_t>(rule)];
}

std::string_view to_string(RunType type) {
    constexpr std::array<std::string_view, 4> kNames = {"scheduled", "manual", "backfill", "event"};
    return kNames[static_cast<size_t>(type)];
}

}  // namespace shaduf
