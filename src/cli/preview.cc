#include "pipeline/preview.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/frame/rows.h"
#include "cli/frame/session.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"stream", ArgumentKind::positional, "CONNECTION.STREAM, or PIPELINE.STREAM for its options.", true},
    {"rows", ArgumentKind::option, "How many rows to show.", false, "10"},
};

struct Chosen {
    const ConnectionConfig* connection = nullptr;
    StreamRequest request;
    Shape shape;
};

// A stream of a pipeline is read with the options that stand there; one of a connection with defaults.
Result<Chosen> choose(const Project& project, Session& session, const Selection& selection) {
    Chosen chosen;
    // Of a pipeline with `via`, the rows of its source.
    const auto named = project.pipelines_of(selection.first);
    if (const PipelineConfig* pipeline = named.empty() ? nullptr : named.front()) {
        std::vector<std::string> known;
        for (const StreamConfig& stream : pipeline->streams) {
            known.push_back(stream.name);
            if (stream.name != selection.second && !(selection.second.empty() && pipeline->streams.size() == 1))
                continue;
            chosen.connection = project.connection(pipeline->source);
            chosen.request = {pipeline->source, stream.name, ReadMode::full_refresh, stream.source_options};
            chosen.shape.nesting = stream.nested;
            return chosen;
        }
        return Error(ErrorKind::invalid_config,
                     "stream not found: " + selection.second + did_you_mean(selection.second, known))
            .at(pipeline->place);
    }
    chosen.connection = project.connection(selection.first);
    chosen.request = {selection.first, selection.second, ReadMode::full_refresh, {}};
    const auto errors =
        Options::create(session.connector_of(*chosen.connection).stream_fields, Node(), {}, chosen.request.options);
    if (!errors.empty()) return errors.front();
    return chosen;
}

int run_preview(Session& session) {
    const auto selection = Selection::parse(session.arguments().text("stream"));
    const int64_t count = session.arguments().integer("rows", -1);
    if (count < 1 || count > 100'000) return session.misuse("--rows: expected 1 to 100000");
    const Project* project = session.open_project_for(selection.first);
    if (project == nullptr) return kExitMisused;
    auto chosen = choose(*project, session, selection);
    if (!chosen.ok()) return session.fail(chosen.error());
    const ConnectorSpec& spec = session.connector_of(*chosen.value().connection);
    if (spec.make_source == nullptr) {
        return session.misuse("cannot be read from: " + selection.first + " is of type " + std::string(spec.name));
    }
    auto source = spec.make_source(chosen.value().connection->options, chosen.value().request);
    if (!source.ok()) return session.fail(source.error());
    auto rows = read_first_rows(session.world(), *source.value(), chosen.value().shape, static_cast<size_t>(count));
    if (!rows.ok()) return session.fail(rows.error().at(Place::in_stream(selection.first, selection.second)));
    std::vector<RecordBatch> batches;
    if (rows.value()) batches.push_back(std::move(*rows.value()));
    print_rows(batches, session.json() ? RowFormat::json : RowFormat::table, session.out());
    return kExitDone;
}

}  // namespace

extern const CommandSpec command_preview{.name = "preview",
                                         .summary = "Show a few rows of a stream, as they come.",
                                         .arguments = kArguments,
                                         .run = run_preview,
                                         .example = "shaduf preview blog.posts --rows 5"};

}  // namespace shaduf
