#include "base/json_writer.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/frame/field_docs.h"
#include "cli/frame/session.h"
#include "cli/frame/table.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"name", ArgumentKind::positional, "One connector, to see its options."},
    {"markdown", ArgumentKind::flag, "Print docs/connectors.md."},
};

std::string role_of(const ConnectorSpec& spec) {
    if (spec.make_source != nullptr && spec.make_sink != nullptr) return "source, sink";
    return spec.make_source != nullptr ? "source" : "sink";
}

void write_json(const ConnectorSpec& spec, JsonWriter& json) {
    json.begin_object().field("name", spec.name).field("summary", spec.summary);
    json.key("source").boolean(spec.make_source != nullptr).key("sink").boolean(spec.make_sink != nullptr);
    json.key("connection");
    write_fields_json(spec.fields, json);
    json.key("stream");
    write_fields_json(spec.stream_fields, json);
    json.key("table");
    write_fields_json(spec.table_fields, json);
    json.end_object();
}

void print_connector(const ConnectorSpec& spec, std::ostream& out) {
    out << spec.name << " (" << role_of(spec) << "): " << spec.summary << "\n";
    if (!spec.fields.empty()) out << "\noptions of a connection\n\n";
    print_fields(spec.fields, out);
    if (!spec.stream_fields.empty()) out << "\noptions of a stream that is read from it\n\n";
    print_fields(spec.stream_fields, out);
    if (!spec.table_fields.empty()) out << "\noptions of a stream that is written to it\n\n";
    print_fields(spec.table_fields, out);
}

void print_markdown(const Registry<ConnectorSpec>& connectors, std::ostream& out) {
    out << "# Connectors\n\nMade by `shaduf connectors --markdown` from the declarations that check a project.\n\n"
        << "| connector | is a | does |\n| --- | --- | --- |\n";
    for (const ConnectorSpec* spec : connectors.all()) {
        out << "| [" << spec->name << "](#" << spec->name << ") | " << role_of(*spec) << " | " << spec->summary
            << " |\n";
    }
    for (const ConnectorSpec* spec : connectors.all()) {
        out << "\n## " << spec->name << "\n\n" << spec->summary << "\n";
        print_fields_markdown("Options of a connection", spec->fields, out);
        print_fields_markdown("Options of a stream that is read from it", spec->stream_fields, out);
        print_fields_markdown("Options of a stream that is written to it", spec->table_fields, out);
    }
}

void print_list(Session& session) {
    if (session.json()) {
        JsonWriter json;
        json.begin_array();
        for (const ConnectorSpec* spec : session.connectors().all()) write_json(*spec, json);
        session.out() << json.end_array().str() << "\n";
        return;
    }
    Table table({{"connector"}, {"is a"}, {"does"}});
    for (const ConnectorSpec* spec : session.connectors().all()) {
        table.add_row({std::string(spec->name), role_of(*spec), std::string(spec->summary)});
    }
    table.print(session.out(), 100);
    session.out() << "\nshaduf connectors NAME shows the options of one\n";
}

int run_connectors(Session& session) {
    if (session.arguments().flag("markdown")) {
        print_markdown(session.connectors(), session.out());
        return kExitDone;
    }
    const std::string name = session.arguments().text("name");
    if (name.empty()) {
        print_list(session);
        return kExitDone;
    }
    const ConnectorSpec* spec = session.connectors().find(name);
    if (spec == nullptr) {
        return session.misuse("unknown connector: " + name + did_you_mean(name, session.connectors().names()));
    }
    if (!session.json()) {
        print_connector(*spec, session.out());
        return kExitDone;
    }
    JsonWriter json;
    write_json(*spec, json);
    session.out() << json.str() << "\n";
    return kExitDone;
}

}  // namespace

extern const CommandSpec command_connectors{
    .name = "connectors",
    .summary = "List the systems that can be read and written, and their options.",
    .arguments = kArguments,
    .run = run_connectors,
    .example = "shaduf connectors rest"};

}  // namespace shaduf
