#include "base/time.h"
#include "cli/command.h"
#include "cli/frame/project_reading.h"
#include "cli/frame/session.h"
#include "flow/flow_platform.h"
#include "io/process_name.h"
#include "server/project_watch.h"
#include "server/run_views.h"
#include "server/serve_context.h"
#include "version.h"

namespace shaduf {
namespace {

using server::ProjectRoom;
using server::ProjectWatch;
using server::RunViews;
using server::ServeLog;
using server::ServeLogStyle;

constexpr ArgumentSpec kArguments[] = {
    {"places", ArgumentKind::option, "How many tasks it runs at the same time.", false, "16"},
    {"drain", ArgumentKind::option, "How long tasks may go on when it is told to end.", false, "30s"},
    {"quiet", ArgumentKind::flag, "Say warnings and errors alone."},
};
constexpr int64_t kPlacesMax = 10'000;
constexpr const char* kFolder = ".shaduf";

// What this process has its hands on, of all that happens.
FlowChanges own_of(const FlowChanges& changes, const std::string& worker) {
    FlowChanges own;
    for (const TaskRow& task : changes.tasks) {
        if (task.worker == worker) own.tasks.push_back(task);
    }
    return own;
}

// Runs tasks of the project's flows for the processes that decide. Lifecycle: `start`, then `end`.
class WorkingProcess {
public:
    WorkingProcess(Session& session, ServeLog& log)
        : session_(session), log_(log), types_(builtin_tasks()), room_([this](Project& project, FlowSet& flows) {
              return read_project_and_flows(session_, types_, ".", project, flows);
          }) {}

    Result<void> start(size_t places, std::vector<Error>& errors) {
        errors = room_.reload();
        if (!errors.empty()) return errors.front();
        if (room_.view().project->state.empty()) {
            return Error(ErrorKind::invalid_config,
                         "a worker shares the work of other processes, and this project has no place to share it in: "
                         "give its environment a `state` in shaduf.yml, the DSN of a PostgreSQL database");
        }
        platform_ = TRY(FlowPlatform::start(
            {.world = session_.world(&log_),
             .connectors = session_.connectors(),
             .types = types_,
             .folder = kFolder,
             .worker = process_name(),
             .project = [this]() -> Result<std::shared_ptr<const Project>> { return room_.view().project; },
             .watcher = [this](const FlowChanges& changes) { hear(changes); },
             .board_watcher = {},
             .state = room_.view().project->state,
             .decides = false,
             .places = places,
             .version = kVersion},
            room_.view().flows));
        views_ = std::make_unique<RunViews>(platform_->store(), [this] { return room_.view().flows; });
        told_views_ = views_.get();
        watch_ = std::make_unique<ProjectWatch>(".", log_, [this] { reload(); });
        return {};
    }

    void end(std::chrono::milliseconds within) {
        watch_.reset();
        platform_->drain(within);
    }

private:
    void hear(const FlowChanges& changes) {
        RunViews* const views = told_views_.load();
        if (views == nullptr) return;
        log_.hear(own_of(changes, process_name()), [views](const TaskRow& task) { return views->title_of(task); });
    }

    void reload() {
        const auto errors = room_.reload();
        for (const Error& error : errors) {
            log_.say(Severity::error, "the project goes on as it was: " + error.to_string());
        }
        if (!errors.empty()) return;
        const auto done = platform_->reload(room_.view().flows);
        log_.say(done.ok() ? Severity::info : Severity::error,
                 done.ok() ? "the project's files have changed; they count from now on"
                           : "cannot take up the flows: " + done.error().to_string());
    }

    Session& session_;
    ServeLog& log_;
    const Registry<TaskTypeSpec> types_;
    ProjectRoom room_;
    std::atomic<RunViews*> told_views_{nullptr};
    std::unique_ptr<RunViews> views_;
    std::unique_ptr<FlowPlatform> platform_;  // ends before what its watchers use
    std::unique_ptr<ProjectWatch> watch_;
};

int work(Session& session, size_t places, std::chrono::milliseconds drain) {
    const ServeLogStyle style = session.json()                      ? ServeLogStyle::json
                                : session.arguments().flag("quiet") ? ServeLogStyle::quiet
                                                                    : ServeLogStyle::plain;
    const SystemClock clock;
    ServeLog log(session.out(), style, clock);
    const RunContext& world = session.world(&log);
    std::vector<Error> errors;
    WorkingProcess working(session, log);
    const auto started = working.start(places, errors);
    if (!errors.empty()) return session.fail(errors);
    if (!started.ok()) return session.fail(started.error());
    log.say(Severity::info, "worker " + process_name() + " runs up to " + std::to_string(places) +
                                " tasks at the same time; end it with Ctrl-C");
    while (world.cancellation.wait_for(std::chrono::hours(1))) {
    }
    log.say(Severity::info, "ending: nothing new begins, what runs has " + format_duration(drain) +
                                "; a second signal ends it at once");
    working.end(drain);
    return kExitDone;
}

int run_worker(Session& session) {
    const auto places = session.arguments().number("places", 1, kPlacesMax);
    if (!places.ok()) return session.fail(places.error());
    const auto drain = parse_duration(session.arguments().text("drain"));
    if (!drain) return session.misuse("--drain: not a duration such as 30s: " + session.arguments().text("drain"));
    if (!session.enter_folder()) return kExitMisused;
    return work(session, static_cast<size_t>(places.value()), *drain);
}

}  // namespace

extern const CommandSpec command_worker;
const CommandSpec command_worker{.name = "worker",
                                 .summary = "Run tasks for the servers of the project, with which it shares `state`.",
                                 .arguments = kArguments,
                                 .run = run_worker,
                                 .example = "shaduf worker --places 8"};

}  // namespace shaduf
