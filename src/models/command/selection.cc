#include "models/command/selection.h"

#include <algorithm>
#include <initializer_list>

#include "base/text.h"

namespace shaduf::models {
namespace {

using Types = std::vector<ResourceType>;

struct VerbTypes {
    std::string_view verb;
    Types by_default;
    Types all;  // what --resource-type may name; empty: the flag does not count
};

const VerbTypes& types_of(std::string_view verb) {
    using enum ResourceType;
    static const Types kBuilt = {model, snapshot, seed, test, unit_test, saved_query, exposure, function};
    static const Types kListed = {model,  snapshot, seed,        test,           source,   exposure,
                                  metric, function, saved_query, semantic_model, unit_test};
    static const Types kListedAll = [] {
        Types all = kListed;
        all.push_back(analysis);
        return all;
    }();
    static const std::vector<VerbTypes> kByVerb = {
        {"run", {model}, {}},
        {"test", {test, unit_test}, {test, unit_test}},
        {"seed", {seed}, {}},
        {"snapshot", {snapshot}, {}},
        {"build", kBuilt, kBuilt},
        {"list", kListed, kListedAll},
        {"plan", {model, seed, snapshot}, {model, seed, snapshot}},
        {"clone", {model, seed, snapshot}, {model, seed, snapshot}},
        {"source freshness", {source}, {}},
        {"", {model, test, snapshot, analysis, seed, function}, {}},  // compile, docs generate, show
    };
    const auto found =
        std::find_if(kByVerb.begin(), kByVerb.end(), [&](const VerbTypes& types) { return types.verb == verb; });
    return found == kByVerb.end() ? kByVerb.back() : *found;
}

Result<ResourceType> read_type(const std::string& name, const Types& known) {
    std::vector<std::string> names;
    for (const ResourceType type : known) {
        if (to_string(type) == name) return type;
        names.emplace_back(to_string(type));
    }
    return Error(ErrorKind::invalid_config, "no resource type of this command: " + name + did_you_mean(name, names));
}

bool is_empty(const Member& member) {
    const bool has_text = member.node != nullptr && member.type != ResourceType::seed;
    return has_text && trim(member.node->raw_code).empty();
}

bool has_freshness(const SourceTable& source) {
    if (source.freshness.kind() != jinja::Kind::dict) return false;
    for (const std::string_view key : {"warn_after", "error_after"}) {
        const jinja::Value* after = source.freshness.dict().find(key);
        if (after == nullptr || after->kind() != jinja::Kind::dict) continue;
        const jinja::Value* count = after->dict().find("count");
        if (count != nullptr && !count->is_none()) return true;
    }
    return false;
}

}  // namespace

Result<std::unique_ptr<CommandSelection>> CommandSelection::open(Invocation& invocation) {
    auto selection = std::unique_ptr<CommandSelection>(new CommandSelection(invocation));
    const DbtArguments& arguments = invocation.arguments();
    if (const std::string how = arguments.text("indirect-selection"); !how.empty()) {
        selection->indirect_ = TRY(parse_indirect_selection(how));
    }
    if (const std::string folder = arguments.text("state"); !folder.empty()) {
        selection->state_ = TRY(PreviousState::load(invocation.services(), folder));
    }
    TRY(selection->read_selectors());
    return selection;
}

Selector& CommandSelection::selector() {
    if (selector_) return *selector_;
    Selector::World world{.manifest = invocation_.manifest(), .project_root = invocation_.root().root};
    world.state = state();
    world.selectors = &selectors_;
    world.warn = [this](const std::string& text) { invocation_.messages().message(MessageSink::Level::warning, text); };
    selector_ = std::make_unique<Selector>(std::move(world));
    return *selector_;
}

Result<void> CommandSelection::read_selectors() {
    const std::string& root = invocation_.root().root;
    auto raw = TRY(load_selectors_file(root));
    if (!raw) return {};
    const std::string file = root + "/selectors.yml";
    const YamlTree rendered = TRY(invocation_.render(*raw, file));
    selectors_ = TRY(YamlSelectors::read(rendered, file, indirect_));
    return {};
}

Result<SelectionSpec> CommandSelection::spec() const {
    const DbtArguments& arguments = invocation_.arguments();
    const auto select = arguments.texts("select");
    const auto exclude = arguments.texts("exclude");
    std::string name = arguments.text("selector");
    if (name.empty() && select.empty() && exclude.empty()) name = selectors_.default_name().value_or("");
    if (!name.empty()) return *TRY(selectors_.find(name));
    return parse_selection(select.empty() ? std::nullopt : std::optional(select), exclude, indirect_);
}

Result<std::vector<ResourceType>> CommandSelection::types() const {
    const DbtArguments& arguments = invocation_.arguments();
    const VerbTypes& verb = types_of(arguments.verb);
    if (verb.all.empty()) return verb.by_default;
    Types types;
    for (const std::string& name : arguments.texts("resource-type")) {
        if (name == "all")
            types.insert(types.end(), verb.all.begin(), verb.all.end());
        else if (name == "default")
            types.insert(types.end(), verb.by_default.begin(), verb.by_default.end());
        else
            types.push_back(TRY(read_type(name, verb.all)));
    }
    if (types.empty()) types = verb.by_default;
    for (const std::string& name : arguments.texts("exclude-resource-type")) {
        std::erase(types, TRY(read_type(name, verb.all)));
    }
    return types;
}

Result<std::vector<const Member*>> CommandSelection::select() {
    const Types types = TRY(this->types());
    const MemberSet found = TRY(selector().select(TRY(spec())));
    const std::string& verb = invocation_.arguments().verb;
    std::vector<const Member*> members;
    for (const uint32_t index : found.indexes()) {
        const Member& member = selector_->members()[index];
        if (std::find(types.begin(), types.end(), member.type) == types.end()) continue;
        if (verb != "list" && is_empty(member)) continue;
        if (verb == "source freshness" && !has_freshness(*member.source)) continue;
        members.push_back(&member);
    }
    std::sort(members.begin(), members.end(),
              [](const Member* a, const Member* b) { return a->unique_id < b->unique_id; });
    return members;
}

Result<void> CommandSelection::defer() {
    const DbtArguments& arguments = invocation_.arguments();
    const bool is_clone = arguments.verb == "clone";
    if (!is_clone && !arguments.is_on("defer")) return {};
    ContextServices& services = invocation_.services();
    std::optional<PreviousState> other;
    if (const std::string folder = arguments.text("defer-state"); !folder.empty()) {
        other = TRY(PreviousState::load(services, folder));
    }
    const PreviousState* state = other ? &*other : this->state();
    if (state == nullptr || !state->has_manifest()) {
        return Error(
            ErrorKind::invalid_config,
            std::string(is_clone ? "clone" : "--defer") +
                (state == nullptr ? " needs --state or --defer-state, the folder of another run's manifest.json"
                                  : " found no manifest.json in the state: " + state->folder()));
    }
    services.deferral.favors_state = arguments.is_on("favor-state");
    for (const std::string_view section : {"nodes", "functions"}) {
        for (const YamlEntry& entry : state->manifest()[section].entries()) {
            const YamlNode& node = entry.value;
            const std::string_view type = node["resource_type"].text();
            const bool is_there = type == "model" || type == "seed" || type == "snapshot" || type == "function";
            if (!is_there || node["config"]["materialized"].text() == "ephemeral") continue;
            RelationPath path = {std::nullopt, std::string(node["schema"].text()), std::string(node["alias"].text())};
            if (!node["database"].is_null()) path.database = node["database"].text();
            services.deferral.relations.emplace(entry.key.text(), std::move(path));
        }
    }
    return {};
}

std::vector<const Node*> nodes_of(const std::vector<const Member*>& members) {
    std::vector<const Node*> nodes;
    for (const Member* member : members) {
        if (member->node != nullptr) nodes.push_back(member->node);
        if (member->unit_test != nullptr && member->unit_test->as_node) {
            nodes.push_back(member->unit_test->as_node.get());
        }
    }
    return nodes;
}

}  // namespace shaduf::models
