#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flow/run_rows.h"
#include "flow/task_board.h"

namespace shaduf::observe {

class EventSender;

// A table, as OpenLineage names it.
struct Dataset {
    std::string name_space;
    std::string name;
    std::vector<std::pair<std::string, std::string>> columns;  // names and types; types may be ""
    struct Source {
        std::string name_space;
        std::string name;
        std::string column;
        std::string kind;  // copied, transformed, aggregated
    };
    std::vector<std::pair<std::string, std::vector<Source>>> lineage;  // by column
    int64_t rows = -1;                                                 // written; -1: nobody knows
    int64_t bytes = -1;
    bool is_written = false;
};

// Tells of flows and their tasks by events of OpenLineage (spec 2-0-2): START when a run or a try begins, COMPLETE,
// FAIL or ABORT at its end; a flow's run is the parent of its tries. Jobs are "<flow>" and "<flow>.<task>". Each event
// is sent at most once; those of runs that began before the process only end. Thread-safe.
class OpenLineage {
public:
    struct Parts {
        EventSender& sender;
        std::string name_space;
        std::string producer;  // a URI
        std::function<FlowPtr(const std::string& flow, const std::string& revision)> spec;
        std::function<std::optional<RunRow>(const RunId& run)> run;
        // What the steps of a try have read and written; called by the sender's thread.
        std::function<std::vector<Dataset>(const std::vector<TaskStep>& steps)> datasets;
    };
    explicit OpenLineage(Parts parts) : parts_(std::move(parts)) {}
    void hear(const FlowChanges& changes);

    struct Event {
        std::string type;
        Timestamp at{};
        RunRow run;
        std::string task;  // "": of the run itself
        std::string task_type;
        int attempt = 0;
        bool is_endless = false;
        std::string error;
        std::vector<Dataset> datasets;
    };
    static std::string to_json(const Event& event, const std::string& name_space, const std::string& producer);

private:
    void tell(Event event, std::string outputs);
    bool is_new(const RunId& run, const std::string& what);
    void hear_task(const TaskRow& task, const RunRow& run);

    const Parts parts_;
    std::mutex mutex_;
    std::map<RunId, std::vector<std::string>> told_;  // of runs that are open
};

}  // namespace shaduf::observe
