#include "cli/command.h"
#include "cli/frame/field_docs.h"
#include "cli/frame/session.h"
#include "config/pipeline_reader.h"
#include "config/project.h"
#include "config/stream_rules.h"
#include "config/via.h"
#include "observe/alerts/alert_settings.h"

namespace shaduf {
namespace {

constexpr std::string_view kPages[] = {"cli", "configuration", "alerts"};
constexpr ArgumentSpec kArguments[] = {
    {"page", ArgumentKind::positional, "Which page.", true, {}, kPages},
};

std::string shown(const ArgumentSpec& argument) {
    std::string name(argument.name);
    switch (argument.kind) {
        case ArgumentKind::flag: return "--" + name;
        case ArgumentKind::option: return "--" + name + " TEXT";
        case ArgumentKind::option_list: return "--" + name + " TEXT...";
        case ArgumentKind::positional: return argument.required ? name : "[" + name + "]";
        case ArgumentKind::positional_list:
        case ArgumentKind::passed_on: return "[" + name + "...]";
    }
    return name;
}

void print_arguments(std::span<const ArgumentSpec> arguments, std::ostream& out) {
    if (arguments.empty()) return;
    out << "\n| argument | is |\n| --- | --- |\n";
    for (const ArgumentSpec& argument : arguments) {
        out << "| `" << shown(argument) << "` | " << argument.help;
        const char* separator = " One of: ";
        for (const auto choice : argument.choices) {
            out << separator << choice;
            separator = ", ";
        }
        if (!argument.choices.empty()) out << ".";
        if (!argument.default_value.empty()) out << " Default: " << argument.default_value << ".";
        out << " |\n";
    }
}

void print_commands(const Registry<CommandSpec>& commands, std::ostream& out) {
    out << "# Commands\n\nMade by `shaduf reference cli`. Exit status: 0 done, 1 the work failed, 2 the call or the\n"
        << "configuration is wrong. With `--json` a command prints one JSON document, errors included.\n\n"
        << "| command | does |\n| --- | --- |\n";
    for (const CommandSpec* command : commands.all()) {
        out << "| [" << command->name << "](#" << command->name << ") | " << command->summary << " |\n";
    }
    out << "\nEvery command takes:\n";
    print_arguments(global_arguments(), out);
    for (const CommandSpec* command : commands.all()) {
        out << "\n## " << command->name << "\n\n" << command->summary << "\n";
        print_arguments(command->arguments, out);
        if (!command->example.empty()) out << "\n    " << command->example << "\n";
    }
}

constexpr std::string_view kIntroduction = R"(# Configuration

Made by `shaduf reference configuration`. A project is a folder with a `shaduf.yml` and a folder `pipelines/`; each of
its `.yml` files moves the streams of one source to one sink. `shaduf check` reads all of it and tells every error at
once, with file and line.

References stand in any text:

| reference | is |
| --- | --- |
| `${env:NAME}` | a variable of the process, else of `.env.<environment>`, else of `.env` |
| `${env:NAME:-fallback}` | the same, or the fallback when it is not set |
| `${secret:name}` | the variable `SHADUF_SECRET_<NAME>`, else the file `.secrets/<name>` (mode 0600) |
| `$${` | a plain `${` |

The environment is that of `--env`, else of `SHADUF_ENV`, else the one marked `default: true`, else the first.
A connection is read when a wanted pipeline names it, so what only production sets stands in nobody's way.
)";

void print_configuration(std::ostream& out) {
    out << kIntroduction << "\n## shaduf.yml\n";
    print_fields_markdown("The project", project_fields(), out);
    print_fields_markdown("Each of `environments`", environment_fields(), out);
    out << "\n## pipelines/*.yml\n\nA key of a stream may also stand at the top of the file, for all of its streams, "
           "or "
           "under `defaults` of\n`shaduf.yml`, for all of the project; the nearest wins. Besides these, a stream takes "
           "the options of its source and\nits sink: see `docs/connectors.md`.\n";
    print_fields_markdown("The pipeline", pipeline_fields(), out);
    print_fields_markdown("`via` of a pipeline: see `docs/connectors/kafka_via.md`", via_fields(), out);
    print_fields_markdown("Each stream", stream_fields(), out);
    out << "\nEach load adds the columns `_shaduf_loaded_at` and `_shaduf_run_id`. Columns of these names that come "
           "in, since\nshaduf wrote the table that is read, are left out; to keep them, name them in `columns`, such "
           "as\n`{first_loaded_at: _shaduf_loaded_at}` with `unlisted: keep`.\n";
    out << "\nA column of type `decimal(12,2)` has 12 digits, two of them behind the point; a value with more goes to "
           "quarantine, none\nis rounded. Tables are created with these digits (those of up to 18 take 8 bytes in "
           "DuckDB, others 16), and under\n`contract: evolve` a table of fewer grows: decimal(12,2) and decimal(10,4) "
           "become decimal(14,4), int64 brings 19 digits\nbefore the point, a double makes a double. Under other "
           "contracts a number that has a place in the table goes in, and what\nhas none is treated as `contract` "
           "says. 38 digits are the most, and what a column has whose number nobody knows.\n";
    out << "\n`write: history` keeps a row for each version: `valid_from`, `valid_to`, `is_current`. Rows alike, one "
           "behind the other, are\none version. With an `order_by` that is a date or a time, the version is valid from "
           "its first row's, and its `order_by`\ncolumn is that of its last row: a row that comes late and lies "
           "between "
           "the two parts the version, and is valid until that\nlast row. What lay between the two is not known any "
           "more, and with any other `order_by` the last row is not either: a late\nrow then ends the version it falls "
           "into. To date such rows exactly, load the table anew.\n";
    print_fields_markdown("Each entry of `expect`: one of the kinds, and how bad a failure is", expectation_fields(),
                          out);
    out << "\nPolicies are given by column:\n\n| policy | does |\n| --- | --- |\n"
           "| `drop` | the column does not reach the sink |\n"
           "| `hash` | HMAC-SHA-256 with the project's `policy_key`, in hexadecimal |\n"
           "| `mask`, `{mask: 4}` | all but the last (4) characters become `*` |\n"
           "| `{truncate: 10}` | the first 10 characters |\n"
           "| `tokenize` | deterministic encryption with the `policy_key`: equal values get equal tokens |\n"
           "\nPolicies hold for the quarantine too. Of a rejected row that is a JSON object, or comes from a typed "
           "source, `raw`\nhas the values as the table would have them, and `policies` says which those are: a replay "
           "does not treat them\nagain. A value that a policy cannot be applied to, since it does not fit its column "
           "or "
           "another column reads it too, is\nwithheld, and so is the whole text of any other row (broken JSON, CSV); "
           "such a row comes back with `shaduf quarantine\nreplay --id ID --text ROW`, where what is written anew is "
           "treated, and what stands as it stood in `raw` is not. At a\nreplay, expectations that judge a treated "
           "value turn the row away again; `not_null`, `unique` and `relationships` go by\nthe value that there is. "
           "Rows that were rejected before the stream had the policy are treated at their replay; until then\ntheir "
           "`raw` is as it was: `shaduf quarantine purge` removes it.\n";
}

void print_alerts(std::ostream& out) {
    out << "# Options of alerts\n\nMade by `shaduf reference alerts`. What they are for: docs/alerts.md.\n";
    print_fields_markdown("`alerts` of shaduf.yml", observe::alert_fields(), out);
    const auto channels = builtin_channels();
    for (const observe::ChannelSpec* channel : channels.all()) {
        print_fields_markdown("Channel `" + std::string(channel->name) + "`", channel->fields, out);
    }
}

int run_reference(Session& session) {
    const std::string page = session.arguments().text("page");
    if (page == "cli") {
        print_commands(session.commands(), session.out());
    } else if (page == "alerts") {
        print_alerts(session.out());
    } else {
        print_configuration(session.out());
    }
    return kExitDone;
}

}  // namespace

extern const CommandSpec command_reference{.name = "reference",
                                           .summary = "Print a page of the reference, as Markdown.",
                                           .arguments = kArguments,
                                           .run = run_reference,
                                           .example = "shaduf reference configuration"};

}  // namespace shaduf
