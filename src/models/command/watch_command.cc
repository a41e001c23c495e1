#include "models/command/watch_command.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"
#include "models/command/graph_command.h"
#include "models/command/selection.h"
#include "models/run/compiler.h"
#include "models/run/node_runner.h"
#include "models/run/unit_test.h"
#include "models/watch/folder_watch.h"
#include "models/watch/node_digests.h"

namespace shaduf::models {
namespace {

constexpr size_t kShownMax = 5;  // compiled texts of one round

using Nodes = std::vector<const Node*>;
using NodeSet = std::unordered_set<const Node*>;

std::string counted(size_t count, const std::string& what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string absolute(const std::string& root, const std::string& path) {
    std::string folder = (std::filesystem::path(root) / path).lexically_normal().string();
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    return folder;
}

std::string milliseconds_since(std::chrono::steady_clock::time_point start) {
    const auto passed = std::chrono::steady_clock::now() - start;
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(passed).count()) + " ms";
}

class WatchLoop {
public:
    WatchLoop(const InvocationWorld& world, const DbtArguments& arguments, const NodeFilter& filter, Console& console,
              FolderWatch& folders)
        : world_(world), arguments_(arguments), filter_(filter), console_(console), folders_(folders) {}

    Result<int> run() {
        TRY(watch_folders_of(TRY(project_folder(world_, arguments_))));
        report(begin());
        while (!world_.run.cancellation.canceled()) {
            console_.line("Watching " + counted(folders_.folders(), "folder") + "; save a file to " + arguments_.verb +
                          " what it touches, Ctrl-C ends it.");
            auto saved = folders_.wait(world_.run.cancellation);
            if (!saved.ok() && saved.error().kind() != ErrorKind::canceled) return saved.error();
            if (saved.ok()) report(round(saved.value()));
        }
        return status_;
    }

private:
    // Of a project that cannot be read, only its own folder is known.
    Result<void> watch_folders_of(const std::string& root) { return folders_.set_folders({root}, {}); }

    Result<void> watch_folders_of(const Invocation& invocation) {
        std::set<std::string> roots, trees;
        for (const Project& package : invocation.packages()) {
            roots.insert(absolute(package.root, "."));
            for (const std::string& path : package.all_source_paths()) trees.insert(absolute(package.root, path));
            for (const auto* paths : {&package.macro_paths, &package.docs_paths, &package.test_paths})
                for (const std::string& path : *paths) trees.insert(absolute(package.root, path));
        }
        // dbt looks for .md in all of the project where nobody says otherwise; that is no tree to watch.
        for (const std::string& root : roots) trees.erase(root);
        return folders_.set_folders(roots, trees);
    }

    void report(const Result<void>& done) {
        if (done.ok()) return;
        if (done.error().kind() == ErrorKind::canceled) status_ = 1;
        console_.error("error: " + done.error().to_string());
    }

    // nullptr: the project is wrong, which was told.
    Result<std::unique_ptr<Invocation>> parse() {
        auto invocation = TRY(Invocation::open(world_, arguments_));
        TRY(watch_folders_of(*invocation));
        Findings findings;
        TRY(invocation->parse(findings));
        for (const Error& warning : findings.warnings) {
            console_.message(MessageSink::Level::warning, warning.to_string());
        }
        for (const Error& error : findings.errors) console_.error("error: " + error.to_string());
        if (!findings.ok()) return std::unique_ptr<Invocation>();
        invocation->finish_beside();
        make_unit_test_nodes(invocation->manifest());
        return invocation;
    }

    Result<void> begin() {
        const auto invocation = TRY(parse());
        if (invocation) digests_ = NodeDigests(invocation->manifest());
        return {};
    }

    Result<void> round(const FolderWatch::Saved& saved) {
        for (const std::string& file : saved.files) console_.line("Saved " + shown(file));
        const auto invocation = TRY(parse());
        if (invocation == nullptr) return {};
        const Manifest& manifest = invocation->manifest();
        NodeDigests now(manifest);
        // A project that was wrong until now has touched nothing: there is nothing to compare with.
        const Nodes touched =
            digests_.empty() ? nodes_of_files(manifest, saved) : now.changed_since(digests_, manifest);
        digests_ = std::move(now);
        if (touched.empty()) {
            console_.line("No node is another for it (" + milliseconds_since(saved.first_seen) + ").");
            return {};
        }
        const auto selection = TRY(CommandSelection::open(*invocation));
        invocation->keep_selectors(selection->selectors_json());
        TRY(selection->defer());
        Nodes selected = nodes_of(TRY(selection->select()));
        if (filter_) selected = filter_(*invocation, selected);
        compile(*invocation, touched, saved.first_seen);
        if (arguments_.verb == "compile") return {};
        const Nodes nodes = chosen(manifest, touched, selected);
        if (nodes.empty()) {
            console_.line("Nothing of it is selected.");
            return {};
        }
        TRY(run_graph_command(*invocation, nodes, RunKind::execute, console_));
        return {};
    }

    static Nodes nodes_of_files(const Manifest& manifest, const FolderWatch::Saved& saved) {
        Nodes nodes;
        for (const auto& node : manifest.nodes) {
            const bool is_saved = std::any_of(saved.files.begin(), saved.files.end(), [&](const std::string& file) {
                return file.ends_with("/" + node->place.original_path);
            });
            if (is_saved && !node->test) nodes.push_back(node.get());
        }
        return nodes;
    }

    // Shows what was touched, compiled; the few of many.
    void compile(Invocation& invocation, const Nodes& touched, std::chrono::steady_clock::time_point since) {
        auto session = invocation.adapter().connect(invocation.run(), "MainThread");
        if (!session.ok()) {
            console_.error("error: " + session.error().to_string());
            return;
        }
        Compiler compiler(invocation.services());
        NodeRunner runner(invocation.services(), compiler, *session.value(), "MainThread");
        size_t shown = 0, compiled = 0;
        for (const Node* node : touched) {
            if (node->type == ResourceType::operation || node->type == ResourceType::seed) continue;
            const NodeResult result = runner.run(*node, RunKind::compile);
            ++compiled;
            if (is_failure(result.status)) {
                console_.error("error: " + result.message);
            } else if (shown < kShownMax && result.compiled_code) {
                ++shown;
                console_.line("Compiled " + node->unique_id + " in " + milliseconds_since(since) + ":\n\n" +
                              std::string(trim(*result.compiled_code)) + "\n");
            }
        }
        if (compiled > shown) {
            console_.line("Compiled " + counted(compiled, "node") + " in " + milliseconds_since(since) + ".");
        }
    }

    // Of those selected: what was touched, the tests of it, and what reads it when that is asked for.
    Nodes chosen(const Manifest& manifest, const Nodes& touched, const Nodes& selected) const {
        NodeSet reached(touched.begin(), touched.end());
        if (arguments_.is_on("watch-descendants")) add_readers(manifest, reached);
        Nodes nodes;
        for (const Node* node : selected) {
            const bool is_test = node->type == ResourceType::test;
            const bool tests_one =
                is_test ? reads_one_of(manifest, *node, reached) : tests_unit_of(manifest, *node, reached);
            if (reached.contains(node) || tests_one) nodes.push_back(node);
        }
        return nodes;
    }

    static void add_readers(const Manifest& manifest, NodeSet& reached) {
        std::unordered_map<std::string_view, Nodes> readers;
        for (const auto& node : manifest.nodes) {
            for (const std::string& id : node->depends_on_nodes) readers[id].push_back(node.get());
        }
        Nodes open(reached.begin(), reached.end());
        while (!open.empty()) {
            const Node* node = open.back();
            open.pop_back();
            for (const Node* reader : readers[node->unique_id]) {
                if (reached.insert(reader).second) open.push_back(reader);
            }
        }
    }

    static bool reads_one_of(const Manifest& manifest, const Node& node, const NodeSet& reached) {
        return std::any_of(node.depends_on_nodes.begin(), node.depends_on_nodes.end(),
                           [&](const std::string& id) { return reached.contains(manifest.node(id)); });
    }

    static bool tests_unit_of(const Manifest& manifest, const Node& node, const NodeSet& reached) {
        if (node.unit_test == nullptr || node.unit_test->depends_on_nodes.empty()) return false;
        return reached.contains(manifest.node(node.unit_test->depends_on_nodes.front()));
    }

    std::string shown(const std::string& file) const {
        const std::string here = world_.working_folder + "/";
        return file.starts_with(here) ? file.substr(here.size()) : file;
    }

    const InvocationWorld& world_;
    const DbtArguments& arguments_;
    const NodeFilter& filter_;
    Console& console_;
    FolderWatch& folders_;
    NodeDigests digests_;
    int status_ = 0;
};

}  // namespace

Result<int> run_watch(const InvocationWorld& world, const DbtArguments& given, const NodeFilter& filter,
                      Console& console) {
    const std::string& verb = given.verb;
    if (verb != "build" && verb != "compile" && verb != "run" && verb != "test") {
        return Error(ErrorKind::invalid_config,
                     "--watch goes with build, compile, run and test, not with " + verb + "; leave it out");
    }
    InvocationWorld lasting = world;
    lasting.ends_with_command = false;
    const auto folders = TRY(FolderWatch::create());
    return WatchLoop(lasting, given, filter, console, *folders).run();
}

}  // namespace shaduf::models
