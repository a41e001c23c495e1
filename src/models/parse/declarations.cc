#include "models/parse/declarations.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>

#include "base/run_context.h"
#include "base/text.h"
#include "models/parse/columns.h"
#include "models/parse/metric_properties.h"
#include "models/parse/static_reference.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using jinja::Dict;
using jinja::Kind;
using jinja::Ref;
using jinja::Value;

struct Section {
    std::string_view key;
    ResourceType type;
};
constexpr std::array<Section, 4> kSections = {{{"exposures", ResourceType::exposure},
                                               {"metrics", ResourceType::metric},
                                               {"semantic_models", ResourceType::semantic_model},
                                               {"saved_queries", ResourceType::saved_query}}};

Error wrong(const PropertyFile& file, const YamlNode& at, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message))
        .at(Place::in_file(file.path, static_cast<int>(at.line())));
}

std::vector<std::string> fqn_of(const PropertyFile& file, const std::string& name) {
    std::vector<std::string> fqn = {file.project->name};
    for (std::string& folder : folders_of(file.relative_path)) fqn.push_back(std::move(folder));
    fqn.push_back(name);
    return fqn;
}

// Sorted, with those of the merged config.
std::vector<std::string> all_tags(const YamlNode& entry, const NodeConfig& config) {
    std::vector<std::string> tags = own_tags(entry);
    const Value merged = config.get("tags");
    if (merged.kind() == Kind::list) {
        for (const Value& tag : merged.items()) tags.push_back(tag.text());
    }
    std::sort(tags.begin(), tags.end());
    tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
    return tags;
}

Value all_meta(const YamlNode& entry, const NodeConfig& config) {
    auto meta = jinja::make<Dict>();
    for (const Value& part : {value_of_yaml(entry["meta"]), config.get("meta")}) {
        if (part.kind() != Kind::dict) continue;
        for (const auto& [key, value] : part.dict().entries()) meta->set(key, value);
    }
    return Value(meta);
}

Result<void> add_reference(const std::string& text, const PropertyFile& file, const YamlNode& at, Declaration& made) {
    if (const auto reference = read_reference(text)) {
        if (reference->ref) made.refs.push_back(*reference->ref);
        if (reference->source) made.sources.push_back(*reference->source);
        if (!reference->metric.empty()) made.metrics.push_back(reference->metric);
        return {};
    }
    return wrong(file, at,
                 "not a reference: " + text + "; write ref('model'), source('name', 'table') or metric('name')");
}

Result<void> check_exposure(const PropertyFile& file, const YamlNode& entry) {
    const std::string name(entry["name"].text());
    const std::vector<std::string> types = {"dashboard", "notebook", "analysis", "ml", "application"};
    const std::string type(entry["type"].text());
    if (std::find(types.begin(), types.end(), type) == types.end()) {
        return wrong(file, entry,
                     "exposure " + name + " has no type that is known: " + type + did_you_mean(type, types));
    }
    const YamlNode& owner = entry["owner"];
    if (owner["name"].is_null() && owner["email"].is_null()) {
        return wrong(file, entry, "Exposure owner must have at least one of 'name' or 'email': exposure " + name);
    }
    return {};
}

Ref<Dict> exposure_properties(const YamlNode& entry) {
    auto all = jinja::make<Dict>();
    all->set("type", value_of_yaml(entry["type"]));
    auto owner = jinja::make<Dict>();
    owner->set("email", value_of_yaml(entry["owner"]["email"]));
    owner->set("name", value_of_yaml(entry["owner"]["name"]));
    for (const YamlEntry& part : entry["owner"].entries())
        owner->set(value_of_yaml(part.key), value_of_yaml(part.value));
    all->set("owner", Value(owner));
    for (const std::string_view key : {"label", "maturity", "url"}) all->set(Value(key), value_of_yaml(entry[key]));
    return all;
}

}  // namespace

Result<NodeConfig> DeclarationReader::configure(ResourceType type, const PropertyFile& file, const YamlNode& entry,
                                                const std::vector<std::string>& fqn) const {
    YamlBuilder builder;
    builder.keep(file.tree);
    builder.add(entry["config"]);
    const ConfigSource properties{builder.finish(), file.path};
    parser_.note_config_keys(type, *file.project, properties, {}, entry.line());
    const std::vector<std::string_view> names(fqn.begin(), fqn.end());
    const YamlTree merged = TRY(parser_.configs(type, *file.project).merge(names, &properties, nullptr));
    const auto errors =
        check_config(config_resource(type), merged.root(), Place::in_file(file.path, static_cast<int>(entry.line())));
    if (!errors.empty()) return errors.front();
    return node_config(type, merged);
}

Result<std::unique_ptr<Declaration>> DeclarationReader::make(ResourceType type, const PropertyFile& file,
                                                             const YamlNode& entry) const {
    auto made = std::make_unique<Declaration>();
    made->type = type;
    made->name = std::string(entry["name"].text());
    made->package = file.project->name;
    made->unique_id = std::string(to_string(type)) + "." + made->package + "." + made->name;
    made->place = {file.relative_path, file.path, entry.line()};
    made->fqn = fqn_of(file, made->name);
    made->config = TRY(configure(type, file, entry, made->fqn));
    made->tags = all_tags(entry, made->config);
    made->created_at = std::chrono::duration<double>(parser_.invocation().run().clock.now().time_since_epoch()).count();
    Ref<Dict> properties;
    switch (type) {
        case ResourceType::exposure:
            TRY(check_exposure(file, entry));
            properties = exposure_properties(entry);
            break;
        case ResourceType::metric: properties = metric_properties(entry); break;
        case ResourceType::semantic_model: properties = semantic_model_properties(entry); break;
        default: properties = saved_query_properties(entry); break;
    }
    properties->set("meta", all_meta(entry, made->config));
    if (const YamlNode& written = entry["description"]; written.is_text()) {
        auto description = descriptions_.render(written.text(), made->package, file.path);
        if (!description.ok()) return wrong(file, written, description.error().message());
        properties->set("description", Value(description.value().text));
    }
    if (const std::string group = made->config.text("group"); !group.empty()) properties->set("group", Value(group));
    for (const YamlNode& on : entry["depends_on"].items()) {
        TRY(add_reference(std::string(on.text()), file, on, *made));
    }
    if (type == ResourceType::semantic_model && entry["model"].is_text()) {
        TRY(add_reference(std::string(entry["model"].text()), file, entry["model"], *made));
    }
    made->properties = Value(properties);
    return made;
}

Result<std::unique_ptr<Group>> DeclarationReader::make_group(const PropertyFile& file, const YamlNode& entry) const {
    auto group = std::make_unique<Group>();
    group->name = std::string(entry["name"].text());
    group->package = file.project->name;
    group->unique_id = "group." + group->package + "." + group->name;
    group->place = {file.relative_path, file.path, entry.line()};
    if (entry["owner"]["name"].is_null() && entry["owner"]["email"].is_null()) {
        return wrong(file, entry, "Group owner must have at least one of 'name' or 'email': group " + group->name);
    }
    auto owner = jinja::make<Dict>();
    owner->set("email", value_of_yaml(entry["owner"]["email"]));
    owner->set("name", value_of_yaml(entry["owner"]["name"]));
    for (const YamlEntry& part : entry["owner"].entries())
        owner->set(value_of_yaml(part.key), value_of_yaml(part.value));
    group->owner = Value(owner);
    group->description = std::string(entry["description"].text());
    group->config = TRY(configure(ResourceType::group, file, entry, fqn_of(file, group->name)));
    return group;
}

void DeclarationReader::add(const PropertyFile& file, Manifest& manifest, Findings& findings) const {
    for (const Section& section : kSections) {
        for (const YamlNode& entry : file.entries(section.key)) {
            auto made = make(section.type, file, entry);
            if (!made.ok()) {
                findings.errors.push_back(made.release_error());
                continue;
            }
            const bool is_enabled = made.value()->config.flag("enabled");
            (is_enabled ? manifest.declarations : manifest.disabled_declarations).push_back(made.release_value());
        }
    }
    for (const YamlNode& entry : file.entries("groups")) {
        auto group = make_group(file, entry);
        if (group.ok())
            manifest.groups.push_back(group.release_value());
        else
            findings.errors.push_back(group.release_error());
    }
}

void DeclarationReader::resolve(Manifest& manifest, Findings& findings) {
    std::map<std::string, const Declaration*> measures, metrics;
    for (const auto& declaration : manifest.declarations) {
        if (declaration->type == ResourceType::metric) metrics[declaration->name] = declaration.get();
        if (declaration->type != ResourceType::semantic_model) continue;
        const Value* list = declaration->properties.dict().find("measures");
        if (list == nullptr || list->kind() != Kind::list) continue;
        for (const Value& measure : list->items()) {
            if (const Value* name = measure.dict().find("name")) measures[name->text()] = declaration.get();
        }
    }
    for (auto& declaration : manifest.declarations) {
        const auto depend = [&](const std::map<std::string, const Declaration*>& known, const std::string& name,
                                std::string_view what) {
            const auto found = known.find(name);
            if (found != known.end()) {
                auto& ids = declaration->depends_on_nodes;
                const std::string& id = found->second->unique_id;
                if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
                return;
            }
            std::vector<std::string> names;
            for (const auto& [other, of] : known) names.push_back(other);
            findings.errors.push_back(
                Error(ErrorKind::invalid_config, declaration->unique_id + " uses " + std::string(what) + " '" + name +
                                                     "', which was not found" + did_you_mean(name, names))
                    .at(Place::in_file(declaration->place.original_path, static_cast<int>(declaration->place.line))));
        };
        for (const std::string& name : input_measures(*declaration)) depend(measures, name, "measure");
        for (const std::string& name : input_metrics(*declaration)) depend(metrics, name, "metric");
        for (const auto& metric : declaration->metrics) depend(metrics, metric.back(), "metric");
    }
}

}  // namespace shaduf::models
