#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "base/cancellation.h"
#include "flow/desk.h"
#include "flow/shared/sessions.h"

// What people ask of runs, where another process may lead: a command is a row of shaduf.command, which the leader
// carries out and answers. One that the leader did not come to is carried out by the next; one that it carried out and
// could not answer is carried out again, so a request has a key of its own, and the others say that it is so already.
namespace shaduf::shared {

// Asks whoever leads. Thread-safe.
class SharedDesk final : public FlowDesk {
public:
    // `flow`: a flow as this process has it; nullptr: there is none. `patience`: how long a command waits for its
    // answer.
    using Flow = std::function<FlowPtr(const std::string& flow)>;
    SharedDesk(std::string dsn, Sessions& sessions, const Clock& clock, const Cancellation& cancellation, Flow flow,
               std::chrono::milliseconds patience = std::chrono::seconds(15))
        : dsn_(std::move(dsn)),
          sessions_(sessions),
          clock_(clock),
          cancellation_(cancellation),
          flow_(std::move(flow)),
          patience_(patience) {}

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

    const std::string dsn_;
    Sessions& sessions_;
    const Clock& clock_;
    const Cancellation& cancellation_;
    const Flow flow_;
    const std::chrono::milliseconds patience_;
};

// The leader's part: carries commands out by its own desk, in their order. One thread, from making to destruction.
class Commands {
public:
    // `leads`: whether this process still does; what was carried out behind that is left to the next leader.
    Commands(std::string dsn, Sessions& sessions, FlowDesk& desk, std::function<bool()> leads);
    ~Commands();

private:
    void run();
    Result<void> listen();
    Result<bool> answer_next();

    const std::string dsn_;
    Sessions& sessions_;
    FlowDesk& desk_;
    const std::function<bool()> leads_;
    Cancellation stop_;
    std::thread thread_;
};

}  // namespace shaduf::shared
