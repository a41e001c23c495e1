#include "models/command/dbt_command.h"

#include <algorithm>

#include "models/artifacts/artifact_file.h"
#include "models/artifacts/manifest_json.h"
#include "models/command/catalog_command.h"
#include "models/command/freshness_command.h"
#include "models/command/graph_command.h"
#include "models/command/list_command.h"
#include "models/command/operation_command.h"
#include "models/command/project_command.h"
#include "models/command/retry.h"
#include "models/command/selection.h"
#include "models/command/watch_command.h"
#include "models/project/version.h"
#include "models/run/unit_test.h"

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

Result<int> run_selected(Invocation& invocation, const std::vector<const Member*>& members, const NodeFilter& filter,
                         Console& console) {
    const std::string& verb = invocation.arguments().verb;
    auto nodes = nodes_of(members);
    if (filter) nodes = filter(invocation.manifest(), nodes);
    if (verb == "list") {
        TRY(write_parsed(invocation));
        TRY(print_list(invocation, members, console));
        return kDone;
    }
    if (verb == "show") return run_show(invocation, nodes, console);
    if (verb == "source freshness") {
        std::vector<const SourceTable*> sources;
        for (const Member* member : members) sources.push_back(member->source);
        TRY(write_parsed(invocation));
        return run_source_freshness(invocation, sources, console);
    }
    if (verb == "docs generate") {
        int status = kDone;
        if (invocation.arguments().is_on("compile", true))
            status = TRY(run_graph_command(invocation, nodes, RunKind::compile, console));
        else
            TRY(write_parsed(invocation));
        if (status == kDone) TRY(write_catalog(invocation, console));
        return status;
    }
    return run_graph_command(invocation, nodes, verb == "compile" ? RunKind::compile : RunKind::execute, console);
}

// Only these, whatever the flags select now: what a retry has left to do.
std::vector<const Node*> named_nodes(const Manifest& manifest, const std::vector<std::string>& ids) {
    std::vector<const Node*> nodes;
    for (const std::string& id : ids) {
        if (const Node* node = manifest.node(id)) nodes.push_back(node);
    }
    for (const auto& test : manifest.unit_tests) {
        const bool is_named = std::find(ids.begin(), ids.end(), test->unique_id) != ids.end();
        if (is_named && test->as_node) nodes.push_back(test->as_node.get());
    }
    return nodes;
}

Result<int> run_verb(Invocation& invocation, const std::vector<std::string>* only, const NodeFilter& filter,
                     Console& console) {
    Findings findings;
    TRY(invocation.parse(findings));
    for (const Error& warning : findings.warnings) console.message(MessageSink::Level::warning, warning.to_string());
    for (const Error& error : findings.errors) console.error("error: " + error.to_string());
    if (!findings.ok()) return kMisused;
    make_unit_test_nodes(invocation.manifest());
    const std::string& verb = invocation.arguments().verb;
    const auto selection = TRY(CommandSelection::open(invocation));
    invocation.keep_selectors(selection->selectors_json());
    if (verb == "parse") {
        TRY(write_parsed(invocation));
        return kDone;
    }
    invocation.finish_beside();  // templates may change what they are given
    TRY(selection->defer());
    if (only != nullptr && verb != "run-operation") {
        const RunKind kind = verb == "compile" || verb == "docs generate" ? RunKind::compile : RunKind::execute;
        return run_graph_command(invocation, named_nodes(invocation.manifest(), *only), kind, console);
    }
    if (verb == "run-operation") return run_operation_command(invocation, console);
    const bool is_inline = invocation.arguments().has("inline") || invocation.arguments().has("inline-direct");
    if (is_inline && verb == "show") return run_show(invocation, {}, console);
    if (is_inline && verb == "compile") return run_compile_inline(invocation, console);
    return run_selected(invocation, TRY(selection->select()), filter, console);
}

Result<int> run_command(const InvocationWorld& world, const DbtArguments& given, const NodeFilter& filter,
                        Console& console) {
    if (given.verb == "deps") return run_deps(world, given, console);
    if (given.verb == "clean") return run_clean(world, given, console);
    if (given.verb == "debug") return run_debug(world, given, console);
    if (given.is_on("watch")) return run_watch(world, given, filter, console);
    const auto invocation = TRY(Invocation::open(world, given));
    if (given.verb == "docs serve") {
        return Error(ErrorKind::invalid_config,
                     "docs serve is not there; docs generate writes manifest.json and catalog.json into " +
                         artifact_path(invocation->services(), "") + ", for any program that shows them");
    }
    if (given.verb == "clone") {
        return Error(ErrorKind::invalid_config, "clone is not there; --defer reads what the state has without a copy");
    }
    if (given.verb == "retry") {
        const Retry retry = TRY(read_retry(*invocation));
        if (retry.ids.empty()) {
            console.line("Nothing to do: nothing failed in the previous run.");
            return kDone;
        }
        const auto again = TRY(Invocation::open(world, retry.arguments));
        return run_verb(*again, &retry.ids, filter, console);
    }
    return run_verb(*invocation, nullptr, filter, console);
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
    const auto status = run_command(world, given, filter, console);
    return status.ok() ? status.value() : fail(console, status.error());
}

}  // namespace shaduf::models
