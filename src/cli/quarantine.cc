#include <optional>

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/frame/rows.h"
#include "cli/frame/session.h"
#include "cli/frame/sinks.h"
#include "cli/frame/table.h"
#include "pipeline/replay.h"

namespace shaduf {
namespace {

constexpr std::string_view kActions[] = {"ls", "show", "replay", "purge"};
constexpr ArgumentSpec kArguments[] = {
    {"action",
     ArgumentKind::positional,
     "ls: the rejected rows; show: one, whole; replay: send them through again; purge: remove some for good.",
     true,
     {},
     kActions},
    {"select", ArgumentKind::positional, "PIPELINE or PIPELINE.STREAM; all unless given."},
    {"id", ArgumentKind::option, "One row, by its id."},
    {"text", ArgumentKind::option, "replay: the mended row, as JSON or CSV, in place of the one with --id."},
    {"limit", ArgumentKind::option, "How many rows to show.", false, "100"},
    {"all", ArgumentKind::flag, "purge: really all that is selected, without an id."},
};

// Both halves of a pipeline with `via` may have turned rows away.
std::vector<QuarantineFilter> filters_of(const Session& session, const Selection& selection) {
    QuarantineFilter filter;
    filter.pipeline = selection.first;
    filter.stream = selection.second;
    if (session.arguments().has("id")) filter.ids = {session.arguments().text("id")};
    if (filter.pipeline.empty()) return {filter};
    QuarantineFilter of_producer = filter;
    of_producer.pipeline += kProducerSuffix;
    return {of_producer, filter};
}

int show(Session& session, const std::vector<RecordBatch>& batches) {
    for (const RecordBatch& batch : batches) {
        for (size_t row = 0; row < batch.rows(); ++row) {
            for (size_t i = 0; i < batch.columns().size(); ++i) {
                session.out() << (*batch.schema())[i].name << ": " << format_value(batch.column(i), row) << "\n";
            }
            session.out() << "\n";
        }
    }
    return kExitDone;
}

int list(Session& session, const std::vector<RecordBatch>& batches) {
    Table table({{"id"}, {"stream"}, {"position"}, {"why"}, {"raw"}});
    for (const RecordBatch& batch : batches) {
        const auto cell = [&](std::string_view name, size_t row) {
            const auto index = batch.schema()->index_of(name);
            return index ? format_value(batch.column(*index), row) : std::string();
        };
        for (size_t row = 0; row < batch.rows(); ++row) {
            table.add_row({cell("id", row), cell("pipeline", row) + "." + cell("stream", row), cell("position", row),
                           cell("reason", row), cell("raw", row)});
        }
    }
    table.print(session.out(), 70);
    session.out() << "\n" << format_count(static_cast<int64_t>(table.rows())) << " rows\n";
    return kExitDone;
}

int purge(Session& session, const std::vector<OpenSink>& sinks, const std::vector<QuarantineFilter>& filters) {
    if (filters.front().ids.empty() && !session.arguments().flag("all")) {
        return session.misuse("quarantine purge needs an --id, or --all");
    }
    int64_t count = 0;
    for (const OpenSink& sink : sinks) {
        if (sink.store->quarantine() == nullptr) continue;
        for (const QuarantineFilter& filter : filters) {
            const auto purged = sink.store->quarantine()->purge_quarantine(session.world(), filter);
            if (!purged.ok()) return session.fail(purged.error());
            count += purged.value();
        }
    }
    if (session.json()) {
        session.out() << JsonWriter().begin_object().field("purged", count).end_object().str() << "\n";
    } else {
        session.out() << "purged: " << format_count(count) << (count == 1 ? " row\n" : " rows\n");
    }
    return kExitDone;
}

void print_replayed(Session& session, const StreamResult& result) {
    const StreamProgress& progress = result.progress;
    if (session.json()) {
        JsonWriter json;
        json.begin_object().field("pipeline", progress.pipeline).field("stream", progress.stream);
        json.field("written", progress.rows_written).field("quarantined", progress.rows_quarantined);
        session.out() << json.end_object().str() << "\n";
        return;
    }
    session.out() << progress.pipeline << "." << progress.stream << ": " << format_count(progress.rows_written)
                  << " rows written, " << format_count(progress.rows_quarantined) << " rejected again\n";
    for (const auto& [reason, rows] : result.reasons)
        session.out() << "  " << format_count(rows) << "  " << reason << "\n";
}

// Sends rows of one stream through again. The status of the process; nullopt: go on.
std::optional<int> replay_stream(Session& session, const Project& project, const PipelineConfig& pipeline,
                                 const ReplayOptions& options, int& status) {
    const auto result = replay_quarantine(session.world(), project, pipeline, session.connectors(), options);
    if (!result.ok()) return session.fail(result.error());
    StreamResult replayed = Result<StreamResult>(result).release_value();
    print_replayed(session, replayed);
    if (replayed.error) status = session.fail(*replayed.error);
    return std::nullopt;
}

// Of the halves of a pipeline with `via`, those whose quarantine has one of the rows; all when none has.
Result<std::vector<const PipelineConfig*>> halves_with(Session& session, const Project& project,
                                                       const std::string& title, const std::vector<std::string>& ids) {
    const auto all = project.pipelines_of(title);
    if (all.size() < 2 || ids.empty()) return all;
    std::vector<const PipelineConfig*> found;
    for (const PipelineConfig* pipeline : all) {
        const ConnectionConfig& sink = *project.connection(pipeline->sink);
        const ConnectorSpec& spec = session.connector_of(sink);
        auto store = spec.make_store == nullptr ? nullptr : TRY(spec.make_store(sink.options, sink.name));
        if (store == nullptr || store->quarantine() == nullptr) continue;
        QuarantineFilter filter;
        filter.pipeline = pipeline->name;
        filter.ids = ids;
        if (TRY(store->quarantine()->read_quarantine(session.world(), filter)).rows() > 0) found.push_back(pipeline);
    }
    return found.empty() ? all : found;
}

int replay(Session& session, const Selection& selection, const std::vector<std::string>& ids) {
    if (selection.first.empty()) return session.misuse("quarantine replay needs a PIPELINE or PIPELINE.STREAM");
    const Project* project = session.open_project_for(selection.first);
    if (project == nullptr) return kExitMisused;
    if (project->pipelines_of(selection.first).empty()) {
        return session.misuse("pipeline not found: " + selection.first +
                              did_you_mean(selection.first, project->pipeline_names));
    }
    const auto pipelines = halves_with(session, *project, selection.first, ids);
    if (!pipelines.ok()) return session.fail(pipelines.error());
    int status = kExitDone;
    for (const PipelineConfig* pipeline : pipelines.value()) {
        for (const StreamConfig& stream : pipeline->streams) {
            if (!selection.has(pipeline->name, stream.name)) continue;
            ReplayOptions options{stream.name, ids, std::nullopt};
            if (session.arguments().has("text")) options.text = session.arguments().text("text");
            if (const auto ended = replay_stream(session, *project, *pipeline, options, status)) return *ended;
        }
    }
    return status;
}

int run_quarantine(Session& session) {
    const std::string action = session.arguments().text("action");
    const Selection selection = Selection::parse(session.arguments().text("select"));
    std::vector<QuarantineFilter> filters = filters_of(session, selection);
    if (action == "replay") return replay(session, selection, filters.front().ids);
    auto sinks = open_sinks(session, selection.first);
    if (!sinks.ok()) return kExitMisused;
    if (action == "purge") return purge(session, sinks.value(), filters);
    for (QuarantineFilter& filter : filters) filter.limit = session.arguments().integer("limit", 100);
    std::vector<RecordBatch> batches;
    for (const OpenSink& sink : sinks.value()) {
        if (sink.store->quarantine() == nullptr) continue;
        for (const QuarantineFilter& filter : filters) {
            auto rows = sink.store->quarantine()->read_quarantine(session.world(), filter);
            if (!rows.ok()) return session.fail(rows.error());
            if (rows.value().rows() > 0) batches.push_back(rows.release_value());
        }
    }
    if (session.json()) {
        print_rows(batches, RowFormat::json, session.out());
        return kExitDone;
    }
    return action == "show" ? show(session, batches) : list(session, batches);
}

}  // namespace

extern const CommandSpec command_quarantine{
    .name = "quarantine",
    .summary = "Show, replay or remove rows that were rejected, with the reason.",
    .arguments = kArguments,
    .run = run_quarantine,
    .example = "shaduf quarantine ls events"};

}  // namespace shaduf
