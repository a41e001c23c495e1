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
#include "base/registry.h"
#include "base/run_context.h"
#include "connectors/connector.h"
#include "flow/desk.h"
#include "flow/flow_files.h"

namespace shaduf {

// What begins runs besides schedules and people: tables that tasks have written to, sensors, and flows that never end.
// One thread does it all, and takes no task's place.
//
// Each cause is kept before the run is asked for, under a key that the desk knows again: so a process that comes behind
// a crash asks for the same run, and gets the one that is there already. Ends of tasks that nobody has heard of, since
// the process was killed right behind them, are looked for at the start.
class FlowTriggers {
public:
    struct Parts {
        RunContext& world;
        const Registry<ConnectorSpec>& connectors;
        std::function<Result<std::shared_ptr<const Project>>()> project;
        RunStore& store;
        FlowDesk& desk;
    };
    explicit FlowTriggers(Parts parts);
    ~FlowTriggers();

    // Takes up what is kept, and begins; `load` does so without a thread, for tests, which call `work`.
    Result<void> start(std::shared_ptr<const FlowSet> flows);
    Result<void> load(std::shared_ptr<const FlowSet> flows);
    void set_flows(std::shared_ptr<const FlowSet> flows);
    void stop();
    // By the scheduler's thread; quick. Thread-safe.
    void hear(const FlowChanges& changes);
    // Does what is to be done at this time.
    void work();

private:
    // A task has written to tables.
    struct Update {
        RunId run;
        TaskIndex task;
        int attempt;
        Timestamp at;
        std::string outputs;
    };
    struct TableSeen {
        Timestamp at{};
        std::string by;
        bool is_used = true;
    };
    // Of one trigger by tables: which were updated since it last began a run, and the run that is to be asked for.
    struct Waiting {
        std::map<std::string, TableSeen> tables;
        std::string pending;  // inputs
    };
    struct Sensing {
        std::string state;
        std::string pending;
        Timestamp looks_at{};
        std::string error;
    };
    struct Endless {
        std::optional<RunId> open;
        Timestamp began{};
        Timestamp again_at{};
        std::chrono::milliseconds delay{0};
    };

    void run();
    Result<void> take_up_missed();
    void hear_update(const Update& update);
    void hear_end(const RunRow& run);
    Result<void> note_tables(const std::string& flow, const std::vector<std::string>& tables, const Update& update);
    void fire_tables(const FlowInfo& flow, size_t index);
    void look(const FlowInfo& flow, size_t index);
    void keep_open(const FlowInfo& flow);
    bool rests(const std::string& flow);
    bool ask(const std::string& flow, const std::string& inputs, const std::string& actor);
    void warn(const std::string& flow, const Error& error);
    Result<void> keep(const std::string& key, const Waiting& waiting);
    Result<void> keep(const std::string& key, const Sensing& sensing);

    const Parts parts_;
    Cancellation stop_;
    RunContext own_;  // the world, with `stop_`
    std::mutex mutex_;
    std::condition_variable changed_;
    std::shared_ptr<const FlowSet> flows_;
    std::vector<Update> updates_;
    std::vector<RunRow> ended_;
    std::thread thread_;

    // The thread's own, by key.
    std::shared_ptr<const FlowSet> current_;
    std::map<std::string, Waiting> waiting_;
    std::map<std::string, Sensing> sensing_;
    std::map<std::string, Endless> endless_;
    Timestamp seen_{};
};

}  // namespace shaduf
