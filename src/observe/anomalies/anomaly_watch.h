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
#include "base/clock.h"
#include "flow/run_rows.h"
#include "flow/run_store.h"
#include "observe/anomalies/load_history.h"
#include "observe/signal.h"

namespace shaduf::observe {

// Watches the tables that tasks load: how many rows come, and when. What a load did is kept in the store under
// "table/<schema.table>" before it is told, so that after the end of the process nothing is told as over that was not
// told to begin, and nothing that began or is over is forgotten: it is told again by the next start.
//
// Of several processes only the one that decides what runs watches; the others show what it has kept, and what people
// ask of them is handed to it through the store. A thread of its own does all the work. Thread-safe.
class AnomalyWatch {
public:
    struct Parts {
        RunStore& store;
        const Clock& clock;
        std::function<bool()> leads;
        // Whether nobody expects that the flow runs: it is gone, paused, or has neither schedule nor trigger.
        std::function<bool(const std::string& flow)> rests;
        std::function<std::string(const RunId& run)> flow_of;  // ""; nobody knows
        SignalSink sink;
        std::function<void(const Error& error)> warn;  // the store cannot be read or written; it is tried again
    };
    explicit AnomalyWatch(Parts parts) : parts_(std::move(parts)) {}
    ~AnomalyWatch();  // as stop

    void start();
    void stop();
    // By the scheduler's thread; quick.
    void hear(const FlowChanges& changes);
    // What is to be done at this time, for tests, without a thread.
    void work();

    struct TableState {
        std::string table;
        std::string flow;
        size_t loads = 0;
        std::string learning;  // "": it is learned
        std::optional<Timestamp> last;
        std::optional<Timestamp> late_at;  // unless a load comes before
        std::optional<double> rows_usual;  // at the hour of the last load
        std::vector<Anomaly> open;         // that are not over
        std::map<AnomalyKind, Timestamp> muted_until;
    };
    // By table. Cheap where this process watches; else they are read.
    Result<std::vector<TableState>> tables();

    // It is not told before that time, unless it is over and comes again. not there: false.
    Result<bool> mute(const std::string& table, AnomalyKind kind, Timestamp until);
    // What stands there is usual from now on.
    Result<bool> call_usual(const std::string& table, AnomalyKind kind);

private:
    // A task that has ended well.
    struct Update {
        RunId run;
        TaskIndex task = 0;
        int attempt = 0;
        Timestamp at{};
        std::string outputs;
    };
    struct Ask {
        std::string table;
        AnomalyKind kind;
        std::optional<Timestamp> mute_until;  // nullopt: it is usual
    };

    void run();
    Result<void> take_over();
    Result<void> take_up_missed();
    Result<void> take_update(const Update& update);
    Result<void> take_asks();
    Result<void> look_at_clock();
    Result<std::optional<LoadHistory>> read(const std::string& table);
    // Keeps it, tells what has changed, and keeps that it was told.
    Result<void> keep(const std::string& table, LoadHistory history);
    bool tell(const std::string& table, LoadHistory& history);
    void note(const std::string& table, const LoadHistory& history, std::optional<Timestamp> late_at);
    Result<bool> ask(const Ask& ask);

    const Parts parts_;
    mutable std::mutex mutex_;  // guards what follows, up to the thread's own
    std::condition_variable changed_;
    std::vector<Update> updates_;
    size_t updates_bytes_ = 0;  // of their outputs
    bool has_missed_ = false;   // more came than could be held
    bool has_asks_ = false;
    std::map<std::string, TableState> tables_;
    bool is_watching_ = false;
    Cancellation stop_;
    std::thread thread_;

    // The thread's own.
    std::map<std::string, Timestamp> looks_at_;  // when a table may be late, or a mute is over
    Timestamp seen_{};
    Timestamp asked_at_{};
    bool has_failed_ = false;
};

// How an anomaly is told.
Signal signal_of(const std::string& table, const std::string& flow, const Anomaly& anomaly);

}  // namespace shaduf::observe
