#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/places.h"
#include "flow/schedule.h"
#include "flow/task_graph.h"

namespace shaduf {

// When a task that has failed is tried again.
struct TaskRetry {
    enum class Delay : uint8_t { constant, exponential, random };
    int tries_more = 0;
    Delay delay = Delay::exponential;
    std::chrono::milliseconds first{10'000};
    std::chrono::milliseconds longest{3'600'000};
    double factor = 2;
    std::chrono::milliseconds within{0};  // of the first try's begin; 0: without an end
    bool lost_comes_again = true;         // a try whose worker is gone; false: it has failed
};

struct TaskSpec {
    std::string type;    // pipeline, models, sql, ...: who runs it
    std::string config;  // of that type, as JSON
    std::vector<PlaceRequest::Use> uses;
    std::string mutex;
    int priority = 0;
    std::chrono::milliseconds timeout{0};  // of each try; 0: none
    TaskRetry retry;
};

// What becomes of a run when as many of its flow run as may.
enum class Overlap : uint8_t { queue, skip, cancel_running, fail };

// A flow as it is defined at one time. Immutable: a run keeps the one that it began with. Thread-safe.
struct FlowSpec {
    std::string name;
    std::string revision;  // another definition has another one
    TaskGraph graph;
    std::vector<TaskSpec> tasks;  // by TaskIndex
    std::vector<Schedule> schedules;
    std::optional<Timestamp> starts;  // nothing is due before it,
    std::optional<Timestamp> ends;    // nor from then on
    bool catches_up = false;          // from `starts` on, when it is new
    MissedRuns missed = MissedRuns::last;
    std::chrono::milliseconds lateness{60'000};  // what is due is not missed as long as it is not older
    size_t missed_max = 100;
    size_t runs_max = 1;       // at the same time, but for backfills,
    size_t backfills_max = 1;  // which are counted apart
    Overlap overlap = Overlap::queue;
    int priority = 0;
    std::chrono::milliseconds deadline{0};  // of a run, from when it was due; 0: none
    bool is_paused = false;                 // its schedules rest
};
using FlowPtr = std::shared_ptr<const FlowSpec>;

// The first moment of its schedules behind `moment`, whether they rest or not.
std::optional<Timestamp> first_due(const FlowSpec& flow, Timestamp moment);

}  // namespace shaduf
