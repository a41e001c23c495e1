#include "models/command/list_command.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "base/text.h"
#include "models/artifacts/node_json.h"
#include "models/yaml/json_tree.h"

namespace shaduf::models {
namespace {

constexpr std::array<std::string_view, 10> kShownKeys = {
    "alias",  "name",          "package_name", "depends_on",         "tags",
    "config", "resource_type", "source_name",  "original_file_path", "unique_id"};

// What selects just this one.
std::string selector_of(const Member& member) {
    const std::string name = std::string(member.package) + "." + std::string(member.name);
    switch (member.type) {
        case ResourceType::source:
            return "source:" + std::string(member.package) + "." + member.source->source_name + "." +
                   member.source->name;
        case ResourceType::exposure:
        case ResourceType::metric:
        case ResourceType::saved_query:
        case ResourceType::semantic_model: return std::string(to_string(member.type)) + ":" + name;
        case ResourceType::unit_test:
            return "unit_test:" + name + (member.unit_test->version ? "_v" + *member.unit_test->version : "");
        default: return join(*member.fqn, ".");
    }
}

std::string name_of(const Member& member) {
    if (member.source != nullptr) return member.source->source_name + "." + member.source->name;
    return std::string(member.name) + (member.is_versioned() ? ".v" + *member.node->version : "");
}

std::string whole_json(const Invocation& invocation, const Member& member) {
    std::ostringstream out;
    JsonWriter writer(out);
    ResourceWriter resources(invocation.services(), writer);
    if (member.node != nullptr)
        resources.write(*member.node, nullptr);
    else if (member.source != nullptr)
        resources.write(*member.source);
    else if (member.declaration != nullptr)
        resources.write(*member.declaration);
    else
        resources.write(*member.unit_test);
    writer.finish();
    return std::move(out).str();
}

// "config.materialized": the null node when something on the way is not there.
const YamlNode* find_nested(const YamlNode& root, const std::string& path) {
    const YamlNode* at = &root;
    for (const std::string_view key : split(path, '.')) {
        at = at->find(key);
        if (at == nullptr) return nullptr;
    }
    return at;
}

Result<std::string> json_line(const Invocation& invocation, const Member& member) {
    const auto tree = TRY(parse_json(whole_json(invocation, member)));
    YamlBuilder builder;
    builder.begin_map();
    const auto wanted = invocation.arguments().texts("output-keys");
    for (const std::string& key : wanted) {
        const YamlNode* value = find_nested(tree.root(), key);
        const bool is_nested = key.find('.') != std::string::npos;
        if (value == nullptr || (is_nested && value->is_null())) continue;
        builder.key(key);
        builder.add(*value);
    }
    for (const YamlEntry& entry : tree.root().entries()) {
        const auto key = entry.key.text();
        if (!wanted.empty() || std::find(kShownKeys.begin(), kShownKeys.end(), key) == kShownKeys.end()) continue;
        builder.key(key);
        builder.add(entry.value);
    }
    builder.keep(tree);
    builder.end_map();
    return to_python_json(builder.finish().root());
}

Result<std::string> line_of(const Invocation& invocation, const Member& member, const std::string& output) {
    if (output == "name") return name_of(member);
    if (output == "path") return member.place->original_path;
    if (output == "json") return json_line(invocation, member);
    return selector_of(member);
}

}  // namespace

Result<void> print_list(const Invocation& invocation, const std::vector<const Member*>& members, Console& console) {
    static const std::vector<std::string> kOutputs = {"json", "name", "path", "selector"};
    const std::string given = invocation.arguments().text("output");
    const std::string output = given.empty() ? "selector" : to_lower(given);
    if (std::find(kOutputs.begin(), kOutputs.end(), output) == kOutputs.end()) {
        return Error(ErrorKind::invalid_config, "no output of list: " + given + did_you_mean(output, kOutputs));
    }
    if (members.empty()) console.message(MessageSink::Level::warning, "No nodes selected!");
    std::string text;
    for (const Member* member : members) text += TRY(line_of(invocation, *member, output)) + "\n";
    if (!text.empty()) console.print(text.substr(0, text.size() - 1));
    return {};
}

}  // namespace shaduf::models
