#include "models/command/dbt_command.h"

#include <algorithm>
#include <chrono>

#include "models/artifacts/artifact_file.h"
#include "models/artifacts/manifest_json.h"
#include "models/command/catalog_command.h"
#include "models/command/freshness_command.h"
#include "models/command/graph_command.h"
#include "models/command/lineage_command.h"
#include "models/command/list_command.h"
#include "models/command/log_setup.h"
#include "models/command/operation_command.h"
#include "models/command/plan_command.h"
#include "models/command/project_command.h"
#include "models/command/retry.h"
#include "models/command/selection.h"
#include "models/command/watch_command.h"
#include "models/context/secrets.h"
#include "models/project/version.h"
#include "models/run/publication.h"
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

// Where 2 is the answer that something would change, what is wrong with the call or the project is 1.
int misused(const DbtArguments& arguments) { return arguments.is_on("exit-code") ? 1 : kMisused; }

int fail(Console& console, const Error& error, int misused_status = kMisused) {
    console.error("error: " + error.to_string());
    return error.kind() == ErrorKind::invalid_config || error.kind() == ErrorKind::auth ? misused_status : 1;
}

RunKind kind_of(std::string_view verb) {
    if (verb == "clone") return RunKind::clone;
    return verb == "compile" || verb == "docs generate" ? RunKind::compile : RunKind::execute;
}

// What a command that runs nothing leaves.
Result<void> write_parsed(const Invocation& invocation) {
    if (!invocation.arguments().is_on("write-json", true)) return {};
    TRY(write_manifest(invocation.services(), {}, invocation.selectors_json()));
    return write_semantic_manifest(invocation.services());
}

// Exposures and saved queries as nodes that do nothing: `build` tells of them in their place of the graph.
class DeclarationNodes {
public:
    void add(const Declaration& declaration, std::vector<const Node*>& nodes) {
        auto node = std::make_unique<Node>();
        node->type = declaration.type;
        node->unique_id = declaration.unique_id;
        node->package = declaration.package;
        node->name = declaration.name;
        node->fqn = declaration.fqn;
        node->place = declaration.place;
        node->config = declaration.config;
        node->depends_on_nodes = declaration.depends_on_nodes;
        nodes.push_back(node.get());
        nodes_.push_back(std::move(node));
    }

private:
    std::vector<std::unique_ptr<Node>> nodes_;
};

bool is_run_as_nothing(ResourceType type) {
    return type == ResourceType::exposure || type == ResourceType::saved_query;
}

Result<int> run_selected(Invocation& invocation, const std::vector<const Member*>& members, const NodeFilter& filter,
                         Console& console) {
    const std::string& verb = invocation.arguments().verb;
    auto nodes = nodes_of(members);
    if (filter) nodes = filter(invocation, nodes);
    if (verb == "list") {
        TRY(write_parsed(invocation));
        TRY(print_list(invocation, members, console));
        return kDone;
    }
    if (verb == "plan") return run_plan(invocation, members, console);
    if (verb == "show") return run_show(invocation, nodes, console);
    if (verb == "source freshness") {
        std::vector<const SourceTable*> sources;
        for (const Member* member : members) sources.push_back(member->source);
        TRY(write_parsed(invocation));
        return run_source_freshness(invocation, sources, console);
    }
    if (verb == "docs generate") {
        int status = kDone;
        if (invocation.arguments().is_on("static")) {
            console.message(MessageSink::Level::warning,
                            "--static has no effect: no page of documentation is made here; manifest.json and "
                            "catalog.json are written for programs that show them");
        }
        if (invocation.arguments().is_on("compile", true))
            status = TRY(run_graph_command(invocation, nodes, RunKind::compile, console));
        else
            TRY(write_parsed(invocation));
        if (status == kDone) TRY(write_catalog(invocation, console));
        if (status == kDone) TRY(write_lineage_artifact(invocation, console));
        return status;
    }
    DeclarationNodes declared;
    for (const Member* member : members) {
        const bool is_told = verb == "build" && !filter && is_run_as_nothing(member->type);
        if (is_told) declared.add(*member->declaration, nodes);
    }
    return run_graph_command(invocation, nodes, kind_of(verb), console);
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
    if (!findings.ok()) return misused(invocation.arguments());
    make_unit_test_nodes(invocation.manifest());
    console.event(found_stats(invocation.manifest()));
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
        std::vector<const Node*> nodes = named_nodes(invocation.manifest(), *only);
        if (verb == "build") add_audits(invocation.manifest(), nodes);
        DeclarationNodes declared;
        for (const auto& declaration : invocation.manifest().declarations) {
            const bool is_named = std::find(only->begin(), only->end(), declaration->unique_id) != only->end();
            if (is_named && is_run_as_nothing(declaration->type)) declared.add(*declaration, nodes);
        }
        return run_graph_command(invocation, nodes, kind_of(verb), console);
    }
    if (verb == "lineage") return run_lineage(invocation, console);
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
    console.log().set_invocation_id(invocation->services().invocation_id);
    tell_of_start(*invocation, console);
    if (given.verb == "docs serve") {
        return Error(ErrorKind::invalid_config,
                     "docs serve is not there; docs generate writes manifest.json and catalog.json into " +
                         artifact_path(invocation->services(), "") + ", for any program that shows them");
    }
    if (given.verb == "retry") {
        const Retry retry = TRY(read_retry(*invocation));
        if (retry.ids.empty()) {
            console.line("Nothing to do: nothing failed in the previous run.");
            return kDone;
        }
        const auto again = TRY(Invocation::open(world, retry.arguments));
        again->services().batch_history = retry.batches;
        return run_verb(*again, &retry.ids, filter, console);
    }
    return run_verb(*invocation, nullptr, filter, console);
}

}  // namespace

int run_dbt_command(const InvocationWorld& world, std::span<const std::string> words, Console& console,
                    const NodeFilter& filter) {
    const auto arguments = parse_dbt_arguments(words, world.environment);
    if (!arguments.ok()) {
        const bool has_exit_code = std::find(words.begin(), words.end(), "--exit-code") != words.end();
        return fail(console, arguments.error(), has_exit_code ? 1 : kMisused);
    }
    const DbtArguments& given = arguments.value();
    if (const auto wrong = set_up_log(world, given, console); !wrong.ok()) {
        return fail(console, wrong.error(), misused(given));
    }
    if (given.is_on("version")) {
        console.print("Core:\n  - installed: " + std::string(kDbtVersion) +
                      " (shaduf)\n\nPlugins:\n  - duckdb\n  - postgres");
        return kDone;
    }
    if (given.is_on("help") || given.verb.empty()) {
        console.print(help());
        return given.is_on("help") ? kDone : kMisused;
    }
    const auto secrets = std::make_shared<Secrets>();
    InvocationWorld own = world;
    own.secrets = secrets;
    own.environment = [&world, secrets](const std::string& name) {
        auto value = world.environment(name);
        if (value && Secrets::is_secret_name(name)) secrets->add(*value);
        return value;
    };
    console.hide(secrets);
    const auto started = std::chrono::steady_clock::now();
    const auto result = run_command(own, given, filter, console);
    const int status = result.ok() ? result.value() : fail(console, result.error(), misused(given));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    console.event(command_completed(given.verb, status == kDone, seconds));
    return status;
}

}  // namespace shaduf::models
