#include "models/command/dbt_command.h"

#include "models/artifacts/manifest_json.h"
#include "models/command/graph_command.h"
#include "models/command/list_command.h"
#include "models/command/selection.h"
#include "models/project/version.h"

namespace shaduf::models {
namespace {

constexpr int kDone = 0, kMisused = 2;

std::string help() {
    std::string text = "Usage: shaduf dbt COMMAND [FLAGS]\n\nCommands of dbt, word for word:\n";
    for (const VerbSpec& verb : dbt_verbs()) {
        std::string name = "  " + std::string(verb.name);
        name.resize(24, ' ');
        text += name + std::string(verb.summary) + "\n";
    }
    text += "\nFlags:\n";
    for (const FlagSpec& flag : dbt_flags()) {
        std::string name = "  --" + std::string(flag.name);
        if (flag.letter != 0) name += std::string(", -") + flag.letter;
        name.resize(34, ' ');
        text += name + std::string(flag.help) + "\n";
    }
    return text;
}

int fail(Console& console, const Error& error) {
    console.error("error: " + error.to_string());
    return error.kind() == ErrorKind::invalid_config || error.kind() == ErrorKind::auth ? kMisused : 1;
}

// What a command that runs nothing leaves.
Result<void> write_parsed(const Invocation& invocation) {
    if (!invocation.arguments().is_on("write-json", true)) return {};
    TRY(write_manifest(invocation.services(), {}, invocation.selectors_json()));
    return write_semantic_manifest(invocation.services());
}

Result<int> run_verb(Invocation& invocation, Console& console, const NodeFilter& filter) {
    Findings findings;
    TRY(invocation.parse(findings));
    for (const Error& warning : findings.warnings) console.message(MessageSink::Level::warning, warning.to_string());
    for (const Error& error : findings.errors) console.error("error: " + error.to_string());
    if (!findings.ok()) return kMisused;
    const std::string& verb = invocation.arguments().verb;
    const auto selection = TRY(CommandSelection::open(invocation));
    invocation.keep_selectors(selection->selectors_json());
    if (verb == "parse") {
        TRY(write_parsed(invocation));
        return kDone;
    }
    const auto members = TRY(selection->select());
    if (verb == "list") {
        TRY(write_parsed(invocation));
        TRY(print_list(invocation, members, console));
        return kDone;
    }
    const RunKind kind = verb == "compile" ? RunKind::compile : RunKind::execute;
    auto nodes = nodes_of(members);
    if (filter) nodes = filter(invocation.manifest(), nodes);
    return run_graph_command(invocation, nodes, kind, console);
}

}  // namespace

int run_dbt_command(const InvocationWorld& world, std::span<const std::string> words, Console& console,
                    const NodeFilter& filter) {
    const auto arguments = parse_dbt_arguments(words, world.environment);
    if (!arguments.ok()) return fail(console, arguments.error());
    const DbtArguments& given = arguments.value();
    console.set_options({.is_quiet = given.is_on("quiet"),
                         .is_debug = given.is_on("debug"),
                         .prints = given.is_on("print", true),
                         .has_colors = given.is_on("use-colors", false)});
    if (given.is_on("version")) {
        console.print("Core:\n  - installed: " + std::string(kDbtVersion) +
                      " (shaduf)\n\nPlugins:\n  - duckdb\n  - postgres");
        return kDone;
    }
    if (given.is_on("help") || given.verb.empty()) {
        console.print(help());
        return given.is_on("help") ? kDone : kMisused;
    }
    auto invocation = Invocation::open(world, given);
    if (!invocation.ok()) return fail(console, invocation.error());
    auto status = run_verb(*invocation.value(), console, filter);
    return status.ok() ? status.value() : fail(console, status.error());
}

}  // namespace shaduf::models
