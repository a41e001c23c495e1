#include "pipeline/run.h"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <future>
#include <iterator>
#include <map>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/frame/models_after_loads.h"
#include "cli/frame/progress.h"
#include "cli/frame/session.h"
#include "cli/frame/table.h"
#include "connectors/store.h"
#include "flow/pipeline_tables.h"

namespace shaduf {
namespace {

constexpr std::string_view kHalves[] = {"producer", "consumer"};
constexpr ArgumentSpec kArguments[] = {
    {"select", ArgumentKind::positional_list,
     "PIPELINE or PIPELINE.STREAM, with the models that read them; all unless given."},
    {"half",
     ArgumentKind::option,
     "Of pipelines with via, run one half alone: the producer, into the topics, or the consumer, out of them.",
     false,
     {},
     kHalves},
    {"quiet", ArgumentKind::flag, "Show no progress, only the summary."},
};
constexpr size_t kReasonsMax = 10;

using Pipelines = std::vector<const PipelineConfig*>;
using StreamsByPipeline = std::map<std::string, std::vector<std::string>>;

struct PipelineResult {
    const PipelineConfig* pipeline;
    RunSummary summary;
    std::optional<Error> error;  // before any stream began
};

std::string state_of(const StreamResult& stream) {
    if (!stream.error) return stream.was_stopped ? "stopped" : "done";
    return stream.error->kind() == ErrorKind::canceled ? "canceled" : "failed";
}

std::chrono::nanoseconds duration_of(double seconds) {
    return std::chrono::nanoseconds(static_cast<int64_t>(seconds * 1e9));
}

void write_stream(const StreamResult& stream, JsonWriter& json) {
    const StreamProgress& progress = stream.progress;
    json.begin_object().field("pipeline", progress.pipeline).field("stream", progress.stream);
    json.field("table", progress.table).field("state", state_of(stream)).field("read", progress.rows_read);
    json.field("written", progress.rows_written).field("quarantined", progress.rows_quarantined);
    json.field("bytes", progress.bytes_read).field("warnings", progress.warnings).field("retries", progress.retries);
    json.key("seconds").number(progress.seconds).key("reasons").begin_object();
    for (const auto& [reason, rows] : stream.reasons) json.field(reason, rows);
    json.end_object();
    if (!stream.warnings.empty()) {
        json.key("warned").begin_array();
        for (const auto& warning : stream.warnings) json.text(warning);
        json.end_array();
    }
    if (stream.error) {
        json.field("error", stream.error->to_string()).field("error_kind", to_string(stream.error->kind()));
    }
    json.end_object();
}

void write_models(const ModelsRun& run, JsonWriter& json) {
    json.key("models").begin_array();
    for (const models::NodeOutcome& outcome : run.outcomes) {
        json.begin_object().field("id", outcome.unique_id).field("status", to_string(outcome.status));
        json.field("message", outcome.message).key("seconds").number(outcome.seconds).end_object();
    }
    json.end_array().key("held_back").begin_array();
    for (const std::string& id : run.held_back) json.text(id);
    json.end_array();
}

void print_json(const std::vector<PipelineResult>& results, const std::optional<ModelsRun>& models, bool ok,
                std::ostream& out) {
    JsonWriter json;
    json.begin_object().key("ok").boolean(ok).key("streams").begin_array();
    for (const auto& result : results) {
        for (const StreamResult& stream : result.summary.streams) write_stream(stream, json);
    }
    json.end_array().key("errors").begin_array();
    for (const auto& result : results) {
        if (result.error) json.text(result.error->to_string());
    }
    json.end_array();
    if (models) write_models(*models, json);
    out << json.end_object().str() << "\n";
}

void print_streams(const std::vector<PipelineResult>& results, std::ostream& out) {
    Table table({{"stream"},
                 {"table"},
                 {"read", Align::right},
                 {"written", Align::right},
                 {"quarantined", Align::right},
                 {"rows/s", Align::right},
                 {"bytes", Align::right},
                 {"elapsed", Align::right},
                 {"state"}});
    for (const auto& result : results) {
        for (const StreamResult& stream : result.summary.streams) {
            const StreamProgress& progress = stream.progress;
            const double rate = progress.seconds > 0 ? static_cast<double>(progress.rows_read) / progress.seconds : 0;
            table.add_row({progress.pipeline + "." + progress.stream, progress.table, format_count(progress.rows_read),
                           format_count(progress.rows_written), format_count(progress.rows_quarantined),
                           format_count(static_cast<int64_t>(rate)),
                           format_bytes(static_cast<uint64_t>(progress.bytes_read)),
                           format_duration(duration_of(progress.seconds)), state_of(stream)});
        }
    }
    if (table.rows() > 0) table.print(out);
}

void print_reasons(const std::vector<PipelineResult>& results, std::ostream& out) {
    Table table({{"quarantined", Align::right}, {"from"}, {"why"}});
    size_t left_out = 0;
    for (const auto& result : results) {
        for (const StreamResult& stream : result.summary.streams) {
            size_t shown = 0;
            for (const auto& [reason, rows] : stream.reasons) {
                if (++shown > kReasonsMax) {
                    ++left_out;
                    continue;
                }
                table.add_row({format_count(rows), stream.progress.pipeline + "." + stream.progress.stream, reason});
            }
        }
    }
    if (table.rows() == 0) return;
    out << "\n";
    table.print(out, 100);
    if (left_out > 0) out << "... and " << left_out << " more reasons: see shaduf quarantine ls\n";
}

bool can_be_queried(const Session& session, const Project& project) {
    const ConnectionConfig* warehouse = project.connection("warehouse");
    const ConnectorSpec* spec = warehouse == nullptr ? nullptr : &session.connector_of(*warehouse);
    if (spec == nullptr || spec->make_store == nullptr) return false;
    const auto store = spec->make_store(warehouse->options, warehouse->name);
    return store.ok() && store.value()->reader() != nullptr;
}

void print_next(const Session& session, const Project& project, const std::vector<PipelineResult>& results,
                std::ostream& out) {
    bool any_quarantined = false;
    bool any_failed = false;
    std::string table;
    for (const auto& result : results) {
        any_failed |= result.error.has_value();
        for (const StreamResult& stream : result.summary.streams) {
            any_quarantined |= stream.progress.rows_quarantined > 0;
            any_failed |= stream.error.has_value();
            const bool in_warehouse = result.pipeline->sink == project.warehouse || project.warehouse.empty();
            if (!table.empty() || stream.error || !in_warehouse) continue;
            table = stream.progress.table;
        }
    }
    out << "\nnext:\n";
    if (!table.empty() && can_be_queried(session, project)) {
        out << "  shaduf query \"SELECT * FROM " << table << " LIMIT 10\"\n";
    }
    if (any_quarantined) out << "  shaduf quarantine ls\n";
    if (any_failed) out << "  shaduf run, once the cause is gone: it goes on behind the last commit\n";
    out << "  shaduf state ls\n";
}

void print_loads(Session& session, const std::vector<PipelineResult>& results) {
    print_streams(results, session.out());
    print_reasons(results, session.out());
    for (const auto& result : results) {
        if (result.error) session.errors() << "error: " << result.error->to_string() << "\n";
        for (const StreamResult& stream : result.summary.streams) {
            const std::string place = stream.progress.pipeline + "." + stream.progress.stream + ": ";
            for (const auto& warning : stream.warnings) session.errors() << "warning: " << place << warning << "\n";
            if (stream.error) session.errors() << "error: " << place << stream.error->to_string() << "\n";
        }
    }
    session.out() << std::flush;
}

void print_summary(const std::vector<PipelineResult>& results, const ModelsRun& models, std::ostream& out) {
    size_t streams = 0, loaded = 0;
    for (const auto& result : results) {
        for (const StreamResult& stream : result.summary.streams) loaded += stream.error ? 0 : 1;
        streams += result.error ? result.pipeline->streams.size() : result.summary.streams.size();
    }
    out << "\n"
        << loaded << " of " << streams << (streams == 1 ? " stream" : " streams") << " loaded; " << models.done()
        << " of " << models.outcomes.size() + models.held_back.size() << " models, seeds, snapshots and tests done\n";
}

// What the user selected, by pipeline; an empty list is all streams.
StreamsByPipeline selected(const Session& session) {
    StreamsByPipeline by_pipeline;
    for (const std::string& text : session.arguments().texts("select")) {
        const Selection selection = Selection::parse(text);
        auto& streams = by_pipeline[selection.first];
        if (!selection.second.empty()) streams.push_back(selection.second);
    }
    return by_pipeline;
}

std::vector<Error> check_streams(const Project& project, const StreamsByPipeline& selection) {
    std::vector<Error> errors;
    for (const auto& [name, streams] : selection) {
        const PipelineConfig* pipeline = project.pipeline(name);
        std::vector<std::string> known;
        for (const StreamConfig& stream : pipeline->streams) known.push_back(stream.name);
        for (const auto& stream : streams) {
            if (std::find(known.begin(), known.end(), stream) != known.end()) continue;
            errors.push_back(
                Error(ErrorKind::invalid_config, "stream not found: " + stream + did_you_mean(stream, known))
                    .at(Place::in_file(pipeline->file, 0)));
        }
    }
    return errors;
}

int status_of(const std::vector<PipelineResult>& results) {
    int status = kExitDone;
    const auto add = [&](const Error& error) {
        status = std::max(status, error.kind() == ErrorKind::invalid_config ? kExitMisused : kExitFailed);
    };
    for (const auto& result : results) {
        if (result.error) add(*result.error);
        for (const StreamResult& stream : result.summary.streams) {
            if (stream.error) add(*stream.error);
        }
    }
    return status;
}

// Whether rows that a stream of this pipeline was to read have not reached the topics.
bool producer_failed(const std::vector<PipelineResult>& results, const PipelineConfig& pipeline,
                     const std::string& stream) {
    return std::any_of(results.begin(), results.end(), [&](const PipelineResult& other) {
        if (other.pipeline->half != PipelineHalf::producer || other.pipeline->title != pipeline.title) return false;
        const auto& ran = other.summary.streams;
        return other.error || std::any_of(ran.begin(), ran.end(), [&](const StreamResult& candidate) {
                   return candidate.progress.stream == stream && candidate.error;
               });
    });
}

std::vector<models::LoadedTable> loaded_tables(const Project& project, const std::vector<PipelineResult>& results) {
    std::vector<models::LoadedTable> tables;
    for (const auto& result : results) {
        if (result.pipeline->half == PipelineHalf::producer) continue;
        const std::string schema = schema_of(project, *result.pipeline);
        for (const StreamConfig& stream : result.pipeline->streams) {
            const auto& ran = result.summary.streams;
            const auto found = std::find_if(ran.begin(), ran.end(), [&](const StreamResult& candidate) {
                return candidate.progress.stream == stream.name;
            });
            // Of a pipeline that runs in part, what was not asked for is as it was.
            if (found == ran.end() && !result.error) continue;
            const bool is_loaded =
                found != ran.end() && !found->error && !producer_failed(results, *result.pipeline, stream.name);
            tables.push_back({schema, stream.table, is_loaded});
        }
    }
    return tables;
}

bool runs_for_ever(const PipelineConfig& pipeline, const StreamsByPipeline& selection) {
    const auto found = selection.find(pipeline.title);
    return std::any_of(pipeline.streams.begin(), pipeline.streams.end(), [&](const StreamConfig& stream) {
        const bool is_wanted =
            found == selection.end() || found->second.empty() ||
            std::find(found->second.begin(), found->second.end(), stream.name) != found->second.end();
        return is_wanted && stream.mode == ReadMode::stream;
    });
}

PipelineResult run_one(Session& session, RunContext& world, const Project& project, const PipelineConfig& pipeline,
                       const StreamsByPipeline& selection) {
    RunOptions options;
    if (const auto found = selection.find(pipeline.title); found != selection.end()) options.streams = found->second;
    PipelineResult result{&pipeline, {}, std::nullopt};
    auto summary = run_pipeline(world, project, pipeline, session.connectors(), options);
    if (summary.ok()) {
        result.summary = summary.release_value();
    } else {
        result.error = summary.release_error();
    }
    return result;
}

// Those that end, one behind the other.
std::vector<PipelineResult> run_pipelines(Session& session, RunContext& world, const Project& project,
                                          const Pipelines& pipelines, const StreamsByPipeline& selection) {
    std::vector<PipelineResult> results;
    for (const PipelineConfig* pipeline : pipelines) {
        if (runs_for_ever(*pipeline, selection)) continue;
        if (world.cancellation.canceled()) break;
        results.push_back(run_one(session, world, project, *pipeline, selection));
    }
    return results;
}

// Those that do not, all at once, until the run is stopped or each has failed.
class EndlessRuns {
public:
    EndlessRuns(Session& session, RunContext& world, const Project& project, const StreamsByPipeline& selection)
        : session_(session), world_(world), project_(project), selection_(selection) {}

    void start(const Pipelines& pipelines, const std::function<bool(PipelineHalf)>& is_meant) {
        for (const PipelineConfig* pipeline : pipelines) {
            if (!is_meant(pipeline->half) || !runs_for_ever(*pipeline, selection_)) continue;
            if (world_.cancellation.canceled()) return;
            running_.push_back(std::async(std::launch::async, [this, pipeline] {
                return run_one(session_, world_, project_, *pipeline, selection_);
            }));
        }
    }
    std::vector<PipelineResult> wait() {
        std::vector<PipelineResult> results;
        for (auto& one : running_) results.push_back(one.get());
        return results;
    }

private:
    Session& session_;
    RunContext& world_;
    const Project& project_;
    const StreamsByPipeline& selection_;
    std::vector<std::future<PipelineResult>> running_;
};

// All that were read, or of those with `via` one half.
Result<Pipelines> wanted_pipelines(const Session& session, const Project& project, const StreamsByPipeline& selection) {
    const std::string half = session.arguments().text("half");
    const auto wanted = half == "producer" ? PipelineHalf::producer : PipelineHalf::consumer;
    Pipelines pipelines;
    for (const PipelineConfig& pipeline : project.pipelines) {
        if (half.empty() || pipeline.half == wanted) pipelines.push_back(&pipeline);
        if (half.empty() || pipeline.half != PipelineHalf::whole || selection.empty()) continue;
        return Error(ErrorKind::invalid_config, "pipeline has no halves: " + pipeline.name + "; leave out --half")
            .at(pipeline.place);
    }
    if (pipelines.empty() && !half.empty()) {
        return Error(ErrorKind::invalid_config, "no pipeline has halves: none has via; leave out --half");
    }
    return pipelines;
}

int run_run(Session& session) {
    const auto selection = selected(session);
    ProjectRequest request;
    for (const auto& [pipeline, streams] : selection) request.pipelines.push_back(pipeline);
    const Project* project = session.open_project(std::move(request));
    if (project == nullptr) return kExitMisused;
    if (const auto errors = check_streams(*project, selection); !errors.empty()) return session.fail(errors);
    const auto wanted = wanted_pipelines(session, *project, selection);
    if (!wanted.ok()) return session.fail(wanted.error());
    const Pipelines& pipelines = wanted.value();

    const bool quiet = session.json() || session.arguments().flag("quiet");
    const bool live = ::isatty(STDERR_FILENO) == 1;
    LoadProgress progress(session.errors(), quiet  ? ProgressStyle::quiet
                                            : live ? ProgressStyle::live
                                                   : ProgressStyle::plain);
    RunContext& world = session.world(&progress);
    EndlessRuns endless_runs(session, world, *project, selection);
    // Consumers begin beside their producers, what reads other sources when the loads before are done.
    endless_runs.start(pipelines, [](PipelineHalf half) { return half == PipelineHalf::consumer; });
    auto results = run_pipelines(session, world, *project, pipelines, selection);
    int status = status_of(results);
    if (!session.json()) print_loads(session, results);
    std::optional<ModelsRun> models;
    if (has_models() && !world.cancellation.canceled()) {
        models::Console console(session.json() ? session.errors() : session.out(), session.errors());
        if (!quiet && !results.empty()) session.out() << "\n";
        const auto readers = selection.empty() ? models::Readers::all : models::Readers::of_the_loads;
        models = run_models_after(session, loaded_tables(*project, results), tables_of_warehouse(*project), readers,
                                  console, quiet);
        status = std::max(status, models->status);
    }
    endless_runs.start(pipelines, [](PipelineHalf half) { return half != PipelineHalf::consumer; });
    auto endless = endless_runs.wait();
    status = std::max(status, status_of(endless));
    if (!session.json() && !endless.empty()) print_loads(session, endless);
    std::move(endless.begin(), endless.end(), std::back_inserter(results));
    if (session.json()) {
        print_json(results, models, status == kExitDone, session.out());
    } else if (results.empty() && !models) {
        session.out() << "nothing to run: write a pipeline into pipelines/NAME.yml\n";
    } else {
        if (models) print_summary(results, *models, session.out());
        print_next(session, *project, results, session.out());
    }
    return status;
}

}  // namespace

extern const CommandSpec command_run{
    .name = "run",
    .summary = "Move what is new, from the sources to the sinks, and build the models on it.",
    .arguments = kArguments,
    .run = run_run,
    .example = "shaduf run blog shop.orders"};

}  // namespace shaduf
