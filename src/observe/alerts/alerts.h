#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/cancellation.h"
#include "base/run_context.h"
#include "flow/run_store.h"
#include "observe/alerts/alert_book.h"

namespace shaduf::observe {

// Alerts at work: takes signals, keeps what AlertBook makes of them in the run store ("alert/<id>"), and sends what is
// owed, a thread a channel, so that a slow one holds up no other. Of several processes over one store only the one that
// leads does so; the others show what it has kept, and ask it to mute.
//
// Thread-safe. The store and the world outlive it.
class Alerts {
public:
    struct Parts {
        RunStore& store;
        RunContext& world;  // its clock and its transport
        std::function<bool()> leads;
        std::function<void(Severity, const std::string&)> say;  // for the log, no secrets
        std::function<void()> changed;                          // what `list` gives has; must be quick
        std::function<double()> random;                         // of [0, 1)
    };
    Alerts(Parts parts, std::shared_ptr<const AlertSettings> settings);
    ~Alerts();  // stops
    Alerts(const Alerts&) = delete;
    Alerts& operator=(const Alerts&) = delete;

    // Begins its threads; without it nothing happens but by the steps below.
    void start();
    // Ends messages under way: they are tried again by whoever comes next.
    void stop();
    void set(std::shared_ptr<const AlertSettings> settings);

    // Quick. Signals of a process that does not lead are let go.
    void tell(Signal signal);
    // What was told before this call is kept, or why not: then it is tried again, and so may it be told.
    Result<void> settle();
    // Keys of signals that are not over, of those that begin so.
    std::vector<std::string> open_keys(std::string_view prefix);

    // The steps that its threads make: takes what was told and what is due by now; tries the next message of a channel,
    // false when none was to be tried.
    Result<void> turn();
    bool send_next(const std::string& channel);

    // For people.
    struct Shown {
        Incident incident;
        bool is_mute = false;
    };
    Result<std::vector<Shown>> list();  // the newest first, without those that are pending
    Result<void> mute(const std::string& id, std::optional<Timestamp> until);
    // Sends a message of trial, once. invalid_config: no such channel.
    Result<SendOutcome> test(const std::string& channel, RunContext& run) const;
    std::shared_ptr<const AlertSettings> settings() const;

private:
    struct Sender {
        std::shared_ptr<const AlertSettings> settings;  // that `channel` was made by
        std::unique_ptr<Channel> channel;
        std::thread thread;
    };

    Result<void> turn_locked();
    Result<void> take_lead();
    Result<void> take_asked(Timestamp now);
    Result<void> keep();
    void begin_senders();
    Sender& ready_sender(const AlertChannel& channel);
    void run_clock();
    void run_sender(const std::string& channel);
    std::chrono::nanoseconds wait_of(const std::optional<Timestamp>& at) const;

    const Parts parts_;
    mutable std::mutex mutex_;  // guards all below
    std::condition_variable news_;
    std::condition_variable room_;
    uint64_t news_count_ = 0;
    std::shared_ptr<const AlertSettings> settings_;
    std::vector<Signal> told_;
    std::unique_ptr<AlertBook> book_;  // nullptr: this process does not lead, or has not read what is kept
    uint64_t reign_ = 0;               // another one for each book
    Timestamp asked_at_{};
    uint64_t ids_ = 0;
    bool is_started_ = false;
    bool is_stopped_ = false;
    bool has_failed_ = false;  // the store; told once
    std::map<std::string, Sender> senders_;
    std::thread clock_thread_;
    Cancellation sending_;
};

// Sends through a channel; what it says of a failure has none of the channel's secrets.
SendOutcome send_through(Channel& channel, const AlertChannel& settings, RunContext& run, const AlertMessage& message);

// A message of trial, in one try.
SendOutcome send_test(const AlertChannel& channel, const AlertSettings& settings, RunContext& run);

}  // namespace shaduf::observe
