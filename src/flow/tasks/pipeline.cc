#include <algorithm>
#include <future>

#include "base/json_writer.h"
#include "base/text.h"
#include "flow/pipeline_tables.h"
#include "flow/task_type.h"
#include "jinja/template.h"
#include "pipeline/run.h"

namespace shaduf {
namespace {

using How = TaskOutcome::How;

constexpr FieldSpec kFields[] = {
    {.name = "pipeline", .help = "The pipeline: a file of pipelines/, without .yml.", .required = true},
    {.name = "streams", .type = FieldType::text_list, .help = "Which streams; all unless given."},
    {.name = "warn_on_quarantine",
     .type = FieldType::boolean,
     .help = "Whether rows that went to quarantine are a warning.",
     .default_value = "false"},
};

std::vector<Error> check(const Options& options, const Project& project) {
    const std::string title = options.text("pipeline");
    if (jinja::has_tags(title)) return {};
    const auto& known = project.pipeline_names;
    if (std::find(known.begin(), known.end(), title) == known.end()) {
        return {options.error("pipeline", "pipeline not found: " + title + did_you_mean(title, known))};
    }
    std::vector<std::string> streams;
    for (const PipelineConfig* pipeline : project.pipelines_of(title)) {
        for (const StreamConfig& stream : pipeline->streams) streams.push_back(stream.name);
    }
    std::vector<Error> errors;
    for (const std::string& stream : options.text_list("streams")) {
        if (jinja::has_tags(stream) || std::find(streams.begin(), streams.end(), stream) != streams.end()) continue;
        errors.push_back(options.error("streams", "stream not found: " + stream + did_you_mean(stream, streams)));
    }
    return errors;
}

// What has come of all halves of a pipeline.
class Loads {
public:
    void add(const Project& project, const PipelineConfig& pipeline, const RunSummary& summary) {
        const bool is_last = pipeline.half != PipelineHalf::producer;
        for (const StreamResult& stream : summary.streams) {
            read += stream.progress.rows_read;
            quarantined += stream.progress.rows_quarantined;
            warnings.insert(warnings.end(), stream.warnings.begin(), stream.warnings.end());
            if (stream.error) {
                ++failed;
                const bool is_worse = !error || error->kind() == ErrorKind::canceled;
                if (is_worse) error = stream.error;
                continue;
            }
            if (!is_last) continue;
            written += stream.progress.rows_written;
            for (const StreamConfig& config : pipeline.streams) {
                if (config.name != stream.progress.stream || stream.was_stopped) continue;
                tables.push_back(to_lower(schema_of(project, pipeline) + "." + config.table));
            }
        }
        streams += summary.streams.size();
    }
    std::string values() const {
        JsonWriter json;
        json.begin_object().field("rows_read", read).field("rows_written", written);
        json.field("rows_quarantined", quarantined).end_object();
        return json.str();
    }

    int64_t read = 0, written = 0, quarantined = 0;
    size_t streams = 0, failed = 0;
    std::vector<std::string> warnings;
    std::vector<std::string> tables;
    std::optional<Error> error;
};

TaskOutcome outcome_of(const Loads& loads, const Options& options, const TaskTry& task) {
    TaskOutcome outcome;
    outcome.values = loads.values();
    outcome.tables = loads.tables;
    if (loads.error) {
        const bool was_stopped = task.run.cancellation.canceled() || loads.error->kind() == ErrorKind::canceled;
        outcome.how = was_stopped ? How::stopped : How::failed;
        outcome.error = loads.error;
        outcome.why = std::to_string(loads.failed) + " of " + std::to_string(loads.streams) +
                      " streams failed: " + loads.error->to_string();
    } else if (task.run.cancellation.canceled()) {
        outcome.how = How::stopped;
    } else if (!loads.warnings.empty()) {
        outcome.how = How::warned;
        outcome.why = loads.warnings.front();
    } else if (loads.quarantined > 0 && options.boolean("warn_on_quarantine")) {
        outcome.how = How::warned;
        outcome.why = format_count(loads.quarantined) + " rows are in quarantine; see shaduf quarantine ls";
    }
    return outcome;
}

TaskOutcome run(const Options& options, TaskTry& task) {
    const std::string title = options.text("pipeline");
    const auto halves = task.project.pipelines_of(title);
    TaskOutcome wrong;
    wrong.how = How::failed;
    if (halves.empty()) {
        wrong.error = options.error("pipeline",
                                    "pipeline not found: " + title + did_you_mean(title, task.project.pipeline_names));
        return wrong;
    }
    RunOptions run_options;
    run_options.streams = options.text_list("streams");
    const auto load = [&](const PipelineConfig& pipeline) {
        return run_pipeline(task.run, task.project, pipeline, task.connectors, run_options);
    };
    std::vector<Result<RunSummary>> summaries;
    if (halves.size() == 2 && is_endless(task.project, title)) {
        // A consumer that never ends reads while its producer writes.
        auto consumer = std::async(std::launch::async, [&] { return load(*halves.back()); });
        summaries.push_back(load(*halves.front()));
        summaries.push_back(consumer.get());
    } else {
        for (const PipelineConfig* pipeline : halves) {
            if (!task.run.cancellation.canceled()) summaries.push_back(load(*pipeline));
        }
    }
    Loads loads;
    for (size_t i = 0; i < summaries.size(); ++i) {
        if (!summaries[i].ok()) {
            wrong.error = summaries[i].error();
            wrong.how = wrong.error->kind() == ErrorKind::canceled ? How::stopped : How::failed;
            return wrong;
        }
        loads.add(task.project, *halves[i], summaries[i].value());
    }
    return outcome_of(loads, options, task);
}

}  // namespace

extern const TaskTypeSpec task_pipeline;
const TaskTypeSpec task_pipeline{
    .name = "pipeline", .summary = "Loads what is new by a pipeline.", .fields = kFields, .check = check, .run = run};

}  // namespace shaduf
