#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/frame/session.h"
#include "cli/frame/table.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"table", ArgumentKind::positional, "CONNECTION/TABLE, or PIPELINE.STREAM, whose table it is.", true},
    {"below", ArgumentKind::option, "Only files that are smaller.", false, "64MB"},
    {"to", ArgumentKind::option, "How large joined files become, about.", false, "256MB"},
    {"partition", ArgumentKind::option, "Only this folder and those in it: event_date=2026-01-02."},
    {"older-than", ArgumentKind::option, "Only files of loads that began so long ago, such as 2h.", false, "0s"},
    {"keep", ArgumentKind::option, "How long files that were joined stay, for those who read them.", false, "1h"},
    {"dry-run", ArgumentKind::flag, "Tell what would be joined, and change nothing."},
};

Result<CompactRequest> read_request(const Arguments& arguments) {
    CompactRequest request;
    const auto wrong = [&](const char* name) {
        return Error(ErrorKind::invalid_config,
                     std::string("not a value of --") + name + ": " + arguments.text(name) + "; write 64MB, or 2h");
    };
    const auto below = parse_bytes(arguments.text("below"));
    const auto to = parse_bytes(arguments.text("to"));
    const auto older_than = parse_duration(arguments.text("older-than"));
    const auto keep = parse_duration(arguments.text("keep"));
    if (!below) return wrong("below");
    if (!to) return wrong("to");
    if (!older_than) return wrong("older-than");
    if (!keep) return wrong("keep");
    request.below = *below;
    request.to = *to;
    request.older_than = *older_than;
    request.keep = *keep;
    if (arguments.has("partition")) request.partitions = {arguments.text("partition")};
    request.dry_run = arguments.flag("dry-run");
    return request;
}

// The connection, and the table's folder in it. nullptr: an error was printed.
const ConnectionConfig* find_table(Session& session, std::string& table) {
    const std::string name = session.arguments().text("table");
    const auto slash = name.find('/');
    const Selection selection = Selection::parse(name);
    const std::string owner = slash == std::string::npos ? selection.first : name.substr(0, slash);
    const Project* project = session.open_project_for(owner);
    if (project == nullptr) return nullptr;
    if (slash != std::string::npos) {
        table = name.substr(slash + 1);
        const ConnectionConfig* connection = project->connection(owner);
        if (connection == nullptr) session.misuse("connection not found: " + owner);
        return connection;
    }
    const PipelineConfig* pipeline = project->pipeline(owner);
    const StreamConfig* stream = nullptr;
    if (pipeline != nullptr) {
        for (const auto& candidate : pipeline->streams) {
            if (candidate.name == selection.second) stream = &candidate;
        }
    }
    if (stream == nullptr) {
        session.misuse("no such stream: " + name + "; write PIPELINE.STREAM, or CONNECTION/TABLE");
        return nullptr;
    }
    table = pipeline->schema.empty() ? stream->table : pipeline->schema + "/" + stream->table;
    return project->connection(pipeline->sink);
}

void print_json(Session& session, const CompactReport& report) {
    JsonWriter json;
    json.begin_object().key("joined").begin_array();
    for (const auto& joined : report.joined) {
        json.begin_object().field("folder", joined.folder).field("files", static_cast<int64_t>(joined.files));
        json.field("rows", joined.rows).field("bytes_before", joined.bytes_before);
        json.field("bytes_after", joined.bytes_after).end_object();
    }
    json.end_array().field("removed", report.removed).end_object();
    session.out() << json.str() << "\n";
}

void print_text(Session& session, const CompactReport& report, bool dry_run) {
    if (!report.joined.empty()) {
        Table table({{"folder"}, {"files"}, {"rows"}, {"before"}, {dry_run ? "" : "after"}});
        for (const auto& joined : report.joined) {
            table.add_row({joined.folder, std::to_string(joined.files), format_count(joined.rows),
                           format_bytes(static_cast<uint64_t>(joined.bytes_before)),
                           dry_run ? "" : format_bytes(static_cast<uint64_t>(joined.bytes_after))});
        }
        table.print(session.out());
    }
    size_t files = 0;
    for (const auto& joined : report.joined) files += joined.files;
    session.out() << (dry_run ? "would join: " : "joined: ") << files << " files into " << report.joined.size()
                  << "; removed: " << report.removed << " that were joined before\n";
}

int run_compact(Session& session) {
    auto request = read_request(session.arguments());
    if (!request.ok()) return session.fail(request.error());
    std::string table;
    const ConnectionConfig* connection = find_table(session, table);
    if (connection == nullptr) return kExitMisused;
    request.value().table = table;
    const ConnectorSpec& spec = session.connector_of(*connection);
    std::unique_ptr<Store> store;
    if (spec.make_store != nullptr) {
        auto made = spec.make_store(connection->options, connection->name);
        if (!made.ok()) return session.fail(made.error());
        store = made.release_value();
    }
    TableCompactor* compactor = store == nullptr ? nullptr : store->compactor();
    if (compactor == nullptr) {
        return session.misuse("tables are no files: " + connection->name + " is of type " + connection->type +
                              "; name a table of a files connection");
    }
    const auto report = compactor->compact(session.world(), request.value());
    if (!report.ok()) return session.fail(report.error());
    if (session.json()) {
        print_json(session, report.value());
    } else {
        print_text(session, report.value(), request.value().dry_run);
    }
    return kExitDone;
}

}  // namespace

extern const CommandSpec command_compact{.name = "compact",
                                         .summary = "Join the small Parquet files of a table into larger ones.",
                                         .arguments = kArguments,
                                         .run = run_compact,
                                         .example = "shaduf compact lake/events --partition event_date=2026-01-02"};

}  // namespace shaduf
