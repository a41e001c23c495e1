#include "base/json_writer.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/frame/session.h"
#include "cli/frame/table.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"connection", ArgumentKind::positional, "A connection of shaduf.yml.", true},
};

std::string_view mode_name(ReadMode mode) {
    switch (mode) {
        case ReadMode::full_refresh: return "full_refresh";
        case ReadMode::incremental: return "incremental";
        case ReadMode::cdc: return "cdc";
        case ReadMode::stream: return "stream";
    }
    return "full_refresh";
}

void print_json(const std::vector<StreamInfo>& streams, std::ostream& out) {
    JsonWriter json;
    json.begin_array();
    for (const StreamInfo& stream : streams) {
        json.begin_object().field("name", stream.name).field("cursor", stream.cursor_field);
        json.key("key").begin_array();
        for (const auto& column : stream.key) json.text(column);
        json.end_array().key("modes").begin_array();
        for (const ReadMode mode : stream.modes) json.text(mode_name(mode));
        json.end_array().key("columns");
        if (stream.schema) {
            json.begin_array();
            for (const Field& field : stream.schema->fields()) {
                json.begin_object().field("name", field.name).field("type", field.type.to_string()).end_object();
            }
            json.end_array();
        } else {
            json.null();
        }
        json.end_object();
    }
    out << json.end_array().str() << "\n";
}

void print_table(const std::vector<StreamInfo>& streams, std::ostream& out) {
    Table table({{"stream"}, {"key"}, {"cursor"}, {"modes"}, {"columns"}});
    for (const StreamInfo& stream : streams) {
        std::vector<std::string> modes;
        for (const ReadMode mode : stream.modes) modes.emplace_back(mode_name(mode));
        table.add_row({stream.name, join(stream.key, ", "), stream.cursor_field, join(modes, ", "),
                       stream.schema ? stream.schema->to_string() : "known only from the data"});
    }
    table.print(out, 100);
}

int run_discover(Session& session) {
    const std::string name = session.arguments().text("connection");
    ProjectRequest request;
    request.connections = {name};
    const Project* project = session.open_project(std::move(request));
    if (project == nullptr) return kExitMisused;
    const ConnectionConfig& connection = *project->connection(name);
    auto* const discover = session.connector_of(connection).discover;
    if (discover == nullptr) {
        return session.misuse("streams of this connector exist by declaration only: " + connection.name +
                              " is of type " + connection.type + "; name them in a pipeline");
    }
    const auto streams = discover(session.world(), connection.name, connection.options);
    if (!streams.ok()) return session.fail(streams.error());
    session.json() ? print_json(streams.value(), session.out()) : print_table(streams.value(), session.out());
    return kExitDone;
}

}  // namespace

extern const CommandSpec command_discover{.name = "discover",
                                          .summary = "Show the streams of a source, with their columns.",
                                          .arguments = kArguments,
                                          .run = run_discover,
                                          .example = "shaduf discover shop"};

}  // namespace shaduf
