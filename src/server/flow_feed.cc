#include "server/flow_feed.h"

#include <map>

#include "base/json_writer.h"
#include "server/live_events.h"
#include "server/run_views.h"

namespace shaduf::server {

void FlowFeed::hear(const FlowChanges& changes) {
    RunViews* const views = views_.load();
    if (views == nullptr) return;
    views->note(changes);
    std::map<RunId, const RunRow*> runs;
    for (const RunRow& run : changes.runs) runs[run.id] = &run;
    for (const TaskRow& task : changes.tasks) runs.try_emplace(task.run, nullptr);
    std::map<RunId, RunRow> read;  // those of which only tasks have moved
    for (auto& [id, run] : runs) {
        if (run != nullptr) continue;
        auto row = views->run(id);
        if (!row) continue;
        run = &(read[id] = std::move(*row));
    }
    for (const TaskRow& task : changes.tasks) {
        const RunRow* run = runs[task.run];
        const FlowPtr flow = run == nullptr ? nullptr : views->spec(run->flow, run->revision);
        if (flow == nullptr || task.task >= flow->graph.size()) continue;
        const std::string key = "task " + task.run + " " + std::to_string(task.task);
        events_.publish({"task", {"run:" + task.run}, key}, [&](JsonWriter& json) {
            json.field("run", task.run).key("task").begin_object();
            write_task_fields(json, *flow, task.task, &task, std::nullopt);
            json.end_object();
        });
    }
    for (const auto& [id, run] : runs) {
        if (run == nullptr) continue;
        const auto totals = views->totals(*run);
        if (!totals.ok()) continue;
        events_.publish({"run", {"runs", "run:" + id}, "run " + id}, [&, row = run](JsonWriter& json) {
            json.key("run");
            write_run(json, *row, totals.value());
        });
    }
}

void FlowFeed::hear(const TaskBoard::Change& change) {
    if (change.lag != nullptr) return;  // pages do not show it
    const TryId& id = change.id;
    const std::string attempt = id.task + "/" + std::to_string(id.attempt);
    if (change.step != nullptr) {
        const std::string key = "step " + id.run + " " + attempt + " " + change.step->name;
        events_.publish({"step", {"run:" + id.run}, key}, [&](JsonWriter& json) {
            json.field("run", id.run).field("task", id.task).field("attempt", int64_t{id.attempt}).key("step");
            write_step(json, *change.step);
        });
        return;
    }
    const std::string topic = "log:" + id.run + "/" + attempt;
    events_.publish({"log", {topic}, topic}, [&](JsonWriter& json) {
        json.field("run", id.run).field("task", id.task).field("attempt", int64_t{id.attempt});
        json.field("lines_total", change.log_lines);
    });
}

}  // namespace shaduf::server
