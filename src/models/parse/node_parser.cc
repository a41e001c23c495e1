#include "models/parse/node_parser.h"

#include <algorithm>

#include "base/text.h"
#include "models/artifacts/node_value.h"
#include "models/context/native.h"
#include "models/context/test_arguments.h"
#include "models/own_copy.h"
#include "models/run/compiler.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using jinja::Dict;
using jinja::Kind;
using jinja::Ref;
using jinja::Value;

constexpr std::string_view kDatabase = "database", kSchema = "schema", kAlias = "alias";

YamlTree tree_of(const Value& value) {
    YamlBuilder builder;
    add_value(value, builder);
    return builder.finish();
}

// Different for all that differs, but for lines: a key to find the same again.
void append_exactly(const YamlNode& node, std::string& out) {
    out += static_cast<char>(node.kind());
    out += node.is_quoted() ? 'q' : 'p';
    const auto append_number = [&](auto number) { out.append(reinterpret_cast<const char*>(&number), sizeof(number)); };
    switch (node.kind()) {
        case YamlKind::null: break;
        case YamlKind::boolean: out += node.boolean() ? '1' : '0'; break;
        case YamlKind::integer: append_number(node.integer()); break;
        case YamlKind::real: append_number(node.real()); break;
        case YamlKind::list:
            append_number(node.items().size());
            for (const YamlNode& item : node.items()) append_exactly(item, out);
            break;
        case YamlKind::map:
            append_number(node.entries().size());
            for (const YamlEntry& entry : node.entries()) {
                append_exactly(entry.key, out);
                append_exactly(entry.value, out);
            }
            break;
        default: append_number(node.text().size()); out += node.text();
    }
}

std::string stripped(const Value& value) { return std::string(trim(value.text())); }

bool is_missing(const Value& value) { return value.is_none() || value.is_undefined(); }

std::vector<std::string> texts_of(const Value& list) {
    std::vector<std::string> texts;
    if (list.kind() != Kind::list) return texts;
    for (const Value& item : list.items()) texts.push_back(item.text());
    return texts;
}

// Lines of an error count from the file's beginning, of which white space was taken away.
Error shifted(const Error& error, const std::string& file, uint32_t lines_before) {
    const Place& place = error.place();
    if (place.file.empty()) return error.at(Place::in_file(file, 1));
    if (lines_before == 0 || place.file != file) return error;
    Error moved(error.kind(), error.message());
    Place at = place;
    at.line += static_cast<int>(lines_before);
    moved = moved.at(at);
    if (const auto cause = error.cause()) moved = moved.caused_by(*cause);
    return moved;
}

}  // namespace

std::vector<std::string> folders_of(std::string_view relative_path) {
    std::vector<std::string> folders;
    auto parts = split(relative_path, '/');
    parts.pop_back();
    for (const std::string_view part : parts) folders.emplace_back(part);
    return folders;
}

std::string_view name_of_file(std::string_view path) {
    const size_t slash = path.rfind('/');
    if (slash != std::string_view::npos) path = path.substr(slash + 1);
    return path.substr(0, path.rfind('.'));
}

NodeConfig node_config(ResourceType type, const YamlTree& merged) {
    const Value value = value_of_yaml(merged.root());
    return {type, value.kind() == Kind::dict ? Ref<Dict>(&value.dict()) : jinja::make<Dict>()};
}

ConfigResource config_resource(ResourceType type) {
    switch (type) {
        case ResourceType::model: return ConfigResource::model;
        case ResourceType::seed: return ConfigResource::seed;
        case ResourceType::snapshot: return ConfigResource::snapshot;
        case ResourceType::test: return ConfigResource::data_test;
        case ResourceType::source: return ConfigResource::source;
        case ResourceType::unit_test: return ConfigResource::unit_test;
        case ResourceType::metric: return ConfigResource::metric;
        case ResourceType::semantic_model: return ConfigResource::semantic_model;
        case ResourceType::saved_query: return ConfigResource::saved_query;
        case ResourceType::exposure: return ConfigResource::exposure;
        case ResourceType::function: return ConfigResource::function;
        case ResourceType::group: return ConfigResource::group;
        default: return ConfigResource::other;
    }
}

NodeNames::NodeNames(const ContextServices& services)
    : services_(services),
      default_database_(services.target->find(kDatabase)->text()),
      default_schema_(services.target->find(kSchema)->text()) {}

// The node's own package may have one, then the root project; nullptr: the built-in one.
const Macro* NodeNames::override_of(std::string_view component, const std::string& package) const {
    const std::string name = "generate_" + std::string(component) + "_name";
    if (const Macro* macro = services_.macros.in_package(package, name)) return macro;
    if (const Macro* macro = services_.macros.in_package(services_.root_package, name)) return macro;
    // The built-in one dispatches: a project may have replaced what it comes to.
    const std::string dispatched = "default__" + name;
    return services_.macros.in_package(services_.root_package, dispatched);
}

Result<std::string> NodeNames::generate(std::string_view component, const Macro& macro, const Value& custom,
                                        const Node& node) const {
    const NodeScope scope(services_, Phase::run, {.package = node.package, .label = label_of(node)});
    jinja::Vm vm(vm_options(RenderMode::text));
    std::vector<Value> arguments = {is_missing(custom) ? Value::none() : custom};
    arguments.push_back(node_value(node, NoneValues::kept));
    const size_t count = std::min(arguments.size(), macro.code().parameters.size());
    const Value name = TRY(scope.call_macro(vm, macro, {std::span(arguments).first(count), {}}));
    static_cast<void>(component);
    return stripped(name);
}

Result<void> NodeNames::assign(Node& node, const Value& custom_database, const Value& custom_schema,
                               const Value& custom_alias) const {
    if (const Macro* macro = override_of(kDatabase, node.package)) {
        node.database = TRY(generate(kDatabase, *macro, custom_database, node));
    } else {
        node.database = is_missing(custom_database) ? default_database_ : stripped(custom_database);
    }
    if (const Macro* macro = override_of(kSchema, node.package)) {
        node.schema = TRY(generate(kSchema, *macro, custom_schema, node));
    } else {
        node.schema = is_missing(custom_schema) ? default_schema_ : default_schema_ + "_" + stripped(custom_schema);
    }
    if (const Macro* macro = override_of(kAlias, node.package)) {
        node.alias = TRY(generate(kAlias, *macro, custom_alias, node));
    } else if (!is_missing(custom_alias) && custom_alias.truth()) {
        node.alias = stripped(custom_alias);
    } else {
        node.alias = node.name;
        if (node.version) {
            std::string version = *node.version;
            std::replace(version.begin(), version.end(), '.', '_');
            node.alias += "_v" + version;
        }
    }
    return {};
}

NodeParser::NodeParser(Invocation& invocation, const NodePatches& patches)
    : invocation_(invocation), patches_(patches), names_(invocation.services()) {}
NodeParser::~NodeParser() = default;

const ConfigMerge& NodeParser::configs(ResourceType type, const Project& project) const {
    const std::lock_guard lock(mutex_);
    auto& configs = configs_[{type, &project}];
    if (configs == nullptr) {
        const ConfigResource resource = config_resource(type);
        const Project& root = invocation_.root();
        std::optional<ConfigSource> over;
        if (&project != &root) over = project_configs(root, resource);
        configs = std::make_unique<ConfigMerge>(resource, project_configs(project, resource), std::move(over));
    }
    return *configs;
}

const UnrenderedConfigs& NodeParser::unrendered(ResourceType type, const Project& project) const {
    const std::lock_guard lock(mutex_);
    auto& configs = unrendered_[{type, &project}];
    if (configs == nullptr) {
        const Project& root = invocation_.root();
        configs =
            std::make_unique<UnrenderedConfigs>(project, &project == &root ? nullptr : &root, config_resource(type));
    }
    return *configs;
}

Result<std::unique_ptr<Node>> NodeParser::parse(Subject subject) const {
    auto node = std::make_unique<Node>();
    node->type = subject.type;
    node->package = subject.project->name;
    node->name = subject.name;
    node->alias = subject.name;
    node->version = subject.version;
    node->unique_id = subject.unique_id.empty()
                          ? std::string(to_string(subject.type)) + "." + node->package + "." + subject.name
                          : std::move(subject.unique_id);
    node->fqn = std::move(subject.fqn);
    node->place = std::move(subject.place);
    node->checksum = std::move(subject.checksum);
    node->language = subject.language;
    node->raw_code = std::move(subject.raw_code);
    node->test = subject.test;
    node->created_at = std::chrono::duration<double>(invocation_.run().clock.now().time_since_epoch()).count();
    const ContextServices& services = invocation_.services();
    node->database = services.target->find(kDatabase)->text();
    node->schema = services.target->find(kSchema)->text();
    if (node->type == ResourceType::seed) node->root_path = subject.project->root;

    node->tags = subject.tags;
    Captured captured;
    if (subject.known) captured = std::move(*subject.known);
    const std::string file = node->place.original_path;
    if (auto rendered = render(*node, subject, captured); !rendered.ok()) {
        return shifted(rendered.error(), file, subject.lines_before);
    }
    if (auto configured = configure(*node, subject, captured); !configured.ok()) {
        return configured.error().at(Place::in_file(file, static_cast<int>(node->place.line)));
    }
    TRY(render_hooks(*node, captured));
    node->refs = std::move(captured.refs);
    node->sources = std::move(captured.sources);
    node->metrics = std::move(captured.metrics);
    node->functions = std::move(captured.functions);
    node->depends_on_macros = std::move(captured.macros);
    return node;
}

// What is known of the config already (by folder and properties) is not told to the text: config.get() says nothing
// yet.
Result<void> NodeParser::render(Node& node, const Subject& subject, Captured& captured) const {
    if (node.type == ResourceType::seed || node.language != "sql" || subject.known) return {};
    if (!jinja::has_tags(node.raw_code)) return {};
    node.code = TRY(jinja::Template::compile(node.raw_code, node.place.original_path, {}));
    NodeScope scope(invocation_.services(), Phase::parse,
                    {.node = &node, .package = node.package, .label = label_of(node)});
    scope.capture_into(captured);
    if (subject.test) {
        scope.set(std::string(kTestArgumentsName),
                  TRY(render_test_arguments(*subject.test, node.place.original_path, scope)));
    }
    jinja::Vm vm(vm_options(RenderMode::parsing), &invocation_.run().cancellation);
    TRY(vm.render(*node.code, scope));
    return {};
}

Result<NodeConfig> NodeParser::settings(const Node& node, const YamlTree& merged, ConfigOrigin origin) const {
    const auto key = std::pair(node.type, merged.root().entries().data());
    if (origin == ConfigOrigin::common) {
        const std::lock_guard lock(mutex_);
        if (const auto known = common_.find(key); known != common_.end()) return known->second.config;
    }
    // Many nodes say the same of themselves.
    std::string written(to_string(node.type));
    append_exactly(merged.root(), written);
    {
        const std::lock_guard lock(mutex_);
        if (const auto known = written_.find(written); known != written_.end()) return known->second;
    }
    const ConfigResource resource = config_resource(node.type);
    const auto place = Place::in_file(node.place.original_path, static_cast<int>(node.place.line));
    const auto wrong = check_config(resource, merged.root(), place);
    if (!wrong.empty()) return wrong.front();
    NodeConfig config = node_config(node.type, finish_config(resource, merged));
    if (origin == ConfigOrigin::common) {
        const std::lock_guard lock(mutex_);
        common_.emplace(key, CommonConfig{merged, config});
    }
    const std::lock_guard lock(mutex_);
    return written_.emplace(written, std::move(config)).first->second;
}

// A user cannot change what packages say.
void NodeParser::note_config_keys(ResourceType type, const Project& project, const ConfigSource& source,
                                  std::string_view code, size_t line) const {
    if (&project != &invocation_.root()) return;
    config_keys_.note(config_resource(type), source, code, line);
}

Result<void> NodeParser::configure(Node& node, const Subject& subject, const Captured& captured) const {
    std::vector<YamlTree> calls;
    for (const Ref<Dict>& call : captured.config_calls) calls.push_back(tree_of(Value(call)));
    const std::string& file = node.place.original_path;
    std::optional<ConfigSource> own = subject.config_calls;
    if (!calls.empty()) {
        if (own) calls.insert(calls.begin(), own->tree);
        own = ConfigSource{TRY(merge_config_calls(calls, file)), file};
    }
    const ConfigSource* properties = subject.properties;
    if (const NodePatch* patch = patches_.find(node); patch != nullptr && properties == nullptr) {
        patch->is_used = true;
        if (patch->config) properties = &*patch->config;
    }
    if (own) {
        const size_t line = subject.config_calls ? node.place.line : subject.lines_before + 1;
        const std::string_view code = subject.config_calls ? std::string_view() : node.raw_code;
        note_config_keys(node.type, *subject.project, *own, code, line);
    }
    if (properties != nullptr) note_config_keys(node.type, *subject.project, *properties, {}, node.place.line);
    const std::vector<std::string_view> fqn(node.fqn.begin(), node.fqn.end());
    const YamlTree merged = TRY(configs(node.type, *subject.project).merge(fqn, properties, own ? &*own : nullptr));
    const auto says_nothing = [](const ConfigSource* source) {
        return source == nullptr || source->tree.root().entries().empty();
    };
    const bool is_common = says_nothing(properties) && says_nothing(own ? &*own : nullptr);
    node.unrendered_config = unrendered(node.type, *subject.project).of(fqn, properties, own ? &*own : nullptr);
    node.config = TRY(settings(node, merged, is_common ? ConfigOrigin::common : ConfigOrigin::own));
    for (std::string& tag : texts_of(node.config.get("tags"))) {
        if (std::find(node.tags.begin(), node.tags.end(), tag) == node.tags.end()) node.tags.push_back(std::move(tag));
    }
    if (const Value meta = node.config.get("meta"); meta.kind() == Kind::dict) node.meta = own_copy(meta);
    if (const std::string group = node.config.text("group"); !group.empty()) node.group = group;
    if (const std::string access = node.config.text("access"); !access.empty()) node.access = access;
    TRY(names_.assign(node, node.config.get(kDatabase), node.config.get(kSchema), node.config.get(kAlias)));
    if (node.type == ResourceType::snapshot) {
        if (const std::string database = node.config.text("target_database"); !database.empty())
            node.database = database;
        if (const std::string schema = node.config.text("target_schema"); !schema.empty()) node.schema = schema;
    }
    return {};
}

// Hooks may refer to what the node then depends on.
Result<void> NodeParser::render_hooks(Node& node, Captured& captured) const {
    if (node.type == ResourceType::test) return {};
    for (const std::string_view kind : {"pre-hook", "post-hook"}) {
        const Value hooks = node.config.get(kind);
        if (hooks.kind() != Kind::list) continue;
        for (const Value& hook : hooks.items()) {
            const Value* sql = hook.kind() == Kind::dict ? hook.dict().find("sql") : &hook;
            if (sql == nullptr || !sql->is_string() || !jinja::has_tags(sql->string())) continue;
            const std::string name = node.place.original_path + " (" + std::string(kind) + ")";
            const auto code = TRY(jinja::Template::compile(sql->string(), name, {}));
            NodeScope scope(invocation_.services(), Phase::parse,
                            {.node = &node, .package = node.package, .label = label_of(node)});
            scope.capture_into(captured);
            jinja::Vm vm(vm_options(RenderMode::parsing), &invocation_.run().cancellation);
            TRY(vm.render(*code, scope));
        }
    }
    return {};
}

}  // namespace shaduf::models
