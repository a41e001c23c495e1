#include "models/parse/generic_tests.h"

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "models/parse/columns.h"
#include "models/parse/node_files.h"
#include "models/parse/parallel.h"
#include "models/parse/test_definition.h"
#include "models/parse/test_names.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using jinja::Value;

constexpr std::string_view kTestPrefix = "test_";

Error wrong(const std::string& file, const YamlNode& at, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message)).at(Place::in_file(file, static_cast<int>(at.line())));
}

// What the argument `model` of a test is.
std::string model_text(const TestTarget& target) {
    std::string of;
    if (target.source) {
        of = "source('" + target.source->source + "', '" + target.source->table + "')";
    } else {
        of = "ref('" + target.name + "'" + (target.version ? ", version='" + *target.version + "'" : "") + ")";
    }
    return "{{ get_where_subquery(" + of + ") }}";
}

// As dbt finds the macro that a test depends on: in the package of its file, the root, others, the built-in ones.
const Macro* find_test_macro(const ContextServices& services, const std::string& package, const std::string& name) {
    if (const Macro* macro = services.macros.in_package(package, name)) return macro;
    if (const Macro* macro = services.macros.in_package(services.root_package, name)) return macro;
    for (const std::string& other : services.packages) {
        if (const Macro* macro = services.macros.in_package(other, name)) return macro;
    }
    for (const std::string& type : services.adapter.lineage()) {
        if (const Macro* macro = services.macros.in_package("dbt_" + type, name)) return macro;
    }
    return services.macros.in_package(kBuiltinPackage, name);
}

// What may have been meant: tests of that package, or of all.
std::vector<std::string> known_tests(const ContextServices& services, const std::optional<std::string>& package) {
    std::vector<std::string> names;
    for (const std::string& of : services.macros.packages()) {
        if (package && of != *package) continue;
        for (const std::string& name : services.macros.names_of(of)) {
            if (!name.starts_with(kTestPrefix)) continue;
            const std::string test = name.substr(kTestPrefix.size());
            const bool needs_package = of != services.root_package && of != kBuiltinPackage;
            names.push_back(needs_package ? of + "." + test : test);
        }
    }
    return names;
}

Result<void> check_macro(const ContextServices& services, const TestDefinition& test, const std::string& package,
                         const std::string& file, const YamlNode& at) {
    const std::string name = std::string(kTestPrefix) + test.macro;
    if (!test.macro_package) {
        if (find_test_macro(services, package, name) != nullptr) return {};
    } else {
        if (services.macros.in_package(*test.macro_package, name) != nullptr) return {};
        if (*test.macro_package == kBuiltinPackage && find_test_macro(services, "", name) != nullptr) return {};
    }
    const std::string written = (test.macro_package ? *test.macro_package + "." : "") + test.macro;
    const bool knows_package = !test.macro_package || services.macros.has_package(*test.macro_package);
    if (!knows_package) {
        return wrong(file, at,
                     "generic test not found: " + written + "; there is no package " + *test.macro_package +
                         ": add it to packages.yml and run deps");
    }
    return wrong(
        file, at,
        "generic test not found: " + written + did_you_mean(written, known_tests(services, test.macro_package)));
}

std::vector<std::string> sorted_unique(std::vector<std::string> texts) {
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    return texts;
}

std::vector<std::string> fqn_of(const PropertyFile& file, const std::string& name) {
    std::vector<std::string> fqn = {file.project->name};
    const size_t slash = file.path.find('/');
    for (std::string& folder : folders_of(file.path.substr(slash == std::string::npos ? 0 : slash + 1))) {
        fqn.push_back(std::move(folder));
    }
    fqn.push_back(name);
    return fqn;
}

ConfigSource config_calls(const TestDefinition& test, const std::string& file) {
    YamlBuilder builder;
    builder.begin_map();
    for (const auto& [key, value] : test.config) {
        builder.key(key);
        add_value(value, builder);
    }
    builder.end_map();
    return {builder.finish(), file};
}

// "file.yml" of a test is that of a disabled node, too.
const Node* attached_node(const TestTarget& target, const Manifest& manifest) {
    if (target.source) return nullptr;
    const std::string& package = target.file->project->name;
    const ModelRef ref{target.name, package, target.version};
    if (const Node* node = manifest.find_ref(ref, package)) return node;
    for (const auto& node : manifest.disabled) {
        if (node->name == target.name && !node->test && node->version == target.version) return node.get();
    }
    return nullptr;
}

// Tests of dbt's own need no rendering to know what they depend on.
std::optional<Captured> known_references(const TestTarget& target, const Macro* macro) {
    if (macro == nullptr || macro->package != kBuiltinPackage) return std::nullopt;
    if (macro->name != "test_not_null" && macro->name != "test_unique") return std::nullopt;
    Captured captured;
    if (target.source) {
        captured.sources.push_back(*target.source);
    } else {
        captured.refs.push_back({target.name, std::nullopt, target.version});
    }
    return captured;
}

}  // namespace

std::vector<YamlNode> tests_of(const YamlNode& entry, const PropertyFile& file, Findings& findings) {
    const YamlNode& old_list = entry["tests"];
    const YamlNode& list = entry["data_tests"];
    if (!old_list.items().empty() && entry.find("data_tests") != nullptr) {
        findings.errors.push_back(
            wrong(file.path, entry, "Invalid test config: cannot have both 'tests' and 'data_tests' defined"));
        return {};
    }
    const YamlNode& tests = old_list.items().empty() ? list : old_list;
    if (!tests.is_list() && !tests.is_null()) {
        findings.errors.push_back(
            wrong(file.path, tests,
                  "data_tests takes a list, not " + std::string(to_string(tests.kind())) + ": " + shown_value(tests)));
    }
    return {tests.items().begin(), tests.items().end()};
}

void GenericTests::add(const TestTarget& target, const std::vector<YamlNode>& tests,
                       const std::vector<YamlNode>& columns, const std::vector<std::string>& tags, Findings& findings) {
    const char quote = parser_.invocation().adapter().relation_style().quote;
    for (const YamlNode& column : columns) {
        const auto column_tests = tests_of(column, *target.file, findings);
        if (column_tests.empty() || !column["name"].is_text()) continue;
        std::string name(column["name"].text());
        const YamlNode& quoted = column["quote"];
        if (quoted.is_boolean() ? quoted.boolean() : target.quotes_columns) name = quote + name + quote;
        std::vector<std::string> all_tags = tags;
        for (std::string& tag : own_tags(column)) all_tags.push_back(std::move(tag));
        for (const YamlNode& test : column_tests) pending_.push_back({target, test, name, all_tags});
    }
    for (const YamlNode& test : tests) pending_.push_back({target, test, std::nullopt, tags});
}

Result<std::unique_ptr<Node>> GenericTests::make_node(const Pending& pending, const Manifest& manifest) const {
    const TestTarget& target = pending.target;
    const PropertyFile& file = *target.file;
    const ContextServices& services = parser_.invocation().services();
    const SchemaScope scope(services, file.project->name);
    TestDefinition test = TRY(read_test(pending.test, file.path, pending.column, model_text(target), scope));
    TRY(check_macro(services, test, file.project->name, file.path, pending.test));
    TestName name{test.name, test.name};
    if (test.name.empty()) {
        std::string kind = (target.source ? "source_" : "") + test.macro;
        if (test.macro_package) kind = *test.macro_package + "_" + kind;
        name = generic_test_name(kind, target.version ? target.name + "_v" + *target.version : target.name,
                                 Value(test.arguments));
        const bool has_alias = std::any_of(test.config.begin(), test.config.end(),
                                           [](const auto& setting) { return setting.first == "alias"; });
        if (name.brief != name.full && !has_alias) test.config.emplace_back("alias", Value(name.brief));
    }
    static const ConfigSource kNoProperties{};
    NodeParser::Subject subject;
    subject.type = ResourceType::test;
    subject.project = file.project;
    subject.name = name.full;
    subject.fqn = fqn_of(file, name.full);
    subject.place = {name.brief + ".sql", file.path, pending.test.line()};
    subject.raw_code = test.raw_code();
    subject.lines_before = pending.test.line() > 0 ? pending.test.line() - 1 : 0;
    if (!test.config.empty()) subject.config_calls = config_calls(test, file.path);
    subject.properties = &kNoProperties;
    subject.unique_id = "test." + file.project->name + "." + name.full + "." +
                        generic_test_hash(name.full, test.macro, test.macro_package, Value(test.arguments));
    TestMetadata metadata;
    metadata.name = test.macro;
    metadata.macro_package = test.macro_package;
    metadata.arguments = Value(test.arguments);
    metadata.column_name = pending.column;
    metadata.file_key_name = target.section + "." + target.listed;
    const Node* attached = attached_node(target, manifest);
    if (attached != nullptr) metadata.attached_node = attached->unique_id;
    subject.test = std::move(metadata);
    subject.tags = pending.tags;
    for (const auto& [key, value] : test.config) {
        if (key != "tags") continue;
        if (value.is_string()) subject.tags.push_back(value.string());
        if (value.kind() == jinja::Kind::list) {
            for (const Value& tag : value.items()) subject.tags.push_back(tag.text());
        }
    }
    subject.tags = sorted_unique(std::move(subject.tags));
    const Macro* macro = find_test_macro(services, file.project->name, std::string(kTestPrefix) + test.macro);
    subject.known = known_references(target, macro);
    auto node = TRY(parser_.parse(std::move(subject)));
    node->description = std::move(test.description);
    if (attached != nullptr) node->group = attached->group;
    if (macro != nullptr) {
        auto& macros = node->depends_on_macros;
        std::erase(macros, macro->unique_id);
        macros.insert(macros.begin(), macro->unique_id);
    }
    return node;
}

void GenericTests::make_nodes(size_t threads, Manifest& manifest, Findings& findings) {
    std::vector<std::optional<Result<std::unique_ptr<Node>>>> made(pending_.size());
    in_parallel(pending_.size(), threads, [&](size_t i) { made[i] = make_node(pending_[i], manifest); });
    std::unordered_map<std::string_view, const Node*> known;
    for (auto& result : made) {
        if (!result->ok()) {
            findings.errors.push_back(result->release_error());
            continue;
        }
        std::unique_ptr<Node> node = result->release_value();
        const auto [same, is_new] = known.emplace(node->unique_id, node.get());
        if (!is_new) {
            const FilePlace& other = same->second->place;
            findings.errors.push_back(
                Error(ErrorKind::invalid_config,
                      "dbt found two tests with the name \"" + node->name + "\": the other is at " +
                          Place::in_file(other.original_path, static_cast<int>(other.line)).to_string() +
                          "; remove one of them, or give it a name")
                    .at(Place::in_file(node->place.original_path, static_cast<int>(node->place.line))));
            continue;
        }
        add_node(std::move(node), manifest);
    }
    pending_.clear();
}

}  // namespace shaduf::models
