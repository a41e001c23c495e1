#include "models/parse/references.h"

#include <algorithm>
#include <unordered_map>

#include "base/text.h"

namespace shaduf::models {
namespace {

std::string spelled(const ModelRef& ref) {
    std::string text = ref.package ? "'" + *ref.package + "', '" + ref.name + "'" : "'" + ref.name + "'";
    if (ref.version) text += ", v=" + *ref.version;
    return "ref(" + text + ")";
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

    // What a test of nothing refers to is a warning (its node may be disabled), as with dbt.
    void resolve(const std::vector<ModelRef>& refs, const std::vector<SourceRef>& sources, const std::string& package,
                 const std::string& unique_id, const FilePlace& place, bool is_test, std::vector<std::string>& ids) {
        for (const ModelRef& ref : refs) {
            if (const Node* node = manifest_.find_ref(ref, package))
                add(ids, node->unique_id);
            else
                missing(spelled(ref), ref.name, is_disabled(manifest_, ref), unique_id, place, is_test, node_names());
        }
        for (const SourceRef& source : sources) {
            if (const SourceTable* table = manifest_.find_source(source, package)) {
                add(ids, table->unique_id);
                continue;
            }
            const bool disabled = std::any_of(
                manifest_.disabled_sources.begin(), manifest_.disabled_sources.end(),
                [&](const auto& table) { return table->source_name == source.source && table->name == source.table; });
            missing("source('" + source.source + "', '" + source.table + "')", source.source + "." + source.table,
                    disabled, unique_id, place, is_test, source_names());
        }
    }

private:
    void missing(const std::string& call, const std::string& name, bool disabled, const std::string& unique_id,
                 const FilePlace& place, bool is_test, const std::vector<std::string>& names) {
        const std::string what = disabled ? "', which is disabled" : "' which was not found";
        const Error error = Error(ErrorKind::invalid_config, unique_id + " depends on " + call + ": '" + name + what +
                                                                 (disabled ? "" : did_you_mean(name, names)))
                                .at(Place::in_file(place.original_path, static_cast<int>(place.line)));
        (is_test && disabled ? findings_.warnings : findings_.errors).push_back(error);
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
        for (auto step = begin; step != way.end(); ++step) text += step->node->unique_id + " --> ";
        return text + again->unique_id;
    }

    const Manifest& manifest_;
    std::unordered_map<const Node*, State> states_;
};

}  // namespace

void resolve_references(Manifest& manifest, Findings& findings) {
    Resolver resolver(manifest, findings);
    for (auto& node : manifest.nodes) {
        resolver.resolve(node->refs, node->sources, node->package, node->unique_id, node->place,
                         node->type == ResourceType::test, node->depends_on_nodes);
    }
    for (auto& declaration : manifest.declarations) {
        resolver.resolve(declaration->refs, declaration->sources, declaration->package, declaration->unique_id,
                         declaration->place, false, declaration->depends_on_nodes);
    }
    if (const auto cycle = CycleSearch(manifest).find()) {
        findings.errors.emplace_back(ErrorKind::invalid_config, "Found a cycle: " + *cycle);
    }
}

}  // namespace shaduf::models
