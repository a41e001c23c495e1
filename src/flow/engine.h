#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "flow/flow_spec.h"
#include "flow/places.h"
#include "flow/progress.h"
#include "flow/run_rows.h"

namespace shaduf {

// A try of a task that is to begin.
struct TaskStart {
    RunId run;
    TaskIndex task;
    int attempt;
    FlowPtr flow;
    int round = 0;  // another one each time that somebody has the task run again; the same for the tries of one
};
// A try that is to end early.
struct TaskStop {
    RunId run;
    TaskIndex task;
    int attempt;
    std::string why;
};

// What one call has decided. The changes must be kept durably before tasks are begun or stopped; until they are, the
// engine must not be called again.
struct FlowStep {
    FlowChanges changes;
    std::vector<TaskStart> starts;
    std::vector<TaskStop> stops;
};
void append(FlowStep& to, FlowStep&& from);

struct RunRequest {
    std::string flow;
    RunType type = RunType::manual;
    std::optional<Timestamp> due;   // now unless given; of a backfill a moment of the schedule
    std::optional<Interval> about;  // unless given: that of `due` on the schedule; manual: the last whole one
    std::string inputs;
    std::string actor;
};

struct TaskEnd {
    RunId run;
    TaskIndex task = 0;
    int attempt = 0;
    // lost: nobody knows how it went on, as its worker is gone; it is tried again without counting as a try, unless
    // that has happened too often, or its task says that a try that was lost has failed.
    enum class How : uint8_t { succeeded, warned, skipped, failed, failed_for_good, stopped, lost };
    How how = How::succeeded;
    std::optional<std::chrono::milliseconds> retry_after;  // as the other side has asked for
    std::string why;
    std::string outputs;
};

// Decides what runs when: the scheduler without clocks, threads, disk and network. Each call takes the time and what
// has happened, and gives what is to be kept and then to be done. What is kept is enough to go on from: an engine that
// resumes behind a crash decides the same, but that tries whose worker is gone count as failed.
//
// A call costs what the tasks that move cost, not what there is. One thread at a time. Time must not go back.
class Engine {
public:
    struct Settings {
        std::function<RunId(Timestamp)> make_id;
        std::function<double()> random;                 // of [0, 1)
        std::chrono::milliseconds stop_within{30'000};  // then a try that was to stop counts as ended
    };
    explicit Engine(Settings settings) : settings_(std::move(settings)) {}

    // Before anything else is due, once, with all flows and pools set.
    FlowStep resume(FlowRemains remains, Timestamp now);

    // A flow is new or has another definition; runs that were created keep theirs.
    FlowStep set_flow(FlowPtr flow, Timestamp now);
    void remove_flow(const std::string& name) { flows_.erase(name); }
    FlowStep set_pool(const std::string& pool, uint32_t places, Timestamp now);

    // What is due by now; to be called at `wakes_at`, any other time is fine, too.
    FlowStep tick(Timestamp now);
    std::optional<Timestamp> wakes_at() const;

    struct Requested {
        RunId run;
        FlowStep step;
    };
    // invalid_config: no such flow. conflict: that moment has a run that has not ended.
    Result<Requested> request(const RunRequest& request, Timestamp now);

    // A worker has taken a try; what is not told of a try that is not running any more changes nothing, here and below.
    FlowStep began(const RunId& run, TaskIndex task, int attempt, const std::string& worker, Timestamp now);
    FlowStep ended(const TaskEnd& end, Timestamp now);
    // Its tries count as failed.
    FlowStep worker_lost(const std::string& worker, Timestamp now);

    // What people do. conflict: the run or the task is not in a state for it, or is not there.
    Result<FlowStep> cancel(const RunId& run, const std::string& actor, Timestamp now);
    Result<FlowStep> approve(const RunId& run, TaskIndex task, bool yes, const std::string& actor, Timestamp now);
    // As succeeded, failed or skipped, whatever it was; a try that is running goes on for nobody.
    Result<FlowStep> mark(const RunId& run, TaskIndex task, TaskState state, const std::string& actor, Timestamp now);
    // These tasks and all behind them, of a run that has ended, as it was kept.
    Result<FlowStep> run_again(RunRow run, std::vector<TaskRow> kept, FlowPtr flow, std::span<const TaskIndex> tasks,
                               const std::string& actor, Timestamp now);

    size_t runs_open() const { return runs_.size(); }
    // nullptr: it is not there, or has ended.
    const RunRow* run(const RunId& id) const;
    TaskState state_of(const RunId& run, TaskIndex task) const;
    Places::PoolState pool(const std::string& name) const { return places_.pool(name); }

private:
    struct Run {
        RunRow row;
        FlowPtr flow;
        Progress progress;
        std::unordered_map<TaskIndex, TaskRow> tasks;
        std::unordered_map<TaskIndex, PlaceTicket> tickets;  // of those queued or running
        std::unordered_map<TaskIndex, TaskState> stopping;   // tries that were told to stop, and as what they end
        std::optional<TaskState> ends_as;  // no task begins any more: what has not ended, ends as this
    };
    struct Flow {
        FlowPtr spec;
        Timestamp seen{};
        std::optional<Timestamp> next_due;
        std::set<RunId> live;       // open, but for backfills
        std::set<RunId> backfills;  // open
        std::vector<RunId> queue;   // of both, in their order
        size_t live_running = 0;
        size_t backfills_running = 0;
    };
    enum class TimerKind : uint8_t { schedule, retry, timeout, stop, deadline };
    struct Timer {
        TimerKind kind;
        std::string name;  // of a flow, or the id of a run
        TaskIndex task = 0;
        int attempt = 0;
    };

    // A task that did not just wait when the time before ended.
    struct Left {
        enum class Kind : uint8_t { waits, lost };
        Kind kind;
        Run* run;
        TaskIndex task;
        Timestamp since;
    };

    void load_run(RunRow row, const FlowRemains& remains, std::vector<TaskRow> tasks, std::vector<Left>& left);
    void load_task(Run& run, TaskRow row, const std::set<std::string>& workers, std::vector<Left>& left);
    void take_up(FlowPtr spec, std::optional<Timestamp> seen);
    void set_schedule_timer(Flow& flow);
    void fire_schedule(Flow& flow);
    void fire(const Timer& timer);

    RunId create_run(Flow& flow, RunRow row);
    bool make_room(Flow& flow, Run& run);
    void admit(Flow& flow);
    void begin_run(Run& run);
    static std::string cause_of(const Run& run);
    void end_run_when_done(Run& run);
    void close_run(Run& run);
    void stop_run(Run& run, TaskState as, const std::string& why, const std::string& actor);

    TaskRow& row_of(Run& run, TaskIndex task);
    void follow(Run& run, std::vector<Progress::Change> changes, const std::string& actor);
    void move(Run& run, TaskIndex task, TaskState to, const std::string& why, const std::string& actor);
    void queue_task(Run& run, TaskIndex task, const std::string& why, const std::string& actor);
    PlaceRequest request_of(Run& run, TaskIndex task);
    void enter_places(Run& run, TaskIndex task);
    void leave_places(Run& run, TaskIndex task);
    void start_tries(const std::vector<PlaceTicket>& tickets);
    void stop_try(Run& run, TaskIndex task, TaskState as, const std::string& why);
    void end_try(Run& run, TaskIndex task, const TaskEnd& end);
    std::optional<Timestamp> comes_again(const Run& run, const TaskRow& row, const TaskEnd& end) const;

    Run* open_run(const RunId& id);
    Run* running_try(const RunId& run, TaskIndex task, int attempt);
    void note(const Run& run, std::optional<TaskIndex> task, int attempt, std::string_view to, const std::string& why,
              const std::string& actor);
    FlowStep finish_step();

    const Settings settings_;
    Timestamp now_{};
    std::map<std::string, Flow> flows_;
    std::unordered_map<RunId, std::unique_ptr<Run>> runs_;
    Places places_;
    PlaceTicket last_ticket_ = 0;
    std::unordered_map<PlaceTicket, std::pair<Run*, TaskIndex>> by_ticket_;
    std::multimap<Timestamp, Timer> timers_;  // those that do not count any more are found out when they fire

    // The step that is being made.
    FlowStep step_;
    std::set<std::string> to_admit_;  // flows whose queues are to be looked at
    std::set<RunId> changed_runs_;
    std::set<std::pair<RunId, TaskIndex>> changed_tasks_;
    std::vector<std::unique_ptr<Run>> ended_runs_;
};

}  // namespace shaduf
