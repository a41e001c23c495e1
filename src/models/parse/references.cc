#include "models/parse/references.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"

namespace shaduf::models {
namespace {

std::string spelled(const ModelRef& ref) {
    std::string text = ref.package ? "'" + *ref.package + "', '" + ref.name + "'" : "'" + ref.name + "'";
    if (ref.version) text += ", v=" + *ref.version;
    return "ref(" + text + ")";
}

bool is_disabled_function(const Manifest& manifest, const std::vector<std::string>& path) {
    return std::any_of(manifest.disabled.begin(), manifest.disabled.end(), [&](const auto& node) {
        return node->type == ResourceType::function && node->name == path.back();
    });
}

bool is_disabled(const Manifest& manifest, const ModelRef& ref) {
    return std::any_of(manifest.disabled.begin(), manifest.disabled.end(), [&](const auto& node) {
        return node->name == ref.name && (!ref.package || node->package == *ref.package);
    });
}

void add(std::vector<std::string>& ids, const std::string& id) {
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
}

class Resolver {
public:
    Resolver(Manifest& manifest, Findings& findings) : manifest_(manifest), findings_(findings) {}

    // False: something was not found. Of a test that is a warning, as with dbt, and the test does not run.
    bool resolve(const std::vector<ModelRef>& refs, const std::vector<SourceRef>& sources, const std::string& package,
                 const std::string& unique_id, const FilePlace& place, bool is_test, std::vector<std::string>& ids) {
        bool all_found = true;
        for (const ModelRef& ref : refs) {
            if (const Node* node = manifest_.find_ref(ref, package))
                add(ids, node->unique_id);
            else
                all_found = missing(spelled(ref), ref.name, is_disabled(manifest_, ref), unique_id, place, is_test,
                                    node_names());
        }
        for (const SourceRef& source : sources) {
            if (const SourceTable* table = manifest_.find_source(source, package)) {
                add(ids, table->unique_id);
                continue;
            }
            const bool disabled = std::any_of(
                manifest_.disabled_sources.begin(), manifest_.disabled_sources.end(),
                [&](const auto& table) { return table->source_name == source.source && table->name == source.table; });
            all_found =
                missing("source('" + source.source + "', '" + source.table + "')", source.source + "." + source.table,
                        disabled, unique_id, place, is_test, source_names());
        }
        return all_found;
    }

    bool resolve_functions(Node& node) {
        bool all_found = true;
        for (const std::vector<std::string>& path : node.functions) {
            if (const Node* function = manifest_.find_function(path, node.package)) {
                add(node.depends_on_nodes, function->unique_id);
                continue;
            }
            std::vector<std::string> names;
            for (const auto& other : manifest_.nodes) {
                if (other->type == ResourceType::function) names.push_back(other->name);
            }
            all_found =
                missing("function('" + join(path, "', '") + "')", path.back(), is_disabled_function(manifest_, path),
                        node.unique_id, node.place, node.type == ResourceType::test, names);
        }
        return all_found;
    }

private:
    bool missing(const std::string& call, const std::string& name, bool disabled, const std::string& unique_id,
                 const FilePlace& place, bool is_test, const std::vector<std::string>& names) {
        if (is_test && disabled) return false;
        const std::string what = disabled ? "', which is disabled" : "' which was not found";
        const auto near = disabled ? std::nullopt : nearest(name, names);
        const Error error = Error(ErrorKind::invalid_config, unique_id + " depends on " + call + ": '" + name + what +
                                                                 (near ? "; did you mean " + *near + "?" : ""))
                                .at(Place::in_file(place.original_path, static_cast<int>(place.line)));
        (is_test ? findings_.warnings : findings_.errors).push_back(error);
        return false;
    }

    const std::vector<std::string>& node_names() {
        if (node_names_.empty()) {
            for (const auto& node : manifest_.nodes) {
                if (node->type != ResourceType::test) node_names_.push_back(node->name);
            }
        }
        return node_names_;
    }
    const std::vector<std::string>& source_names() {
        if (source_names_.empty()) {
            for (const auto& table : manifest_.sources) source_names_.push_back(table->source_name + "." + table->name);
        }
        return source_names_;
    }

    Manifest& manifest_;
    Findings& findings_;
    std::vector<std::string> node_names_, source_names_;
};

// Depth first, with the way back kept, so that a cycle can be told whole. Without recursion: chains are long.
class CycleSearch {
public:
    explicit CycleSearch(const Manifest& manifest) : manifest_(manifest) {}

    std::optional<std::string> find() {
        for (const auto& node : manifest_.nodes) {
            if (states_[node.get()] == State::unseen) {
                if (auto cycle = search(node.get())) return cycle;
            }
        }
        return std::nullopt;
    }

private:
    enum class State : uint8_t { unseen, open, done };
    struct Step {
        const Node* node;
        size_t next;
    };

    std::optional<std::string> search(const Node* start) {
        std::vector<Step> way = {{start, 0}};
        states_[start] = State::open;
        while (!way.empty()) {
            Step& step = way.back();
            if (step.next == step.node->depends_on_nodes.size()) {
                states_[step.node] = State::done;
                way.pop_back();
                continue;
            }
            const Node* input = manifest_.node(step.node->depends_on_nodes[step.next++]);
            if (input == nullptr || states_[input] == State::done) continue;
            if (states_[input] == State::open) return told(way, input);
            states_[input] = State::open;
            way.push_back({input, 0});
        }
        return std::nullopt;
    }

    static std::string told(const std::vector<Step>& way, const Node* again) {
        const auto begin = std::find_if(way.begin(), way.end(), [&](const Step& step) { return step.node == again; });
        std::string text;
        const auto named = [](const Node& node) { return node.unique_id + " (" + node.place.original_path + ")"; };
        for (auto step = begin; step != way.end(); ++step) text += named(*step->node) + " --> ";
        return text + named(*again);
    }

    const Manifest& manifest_;
    std::unordered_map<const Node*, State> states_;
};

void disable(const std::set<const Node*>& nodes, Manifest& manifest) {
    for (auto& node : manifest.nodes) {
        if (nodes.contains(node.get())) manifest.disabled.push_back(std::move(node));
    }
    std::erase(manifest.nodes, nullptr);
    manifest.index();
}

}  // namespace

void resolve_references(Manifest& manifest, Node& node, Findings& findings) {
    Resolver resolver(manifest, findings);
    resolver.resolve(node.refs, node.sources, node.package, node.unique_id, node.place, node.type == ResourceType::test,
                     node.depends_on_nodes);
    resolver.resolve_functions(node);
}

bool is_in_cycle(const Manifest& manifest, const Node& node) {
    std::unordered_set<const Node*> seen;
    std::vector<const Node*> next = {&node};
    while (!next.empty()) {
        const Node* at = next.back();
        next.pop_back();
        for (const std::string& id : at->depends_on_nodes) {
            if (id == node.unique_id) return true;
            const Node* input = manifest.node(id);
            if (input != nullptr && seen.insert(input).second) next.push_back(input);
        }
    }
    return false;
}

void resolve_references(Manifest& manifest, Findings& findings) {
    Resolver resolver(manifest, findings);
    std::set<const Node*> unresolved;
    for (auto& node : manifest.nodes) {
        bool is_whole = resolver.resolve(node->refs, node->sources, node->package, node->unique_id, node->place,
                                         node->type == ResourceType::test, node->depends_on_nodes);
        if (!resolver.resolve_functions(*node)) is_whole = false;
        if (!is_whole && node->type == ResourceType::test) unresolved.insert(node.get());
    }
    for (auto& declaration : manifest.declarations) {
        resolver.resolve(declaration->refs, declaration->sources, declaration->package, declaration->unique_id,
                         declaration->place, false, declaration->depends_on_nodes);
    }
    if (!unresolved.empty()) disable(unresolved, manifest);
    if (const auto cycle = CycleSearch(manifest).find()) {
        findings.errors.emplace_back(ErrorKind::invalid_config, "Found a cycle: " + *cycle);
    }
}

}  // namespace shaduf::models
