#include "base/json_writer.h"
#include "base/run_context.h"
#include "cli/command.h"
#include "cli/frame/archives.h"
#include "cli/frame/session.h"
#include "cli/frame/table.h"
#include "observe/alerts/alert_settings.h"
#include "pipeline/run.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"offline", ArgumentKind::flag, "Do not reach for the systems: only read what is written."},
    {"against-archive", ArgumentKind::option,
     "PIPELINE or PIPELINE.STREAM: what the rules as they are now would make of the raw answers that are kept."},
    {"since", ArgumentKind::option, "With --against-archive: the first day; the last 7 days unless given."},
};

struct Reached {
    const ConnectionConfig* connection;
    std::optional<Error> error;
    bool tried = false;
};

std::vector<Reached> reach_all(Session& session, const Project& project) {
    std::vector<Reached> reached;
    for (const auto& [name, connection] : project.connections) {
        Reached& entry = reached.emplace_back(Reached{&connection, std::nullopt, false});
        auto* const check = session.connector_of(connection).check;
        if (check == nullptr || session.arguments().flag("offline")) continue;
        entry.tried = true;
        const auto result = check(session.world(), name, connection.options);
        if (!result.ok()) entry.error = result.error().at(Place::in_stream(name, ""));
    }
    return reached;
}

std::string state_of(const Reached& reached) {
    if (reached.error) return "failed";
    return reached.tried ? "ok" : "not tried";
}

void print_json(Session& session, const Project& project, const std::vector<Reached>& reached) {
    JsonWriter json;
    json.begin_object().field("project", project.name).field("environment", project.environment);
    json.key("connections").begin_array();
    for (const Reached& entry : reached) {
        json.begin_object().field("name", entry.connection->name).field("type", entry.connection->type);
        json.field("state", state_of(entry));
        if (entry.error) json.field("error", entry.error->to_string());
        json.end_object();
    }
    json.end_array().key("pipelines").begin_array();
    for (const auto& pipeline : project.pipelines) {
        if (pipeline.half == PipelineHalf::producer) continue;  // told as one with its consumer
        json.begin_object().field("name", pipeline.name).key("streams").begin_array();
        for (const auto& stream : pipeline.streams) json.text(stream.name);
        json.end_array().end_object();
    }
    session.out() << json.end_array().end_object().str() << "\n";
}

void print_text(Session& session, const Project& project, const std::vector<Reached>& reached) {
    session.out() << "project " << project.name << ", environment " << project.environment << "\n\n";
    Table table({{"connection"}, {"type"}, {"state"}});
    for (const Reached& entry : reached) {
        table.add_row({entry.connection->name, entry.connection->type, state_of(entry)});
    }
    table.print(session.out());
    size_t pipelines = 0, streams = 0;
    for (const auto& pipeline : project.pipelines) {
        if (pipeline.half == PipelineHalf::producer) continue;
        ++pipelines;
        streams += pipeline.streams.size();
    }
    const auto count = [](size_t number, const char* what) {
        return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
    };
    session.out() << "\n" << count(pipelines, "pipeline") << ", " << count(streams, "stream") << "\n";
}

int run_check(Session& session) {
    const Project* project = session.open_project();
    if (project == nullptr) return kExitMisused;
    if (session.arguments().has("against-archive")) return check_archives(session, *project);
    std::vector<Error> errors;
    for (const auto& pipeline : project->pipelines) {
        for (Error& error : check_pipeline(session.world(), *project, pipeline, session.connectors())) {
            errors.push_back(std::move(error));
        }
    }
    observe::AlertSettings alerts;
    for (Error& error : observe::read_alerts(*project, builtin_channels(), alerts)) errors.push_back(std::move(error));
    if (!errors.empty()) return session.fail(errors);
    const auto reached = reach_all(session, *project);
    session.json() ? print_json(session, *project, reached) : print_text(session, *project, reached);
    int failures = 0;
    for (const Reached& entry : reached) {
        if (!entry.error) continue;
        ++failures;
        session.errors() << "error: " << entry.error->to_string() << "\n";
    }
    if (failures == 0 && !session.json()) session.out() << "all is well\n";
    return failures == 0 ? kExitDone : kExitFailed;
}

}  // namespace

extern const CommandSpec command_check{.name = "check",
                                       .summary = "Read the whole project, resolve its secrets, reach each connection.",
                                       .arguments = kArguments,
                                       .run = run_check,
                                       .example = "shaduf check --env prod"};

}  // namespace shaduf
