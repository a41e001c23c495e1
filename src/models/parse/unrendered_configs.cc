#include "models/parse/unrendered_configs.h"

#include <algorithm>

#include "models/yaml/value.h"

namespace shaduf::models {

struct UnrenderedConfigs::Level {
    std::string_view name;
    Settings settings;
    std::vector<std::unique_ptr<const Level>> folders;

    static std::unique_ptr<const Level> create(std::string_view name, const YamlNode& map) {
        auto level = std::make_unique<Level>();
        level->name = name;
        for (const YamlEntry& entry : map.entries()) {
            std::string_view key = entry.key.text();
            if (key.starts_with('+')) {
                key.remove_prefix(1);
                level->settings.emplace_back(key, value_of_yaml(entry.value));
            } else if (entry.value.is_map()) {
                level->folders.push_back(create(key, entry.value));
            } else {
                level->settings.emplace_back(key, value_of_yaml(entry.value));
            }
        }
        return level;
    }
};

namespace {

void set(UnrenderedConfigs::Settings& settings, std::string_view name, const jinja::Value& value) {
    const auto known =
        std::find_if(settings.begin(), settings.end(), [&](const auto& one) { return one.first == name; });
    if (known == settings.end())
        settings.emplace_back(name, value);
    else
        known->second = value;
}

}  // namespace

UnrenderedConfigs::UnrenderedConfigs(const Project& project, const Project* root, ConfigResource resource)
    : own_(Level::create("", project.unrendered_configs(config_section(resource)))) {
    if (root != nullptr) root_ = Level::create("", root->unrendered_configs(config_section(resource)));
}
UnrenderedConfigs::~UnrenderedConfigs() = default;

UnrenderedConfigs::Settings UnrenderedConfigs::of(std::span<const std::string_view> fqn, const ConfigSource* properties,
                                                  const ConfigSource* calls) const {
    Settings settings;
    const auto add_levels = [&](const Level* level) {
        for (size_t i = 0; level != nullptr; ++i) {
            for (const auto& [name, value] : level->settings) set(settings, name, value);
            if (i == fqn.size()) break;
            const auto next = std::find_if(level->folders.begin(), level->folders.end(),
                                           [&](const auto& folder) { return folder->name == fqn[i]; });
            level = next == level->folders.end() ? nullptr : next->get();
        }
    };
    add_levels(own_.get());
    for (const ConfigSource* source : {properties, calls}) {
        if (source == nullptr) continue;
        for (const YamlEntry& entry : source->tree.root().entries()) {
            set(settings, entry.key.text(), value_of_yaml(entry.value));
        }
    }
    add_levels(root_.get());
    return settings;
}

}  // namespace shaduf::models
