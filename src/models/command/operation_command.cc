#include "models/command/operation_command.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/text.h"
#include "models/artifacts/manifest_json.h"
#include "models/command/macro_call.h"
#include "models/context/relations.h"
#include "models/run/compiler.h"
#include "models/run/deferral.h"
#include "models/run/node_runner.h"
#include "models/run/statement_error.h"
#include "models/yaml/parse_yaml.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using jinja::NamedValue;
using jinja::Value;

constexpr int64_t kRowsShown = 5;

Error no_macro(const Invocation& invocation, const std::string& name) {
    const MacroIndex& macros = invocation.services().macros;
    std::vector<std::string> known;
    for (const std::string& package : macros.packages()) {
        for (std::string& macro : macros.names_of(package)) known.push_back(std::move(macro));
    }
    std::string near;
    if (const auto nearest_name = nearest(name, known)) near = "; did you mean " + *nearest_name + "?";
    return {ErrorKind::invalid_config, "dbt could not find a macro with the name '" + name + "' in any package" + near};
}

Result<YamlTree> read_arguments(const std::string& text) {
    auto tree = TRY(parse_yaml(text, "--args"));
    if (tree.root().is_null() || tree.root().is_map()) return tree;
    return Error(ErrorKind::invalid_config,
                 "--args must be a YAML map, found: " + text + "; write --args '{name: value}'");
}

Result<void> call_operation(Session& session, const ContextServices& services, const Macro& macro,
                            const YamlNode& arguments) {
    MacroCaller caller(services, session, "macro " + macro.name + " (" + macro.place.original_path + ")",
                       "macro_" + macro.name);
    std::vector<NamedValue> named;
    for (const YamlEntry& entry : arguments.entries()) {
        named.push_back({entry.key.text(), value_of_yaml(entry.value)});
    }
    TRY(caller.call(macro, named));
    return {};
}

// A query of the command line as a node of its own.
Node inline_node(const Invocation& invocation, std::string name, std::string code) {
    const std::string& package = invocation.services().root_package;
    Node node;
    node.type = ResourceType::sql_operation;
    node.package = package;
    node.unique_id = "sql operation." + package + "." + name;
    node.name = node.alias = name;
    node.fqn = {package, "sql", name};
    node.place.path = node.place.original_path = "sql/" + name;
    node.database = invocation.target().database;
    node.schema = invocation.target().schema;
    node.config = NodeConfig(ResourceType::sql_operation, jinja::make<jinja::Dict>());
    node.raw_code = std::move(code);
    return node;
}

NodeResult ended(std::string id, const Result<void>& done, WallTime started) {
    NodeResult result;
    result.unique_id = std::move(id);
    result.thread_id = "MainThread";
    result.status = done.ok() ? NodeStatus::success : NodeStatus::error;
    result.failures = done.ok() ? 0 : 1;
    if (!done.ok()) result.message = done.error().to_string();
    const WallTime now = std::chrono::system_clock::now();
    result.timing.push_back({"execute", started, now});
    result.execution_seconds = std::chrono::duration<double>(now - started).count();
    return result;
}

Result<int64_t> rows_shown(const DbtArguments& arguments) {
    const std::string text = arguments.text("limit");
    if (text.empty()) return kRowsShown;
    int64_t limit = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (failure == std::errc() && end == text.data() + text.size()) return limit;
    return Error(ErrorKind::invalid_config, "--limit takes a whole number, found: " + text);
}

Result<std::string> compiled_code(Invocation& invocation, Compiler& compiler, Session& session, const Node& node,
                                  NodeScope& scope, NodeRun& run) {
    run.session = &session;
    scope.run_with(run);
    defer_refs(scope, session);
    // Of a seed, there is nothing to compile but its table.
    if (node.type == ResourceType::seed) return "select * from " + relation_name(invocation.services(), node);
    return TRY(compiler.compile(node, scope, run)).code;
}

// Tests and neighbours that came along are not shown: whose name stands in what was asked for.
bool is_named(const Node& node, const DbtArguments& arguments) {
    const auto select = arguments.texts("select");
    if (select.empty()) return node.type != ResourceType::test;
    return std::any_of(select.begin(), select.end(),
                       [&](const std::string& text) { return text.find(node.name) != std::string::npos; });
}

// `name` "": a query of the command line.
Result<void> print_code(const Invocation& invocation, const std::string& name, const std::string& code,
                        Console& console) {
    if (to_lower(invocation.arguments().text("output")) == "json") {
        auto shown = jinja::make<jinja::Dict>();
        if (!name.empty()) shown->set("node", name);
        shown->set("compiled", code);
        jinja::Vm vm({});
        console.print(TRY(jinja::to_json(vm, shown, {.indent = 2})));
        return {};
    }
    const std::string title = name.empty() ? "Compiled inline node is:\n" : "Compiled node '" + name + "' is:\n";
    console.print((invocation.arguments().is_on("quiet") ? "" : title) + code);
    return {};
}

class Show {
public:
    Show(Invocation& invocation, Console& console) : invocation_(invocation), console_(console) {}

    Result<void> run(Compiler& compiler, Session& session, const Node& node) {
        const ContextServices& services = invocation_.services();
        NodeRun run;
        NodeScope scope(services, Phase::run, {.node = &node, .package = node.package, .label = label_of(node)});
        const std::string code = TRY(compiled_code(invocation_, compiler, session, node, scope, run));
        const int64_t limit = TRY(rows_shown(invocation_.arguments()));
        const Value header = node.config.get("sql_header");
        const std::vector<NamedValue> named = {{"compiled_code", code},
                                               {"sql_header", header.is_undefined() ? Value::none() : header},
                                               {"limit", limit < 0 ? Value::none() : Value(limit)}};
        MacroCaller caller(services, session, label_of(node));
        const std::string sql = TRY(caller.call("get_show_sql", named)).text();
        auto answer = scope.execute({.sql = sql, .fetch = Fetch::rows});
        if (!answer.ok()) {
            StatementOrigin origin = origin_of(services, node, run);
            origin.files = {{"compiled SQL", code}};
            return statement_error(answer.release_error(), run, origin);
        }
        return print(caller.vm(), node, *answer.value().table);
    }

private:
    Result<void> print(jinja::Vm& vm, const Node& node, const Table& table) {
        const bool is_inline = node.type == ResourceType::sql_operation;
        const std::string name = node.name + (node.version ? ".v" + *node.version : "");
        if (to_lower(invocation_.arguments().text("output")) == "json") {
            auto shown = jinja::make<jinja::Dict>();
            if (!is_inline) shown->set("node", name);
            shown->set("show", rows_of(table));
            console_.print(TRY(jinja::to_json(vm, shown, {.indent = 2})));
            return {};
        }
        const std::string title = is_inline ? "Previewing inline node:" : "Previewing node '" + name + "':";
        const bool is_quiet = invocation_.arguments().is_on("quiet");
        console_.print((is_quiet ? "" : title + "\n") + print_table(table, table.rows().size()));
        return {};
    }

    static Value rows_of(const Table& table) {
        std::vector<Value> rows;
        for (const Table::Row& row : table.rows()) {
            auto dict = jinja::make<jinja::Dict>();
            for (size_t i = 0; i < row.size(); ++i) {
                const bool is_object = row[i].kind() == jinja::Kind::object;
                dict->set(table.names()[i], is_object ? Value(row[i].text()) : row[i]);
            }
            rows.emplace_back(dict);
        }
        return Value::list(std::move(rows));
    }

    Invocation& invocation_;
    Console& console_;
};

}  // namespace

Result<int> run_operation_command(Invocation& invocation, Console& console) {
    const DbtArguments& arguments = invocation.arguments();
    const std::string sql = arguments.text("sql");
    if (arguments.words.size() != 1 && sql.empty()) {
        return Error(ErrorKind::invalid_config,
                     "run-operation takes the name of one macro; write run-operation "
                     "my_macro --args '{name: value}'");
    }
    const ContextServices& services = invocation.services();
    const WallTime started = std::chrono::system_clock::now();
    const auto session = TRY(invocation.adapter().connect(invocation.run(), "run-operation"));
    NodeResult result;
    if (!sql.empty()) {
        const Node node = inline_node(invocation, "inline_sql", sql);
        Compiler compiler(services);
        result = NodeRunner(services, compiler, *session, "MainThread").run_operation(node, Value::list({}), Value());
    } else {
        std::string name = arguments.words.front(), package;
        if (const size_t dot = name.find('.'); dot != std::string::npos) {
            package = name.substr(0, dot);
            name = name.substr(dot + 1);
        }
        const NodeScope scope(services, Phase::run, {.package = services.root_package, .label = "run-operation"});
        const Macro* macro = package.empty() ? scope.find_macro(name) : scope.find_macro(package, name);
        for (const std::string& other : services.macros.packages()) {
            if (macro == nullptr && package.empty()) macro = services.macros.in_package(other, name);
        }
        if (macro == nullptr) return no_macro(invocation, name);
        const YamlTree given = TRY(read_arguments(arguments.text("args")));
        const auto done = call_operation(*session, services, *macro, given.root());
        if (session->in_transaction()) TRY(session->rollback());
        result = ended(macro->unique_id, done, started);
    }
    const bool failed = is_failure(result.status);
    if (failed) console.error("Encountered an error while running operation: " + result.message);
    if (arguments.is_on("write-json", true)) {
        const double seconds = result.execution_seconds;
        TRY(write_manifest(services, {}, invocation.selectors_json()));
        TRY(write_run_results(services, {std::move(result)}, seconds));
    }
    return failed ? 1 : 0;
}

Result<int> run_show(Invocation& invocation, const std::vector<const Node*>& nodes, Console& console) {
    const DbtArguments& arguments = invocation.arguments();
    const std::string query = arguments.text("inline");
    const std::string direct = arguments.text("inline-direct");
    if (query.empty() && direct.empty() && !arguments.has("select") && !arguments.has("selector")) {
        return Error(ErrorKind::invalid_config, "Either --select or --inline must be passed to show");
    }
    Compiler compiler(invocation.services());
    const auto session = TRY(invocation.adapter().connect(invocation.run(), "show"));
    Show show(invocation, console);
    if (!query.empty() || !direct.empty()) {
        const std::string code = direct.empty() ? query : "{% raw %}" + direct + "{% endraw %}";
        TRY(show.run(compiler, *session, inline_node(invocation, "inline_query", code)));
        return 0;
    }
    bool any = false;
    for (const Node* node : nodes) {
        if (!is_named(*node, arguments)) continue;
        any = true;
        TRY(show.run(compiler, *session, *node));
    }
    if (!any) console.line("Nothing to do. Try checking your model configs and model specification args");
    return 0;
}

Result<int> run_compile_inline(Invocation& invocation, Console& console) {
    Compiler compiler(invocation.services());
    const auto session = TRY(invocation.adapter().connect(invocation.run(), "compile"));
    const Node node = inline_node(invocation, "inline_query", invocation.arguments().text("inline"));
    NodeRun run;
    NodeScope scope(invocation.services(), Phase::run,
                    {.node = &node, .package = node.package, .label = label_of(node)});
    const std::string code = TRY(compiled_code(invocation, compiler, *session, node, scope, run));
    TRY(print_code(invocation, "", code, console));
    return 0;
}

Result<void> print_compiled(const Invocation& invocation, const std::vector<NodeResult>& results, Console& console) {
    if (!invocation.arguments().has("select")) return {};
    for (const NodeResult& result : results) {
        const Node* node = invocation.services().manifest.node(result.unique_id);
        if (node == nullptr || is_failure(result.status) || !is_named(*node, invocation.arguments())) continue;
        TRY(print_code(invocation, node->name, result.compiled_code.value_or(""), console));
    }
    return {};
}

}  // namespace shaduf::models
