#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/registry.h"
#include "config/project.h"
#include "flow/flow_spec.h"
#include "flow/task_type.h"

namespace shaduf {

// What begins a run of a flow beside its schedules.
struct TableTrigger {
    std::vector<std::string> tables;      // "schema.table"
    bool needs_all = true;                // else any of them
    std::chrono::milliseconds within{0};  // needs_all: the updates must not lie further apart; 0: however far
};
struct SensorTrigger {
    std::string type;    // file, table, http
    std::string config;  // JSON
    std::chrono::milliseconds every{60'000};
};

// A flow as the project has it: what the engine is told, and what is for people.
struct FlowInfo {
    FlowPtr spec;
    std::string title;  // "": the name
    std::string description;
    std::string owner;
    std::map<std::string, std::string> labels;
    std::string file;  // "": it follows from a pipeline, or from all of them
    int64_t line = 0;
    std::string pipeline;                           // of one that follows from it
    std::vector<std::string> schedules_as_written;  // "0 6 * * *", "every 15m"; for people
    std::string zone;
    std::vector<std::string> reads;  // tables, as far as they are known without running: "schema.table"
    std::vector<std::string> writes;
    std::vector<TableTrigger> on_tables;
    std::vector<SensorTrigger> sensors;
    std::string hook_secret;                   // "": no webhook may begin a run
    bool is_endless = false;                   // its tasks never end by themselves: one run is kept open
    std::chrono::milliseconds stale_after{0};  // "no success since": then it is late; 0: its schedule says
};

struct FlowSet {
    std::vector<FlowInfo> flows;            // by name
    std::map<std::string, uint32_t> pools;  // places, by name
    const FlowInfo* find(std::string_view name) const;
};

// The flows of a project: those of flows/*.yml, named like the file, and for each pipeline that no flow of that name
// replaces one of two tasks, `load` and, where the project has models, `models` behind it, which builds what reads the
// pipeline's tables. A pipeline's `schedule` is that flow's. Pools: `pools:` of shaduf.yml, and "tasks", of
// `tasks_parallel`, which every task uses. All errors at once, with file and line; then `out` is not to be used.
std::vector<Error> read_flows(const Project& project, const Registry<TaskTypeSpec>& types, FlowSet& out);

// A flow's definition as a text to keep under its revision, and back. The revision is a hash of the text.
std::string flow_to_text(const FlowSpec& flow);
Result<FlowPtr> flow_from_text(const std::string& name, const std::string& revision, const std::string& text);

}  // namespace shaduf
