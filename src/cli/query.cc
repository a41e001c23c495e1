#include "cli/command.h"
#include "cli/frame/rows.h"
#include "cli/frame/session.h"

namespace shaduf {
namespace {

constexpr std::string_view kFormats[] = {"table", "json", "csv"};
constexpr ArgumentSpec kArguments[] = {
    {"sql", ArgumentKind::positional, "One statement, in the SQL of the system.", true},
    {"connection", ArgumentKind::option, "Where to run it; the environment's warehouse unless given."},
    {"format", ArgumentKind::option, "How to print the rows.", false, "table", kFormats},
};

RowFormat format_of(const Session& session) {
    const std::string format = session.arguments().text("format");
    if (session.json() || format == "json") return RowFormat::json;
    return format == "csv" ? RowFormat::csv : RowFormat::table;
}

// "pipeline.sink" names a connection that is written inside a pipeline.
const Project* open_for(Session& session, const std::string& name) {
    const auto selection = Selection::parse(name);
    return session.open_project_for(selection.second.empty() ? name : selection.first);
}

int run_query(Session& session) {
    const std::string given = session.arguments().text("connection");
    const std::string name = given.empty() ? "warehouse" : given;
    const Project* project = open_for(session, name);
    if (project == nullptr) return kExitMisused;
    const ConnectionConfig* connection = project->connection(name);
    if (connection == nullptr) return session.misuse("connection not found: " + name);
    const ConnectorSpec& spec = session.connector_of(*connection);
    const Error no_queries(ErrorKind::invalid_config, "cannot be queried: " + connection->name + " is of type " +
                                                          connection->type + "; give another with --connection");
    if (spec.make_store == nullptr) return session.fail(no_queries);
    auto store = spec.make_store(connection->options, connection->name);
    if (!store.ok()) return session.fail(store.error());
    if (store.value()->reader() == nullptr) return session.fail(no_queries);
    auto rows = store.value()->reader()->query(session.world(), session.arguments().text("sql"));
    if (!rows.ok()) return session.fail(rows.error());
    print_rows(rows.value(), format_of(session), session.out());
    return kExitDone;
}

}  // namespace

extern const CommandSpec command_query{.name = "query",
                                       .summary = "Run SQL in the warehouse and print the rows.",
                                       .arguments = kArguments,
                                       .run = run_query,
                                       .example = "shaduf query \"SELECT count(*) FROM events\""};

}  // namespace shaduf
