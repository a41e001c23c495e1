#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "flow/run_rows.h"

namespace shaduf {

// Which runs to list; what is not set takes in all.
struct RunFilter {
    std::string flow;
    std::vector<RunState> states;
    std::optional<RunType> type;
    std::optional<Timestamp> created_from;
    std::optional<Timestamp> created_before;
    RunId behind;  // of the page before: those that were created before it
    int64_t limit = 100;
};

// A flow as it was at some time, as a text.
struct FlowDefinition {
    std::string flow;
    std::string revision;
    std::string text;
};

// Where runs are kept: what the engine has decided, and how it came about. Thread-safe.
//
// Errors: conflict when another process leads, or has the same run (then nothing was written); unavailable for what
// passes by; exhausted for a full disk.
class RunStore {
public:
    virtual ~RunStore() = default;

    // One step, all of it or nothing, durable against the end of the process. A store of this process alone has no
    // commands to answer.
    virtual Result<void> keep(const FlowChanges& changes) = 0;
    // All but the specs and the workers.
    virtual Result<FlowRemains> remains() = 0;

    // Flows' definitions, each once and for ever under its revision; all of them or none. What is kept already stays.
    // There may be a hundred thousand.
    virtual Result<void> keep_definitions(const std::vector<FlowDefinition>& definitions) = 0;
    // By flow and revision.
    virtual Result<std::set<std::pair<std::string, std::string>>> definitions_kept() = 0;
    virtual Result<std::optional<std::string>> definition(const std::string& flow, const std::string& revision) = 0;

    // Newest first.
    virtual Result<std::vector<RunRow>> runs(const RunFilter& filter) = 0;
    virtual Result<std::optional<RunRow>> run(const RunId& id) = 0;
    // Those that do not just wait, by their place in the graph.
    virtual Result<std::vector<TaskRow>> tasks(const RunId& run) = 0;
    virtual Result<std::vector<Transition>> history(const RunId& run) = 0;

    // Small facts that are kept beside runs: what is paused, how far a sensor has seen. nullopt forgets it.
    virtual Result<void> keep_value(const std::string& key, const std::optional<std::string>& value) = 0;
    // Those whose keys begin so.
    virtual Result<std::map<std::string, std::string>> values(const std::string& prefix) = 0;

    // Runs that ended before, with all that is theirs, at most so many; gives how many.
    virtual Result<int64_t> forget_before(Timestamp time, int64_t count_max) = 0;
};

// In a file of SQLite, of this process alone: a second one gets conflict.
Result<std::unique_ptr<RunStore>> open_sqlite_run_store(const std::string& path);

}  // namespace shaduf
