#include <set>

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/frame/session.h"
#include "cli/frame/sinks.h"
#include "cli/frame/table.h"

namespace shaduf {
namespace {

constexpr std::string_view kActions[] = {"ls", "show", "reset"};
constexpr std::string_view kHalves[] = {"producer", "consumer"};
constexpr ArgumentSpec kArguments[] = {
    {"action",
     ArgumentKind::positional,
     "ls: all; show: one, whole; reset: forget one, so that it is read anew.",
     true,
     {},
     kActions},
    {"select", ArgumentKind::positional, "PIPELINE, or PIPELINE.STREAM."},
    {"half",
     ArgumentKind::option,
     "reset, of a pipeline with via: the producer's, so that the source is read anew into the topics, or the "
     "consumer's, so that the topics are read anew.",
     false,
     {},
     kHalves},
};
constexpr size_t kShownWidth = 60;

int print(Session& session, const std::vector<CheckpointEntry>& entries) {
    if (session.json()) {
        JsonWriter json;
        json.begin_array();
        for (const auto& entry : entries) {
            json.begin_object().field("pipeline", entry.pipeline).field("stream", entry.stream);
            json.field("checkpoint", entry.checkpoint.value()).field("committed_at", entry.committed_at).end_object();
        }
        session.out() << json.end_array().str() << "\n";
        return kExitDone;
    }
    const bool whole = session.arguments().text("action") == "show";
    Table table({{"pipeline"}, {"stream"}, {"committed at"}, {"checkpoint"}});
    for (const auto& entry : entries) {
        table.add_row({entry.pipeline, entry.stream, entry.committed_at, entry.checkpoint.value()});
    }
    table.print(session.out(), whole ? size_t{1} << 20U : kShownWidth);
    return kExitDone;
}

bool is_of_half(const std::string& pipeline, const std::string& half) {
    return half.empty() || pipeline.ends_with(kProducerSuffix) == (half == "producer");
}

int reset(Session& session, const std::vector<OpenSink>& sinks, const Selection& selection) {
    const std::string half = session.arguments().text("half");
    int64_t count = 0;
    for (const OpenSink& sink : sinks) {
        auto* checkpoints = sink.store->checkpoints();
        if (checkpoints == nullptr) continue;
        auto entries = checkpoints->list_checkpoints(session.world());
        if (!entries.ok()) return session.fail(entries.error());
        for (const auto& entry : entries.value()) {
            if (!selection.has(entry.pipeline, entry.stream) || !is_of_half(entry.pipeline, half)) continue;
            const auto done = checkpoints->set_checkpoint(session.world(), entry.pipeline, entry.stream, std::nullopt);
            if (!done.ok()) return session.fail(done.error());
            ++count;
        }
    }
    if (session.json()) {
        session.out() << JsonWriter().begin_object().field("forgotten", count).end_object().str() << "\n";
    } else {
        session.out() << "forgotten: " << count << (count == 1 ? " checkpoint" : " checkpoints")
                      << "; the next run reads anew\n";
    }
    return kExitDone;
}

int run_state(Session& session) {
    const std::string action = session.arguments().text("action");
    const Selection selection = Selection::parse(session.arguments().text("select"));
    if (action != "ls" && selection.first.empty()) {
        return session.misuse("state " + action + " needs a PIPELINE or a PIPELINE.STREAM");
    }
    auto sinks = open_sinks(session, selection.first);
    if (!sinks.ok()) return kExitMisused;
    if (action == "reset") {
        const bool has_halves = session.project()->pipelines_of(selection.first).size() > 1;
        if (has_halves && !session.arguments().has("half")) {
            return session.misuse("pipeline has two halves: " + selection.first +
                                  "; give --half producer (the source is read anew) or --half consumer (the topics "
                                  "are read anew)");
        }
        return reset(session, sinks.value(), selection);
    }
    std::vector<CheckpointEntry> entries;
    for (const OpenSink& sink : sinks.value()) {
        if (sink.store->checkpoints() == nullptr) continue;
        auto listed = sink.store->checkpoints()->list_checkpoints(session.world());
        if (!listed.ok()) return session.fail(listed.error());
        for (auto& entry : listed.value()) {
            if (selection.has(entry.pipeline, entry.stream)) entries.push_back(std::move(entry));
        }
    }
    return print(session, entries);
}

}  // namespace

extern const CommandSpec command_state{.name = "state",
                                       .summary = "Show or forget how far each stream has been read.",
                                       .arguments = kArguments,
                                       .run = run_state,
                                       .example = "shaduf state reset blog.posts"};

}  // namespace shaduf
