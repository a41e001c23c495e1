#pragma once

#include <chrono>
#include <string>
#include <thread>

#include "base/cancellation.h"
#include "flow/scheduler.h"
#include "flow/shared/sessions.h"

namespace shaduf::shared {

// The leader's side of tries that run elsewhere: what SharedRunStore::keep has put on offer needs no start, so only
// stops are told.
class OfferingRunner final : public TaskRunner {
public:
    explicit OfferingRunner(Sessions& sessions) : sessions_(sessions) {}
    void start(const TaskStart&) override {}
    // A stop that cannot be told is made good by the engine, which does not wait for ever.
    void stop(const TaskStop& stop) override;

private:
    Sessions& sessions_;
};

// The leader's ear: tells its scheduler who has taken a try and how tries have ended, and finds workers whose lease is
// over: their tries end as lost. Each is told at least once; what the engine has heard it does not hear again. One
// thread, from making to destruction.
class Hearing {
public:
    struct Settings {
        std::chrono::milliseconds look_every{1'000};  // when nobody calls
    };
    Hearing(std::string dsn, Sessions& sessions, Scheduler& scheduler, Settings settings);
    ~Hearing();

private:
    void run();
    Result<void> listen();
    Result<void> hear();
    Result<void> hear_beginnings(PostgresConnection& session);
    // Whether there may be more.
    Result<bool> hear_ends(PostgresConnection& session);
    Result<void> find_lost(PostgresConnection& session);
    Result<void> tell(std::vector<TaskEnd> ends);

    const std::string dsn_;
    Sessions& sessions_;
    Scheduler& scheduler_;
    const Settings settings_;
    Cancellation stop_;
    std::chrono::steady_clock::time_point looked_for_lost_{};
    std::thread thread_;
};

}  // namespace shaduf::shared
