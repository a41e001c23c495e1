#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/cancellation.h"
#include "flow/desk.h"
#include "flow/shared/sessions.h"

// What people ask of runs, where another process may lead: a command is a row of shaduf.command, which the leader
// carries out and answers. One that the leader did not come to is carried out by the next. The answer to a request is
// kept with its run, so that it is carried out once; any other command that was carried out and could not be answered
// is carried out again, and says then that it is so already.
namespace shaduf::shared {

// Waits for the answers to commands of this process, all of them on one session. Thread-safe.
class Answers {
public:
    Answers(std::string dsn, Sessions& sessions) : dsn_(std::move(dsn)), sessions_(sessions) {}
    ~Answers();

    // nullopt: there is none until then.
    std::optional<std::string> wait(int64_t command, std::chrono::steady_clock::time_point until);

private:
    void run();
    Result<void> listen();
    Result<void> look();

    const std::string dsn_;
    Sessions& sessions_;
    Cancellation stop_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<int64_t, std::optional<std::string>> of_;  // those that are waited for
    std::thread thread_;                                // begun with the first
};

// Asks whoever leads. Thread-safe.
class SharedDesk final : public FlowDesk {
public:
    // `flow`: a flow as this process has it; nullptr: there is none. `patience`: how long a command waits for its
    // answer.
    using Flow = std::function<FlowPtr(const std::string& flow)>;
    SharedDesk(const std::string& dsn, Sessions& sessions, const Clock& clock, Flow flow,
               std::chrono::milliseconds patience = std::chrono::seconds(15))
        : sessions_(sessions), clock_(clock), flow_(std::move(flow)), patience_(patience), answers_(dsn, sessions) {}

    Result<Requested> request(const RunRequest& request, const std::string& key) override;
    Result<void> cancel(const RunId& run, const std::string& actor) override;
    Result<void> approve(const RunId& run, const std::string& task, bool yes, const std::string& actor) override;
    Result<void> mark(const RunId& run, const std::string& task, TaskState state, const std::string& actor) override;
    Result<void> run_again(const RunId& run, const std::vector<std::string>& tasks, const std::string& actor) override;
    Result<size_t> backfill(const Backfill& backfill) override;
    Result<void> pause(const std::string& flow, bool yes, const std::string& actor) override;
    Result<bool> is_paused(const std::string& flow) override;
    std::optional<Timestamp> next_due(const std::string& flow) override;

private:
    // The answer's text.
    Result<std::string> ask(const std::string& command);

    Sessions& sessions_;
    const Clock& clock_;
    const Flow flow_;
    const std::chrono::milliseconds patience_;
    Answers answers_;
};

// The leader's part: carries commands out by its own desk, in their order. One thread, from making to destruction.
class Commands {
public:
    // `leads`: whether this process still does; what was carried out behind that is left to the next leader.
    Commands(std::string dsn, Sessions& sessions, DecidingDesk& desk, std::function<bool()> leads);
    ~Commands();

private:
    void run();
    Result<void> listen();
    struct Command {
        int64_t number;
        std::string text;
    };
    // Whether there may be more.
    Result<bool> answer_some();
    // Requests, which come in numbers, are made in one step.
    Result<void> answer_requests(const std::vector<Command>& commands);
    Result<void> answer_one(const Command& command);

    const std::string dsn_;
    Sessions& sessions_;
    DecidingDesk& desk_;
    const std::function<bool()> leads_;
    Cancellation stop_;
    std::thread thread_;
};

}  // namespace shaduf::shared
