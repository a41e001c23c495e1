#include "observe/emit/openlineage.h"

#include <algorithm>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "observe/emit/event_sender.h"
#include "observe/emit/run_identity.h"

namespace shaduf::observe {
namespace {

constexpr std::string_view kSpec = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
constexpr size_t kRunsMax = 20'000;

class Facets {
public:
    Facets(JsonWriter& json, const std::string& producer) : json_(json), producer_(producer) {}
    // Opens a facet; the caller writes the rest and closes it.
    void open(std::string_view name, std::string_view version, std::string_view definition) {
        json_.key(name).begin_object().field("_producer", producer_);
        json_.field("_schemaURL", "https://openlineage.io/spec/facets/" + std::string(version) + "/" +
                                      std::string(definition) + ".json#/$defs/" + std::string(definition));
    }

private:
    JsonWriter& json_;
    const std::string& producer_;
};

std::string run_key(const RunRow& run) { return run.id; }
std::string try_key(const OpenLineage::Event& event) {
    return event.run.id + "/" + event.task + "/" + std::to_string(event.attempt);
}

void write_run(JsonWriter& json, const OpenLineage::Event& event, const std::string& name_space,
               const std::string& producer) {
    Facets facets(json, producer);
    const bool is_task = !event.task.empty();
    json.key("run").begin_object().field("runId", uuid_of(is_task ? try_key(event) : run_key(event.run)));
    json.key("facets").begin_object();
    facets.open("nominalTime", "1-0-1", "NominalTimeRunFacet");
    json.field("nominalStartTime", format_timestamp(event.run.about.begin));
    json.field("nominalEndTime", format_timestamp(event.run.about.end)).end_object();
    facets.open("processing_engine", "1-1-1", "ProcessingEngineRunFacet");
    json.field("name", "shaduf").field("version", producer.substr(producer.rfind(':') + 1)).end_object();
    if (is_task) {
        facets.open("parent", "1-0-1", "ParentRunFacet");
        json.key("run").begin_object().field("runId", uuid_of(run_key(event.run))).end_object();
        json.key("job").begin_object().field("namespace", name_space).field("name", event.run.flow).end_object();
        json.end_object();
    }
    if (!event.error.empty()) {
        facets.open("errorMessage", "1-0-1", "ErrorMessageRunFacet");
        json.field("message", event.error).field("programmingLanguage", "C++").end_object();
    }
    json.end_object().end_object();
}

void write_job(JsonWriter& json, const OpenLineage::Event& event, const std::string& name_space,
               const std::string& producer) {
    Facets facets(json, producer);
    json.key("job").begin_object().field("namespace", name_space);
    json.field("name", event.task.empty() ? event.run.flow : event.run.flow + "." + event.task);
    json.key("facets").begin_object();
    facets.open("jobType", "2-0-3", "JobTypeJobFacet");
    json.field("processingType", event.is_endless ? "STREAMING" : "BATCH").field("integration", "SHADUF");
    json.field("jobType", event.task.empty() ? "FLOW" : "TASK_" + event.task_type).end_object();
    json.end_object().end_object();
}

void write_lineage(JsonWriter& json, const Dataset& dataset) {
    json.key("fields").begin_object();
    for (const auto& [column, sources] : dataset.lineage) {
        json.key(column).begin_object().key("inputFields").begin_array();
        for (const Dataset::Source& source : sources) {
            json.begin_object().field("namespace", source.name_space).field("name", source.name);
            json.field("field", source.column).key("transformations").begin_array().begin_object();
            json.field("type", "DIRECT")
                .field("subtype", source.kind == "copied"       ? "IDENTITY"
                                  : source.kind == "aggregated" ? "AGGREGATION"
                                                                : "TRANSFORMATION");
            json.end_object().end_array().end_object();
        }
        json.end_array().end_object();
    }
    json.end_object();
}

void write_dataset(JsonWriter& json, const Dataset& dataset, const std::string& producer) {
    Facets facets(json, producer);
    json.begin_object().field("namespace", dataset.name_space).field("name", dataset.name);
    json.key("facets").begin_object();
    if (!dataset.columns.empty()) {
        facets.open("schema", "1-1-1", "SchemaDatasetFacet");
        json.key("fields").begin_array();
        for (const auto& [name, type] : dataset.columns) {
            json.begin_object().field("name", name);
            if (!type.empty()) json.field("type", type);
            json.end_object();
        }
        json.end_array().end_object();
    }
    if (!dataset.lineage.empty()) {
        facets.open("columnLineage", "1-2-0", "ColumnLineageDatasetFacet");
        write_lineage(json, dataset);
        json.end_object();
    }
    json.end_object();
    if (dataset.is_written && dataset.rows >= 0) {
        json.key("outputFacets").begin_object();
        facets.open("outputStatistics", "1-0-2", "OutputStatisticsOutputDatasetFacet");
        json.field("rowCount", dataset.rows);
        if (dataset.bytes >= 0) json.field("size", dataset.bytes);
        json.end_object().end_object();
    }
    json.end_object();
}

std::string upper(std::string text) {
    for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return text;
}

}  // namespace

std::string OpenLineage::to_json(const Event& event, const std::string& name_space, const std::string& producer) {
    JsonWriter json;
    json.begin_object().field("eventType", event.type).field("eventTime", format_timestamp(event.at));
    json.field("producer", producer).field("schemaURL", kSpec);
    write_run(json, event, name_space, producer);
    write_job(json, event, name_space, producer);
    for (const bool is_written : {false, true}) {
        json.key(is_written ? "outputs" : "inputs").begin_array();
        for (const Dataset& dataset : event.datasets) {
            if (dataset.is_written == is_written) write_dataset(json, dataset, producer);
        }
        json.end_array();
    }
    return json.end_object().str();
}

bool OpenLineage::is_new(const RunId& run, const std::string& what) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string>& told = told_[run];
    if (std::find(told.begin(), told.end(), what) != told.end()) return false;
    told.push_back(what);
    if (told_.size() > kRunsMax) told_.erase(told_.begin());
    return true;
}

void OpenLineage::tell(Event event, std::string outputs) {
    const uint64_t bytes = 1'000 + outputs.size();
    parts_.sender.offer(
        [this, event = std::move(event), outputs = std::move(outputs)]() mutable {
            if (const auto report = TryReport::from_json(outputs); report && parts_.datasets) {
                event.datasets = parts_.datasets(report->steps);
            }
            return std::vector<std::string>{to_json(event, parts_.name_space, parts_.producer)};
        },
        bytes);
}

void OpenLineage::hear(const FlowChanges& changes) {
    std::map<RunId, RunRow> runs;
    for (const RunRow& run : changes.runs) {
        runs[run.id] = run;
        if (run.began && is_new(run.id, "START")) {
            tell({.type = "START",
                  .at = *run.began,
                  .run = run,
                  .task = "",
                  .task_type = "",
                  .error = "",
                  .datasets = {}},
                 "");
        }
    }
    for (const TaskRow& task : changes.tasks) {
        auto run = runs.find(task.run);
        if (run == runs.end()) {
            auto row = parts_.run(task.run);
            if (!row) continue;
            run = runs.emplace(task.run, std::move(*row)).first;
        }
        hear_task(task, run->second);
    }
    for (const RunRow& run : changes.runs) {
        if (!is_end(run.state)) continue;
        const bool is_good = run.state == RunState::succeeded || run.state == RunState::warned;
        const bool has_failed = run.state == RunState::failed;
        const std::string type = is_good ? "COMPLETE" : has_failed ? "FAIL" : "ABORT";
        if (is_new(run.id, "END")) {
            tell({.type = type,
                  .at = run.ended.value_or(run.created),
                  .run = run,
                  .task = "",
                  .task_type = "",
                  .error = has_failed ? (run.why.empty() ? "a task has failed" : run.why) : "",
                  .datasets = {}},
                 "");
        }
        const std::lock_guard lock(mutex_);
        told_.erase(run.id);
    }
}

void OpenLineage::hear_task(const TaskRow& task, const RunRow& run) {
    const FlowPtr spec = parts_.spec(run.flow, run.revision);
    if (spec == nullptr || task.task >= spec->graph.size() || task.attempt < 1 || !task.began) return;
    Event event{.type = "START",
                .at = *task.began,
                .run = run,
                .task = spec->graph[task.task].name,
                .task_type = upper(spec->tasks[task.task].type),
                .attempt = task.attempt,
                .error = "",
                .datasets = {}};
    const std::string own = std::to_string(task.task) + "/" + std::to_string(task.attempt);
    const bool has_ended = is_end(task.state) || task.state == TaskState::retrying;
    if ((task.state == TaskState::running || has_ended) && is_new(run.id, own + " START")) tell(event, "");
    if (!has_ended || task.state == TaskState::upstream_failed || !is_new(run.id, own + " END")) return;
    event.at = task.ended.value_or(*task.began);
    const bool has_failed =
        task.state == TaskState::failed || task.state == TaskState::timed_out || task.state == TaskState::retrying;
    event.type = is_success(task.state) ? "COMPLETE" : has_failed ? "FAIL" : "ABORT";
    if (has_failed) event.error = task.why.empty() ? "it has failed" : task.why;
    tell(std::move(event), task.outputs);
}

}  // namespace shaduf::observe
