#include "models/configs/config_merge.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "models/configs/config_values.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/parse_yaml.h"
#include "models/yaml/yaml_builder.h"

namespace shaduf::models {
namespace {

struct GivenConfig {
    std::string_view name;
    YamlNode value;
};

Error merge_error(const std::string& file, const YamlNode& at, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message)).at(Place::in_file(file, static_cast<int>(at.line())));
}

// dict[name] = value
void set(std::vector<GivenConfig>& given, std::string_view name, const YamlNode& value) {
    for (GivenConfig& known : given) {
        if (known.name == name) {
            known.value = value;
            return;
        }
    }
    given.push_back({name, value});
}

std::string_view stripped_plus(std::string_view key) {
    if (key.starts_with('+')) key.remove_prefix(1);
    while (key.starts_with(' ')) key.remove_prefix(1);
    while (key.ends_with(' ')) key.remove_suffix(1);
    return key;
}

// The configs of one folder's map, without the folders in it.
std::vector<GivenConfig> configs_of(const YamlNode& map) {
    std::vector<GivenConfig> given;
    for (const YamlEntry& entry : map.entries()) {
        const std::string_view key = entry.key.text();
        if (key.starts_with('+')) {
            set(given, stripped_plus(key), entry.value);
        } else if (entry.key.is_text() && !entry.value.is_map()) {
            set(given, key, entry.value);
        }
    }
    return given;
}

std::vector<GivenConfig> all_of(const YamlNode& map) {
    std::vector<GivenConfig> given;
    for (const YamlEntry& entry : map.entries()) {
        if (entry.key.is_text()) given.push_back({entry.key.text(), entry.value});
    }
    return given;
}

std::string_view new_name(std::string_view name) {
    if (name == "pre_hook") return "pre-hook";
    return name == "post_hook" ? "post-hook" : name;
}

YamlTree default_config(ConfigResource resource) {
    YamlBuilder builder;
    builder.begin_map();
    for (const ConfigField& field : config_fields(resource)) {
        builder.key(field.name);
        const YamlTree value = parse_yaml(field.default_yaml, "").release_value();
        builder.keep(value);
        builder.add(value.root());
    }
    builder.end_map();
    return builder.finish();
}

}  // namespace

// A map of the section, its folders below it. The name of a node is a folder, too.
struct ConfigMerge::Level {
    std::string_view name;
    std::vector<GivenConfig> configs;
    std::vector<std::unique_ptr<Level>> folders;
    bool adds = false;  // this one, or one around it
    YamlTree merged;    // with those around it, over the defaults; of own levels
    std::optional<Error> error;

    const Level* find(std::string_view wanted) const {
        for (const auto& folder : folders) {
            if (folder->name == wanted) return folder.get();
        }
        return nullptr;
    }

    static std::unique_ptr<Level> create(std::string_view name, const YamlNode& map, bool adds_around) {
        auto level = std::make_unique<Level>();
        level->name = name;
        level->configs = configs_of(map);
        level->adds = adds_around || !level->configs.empty();
        for (const YamlEntry& entry : map.entries()) {
            const bool is_folder = entry.key.is_text() && entry.value.is_map() && !entry.key.text().starts_with('+');
            if (is_folder) level->folders.push_back(create(entry.key.text(), entry.value, level->adds));
        }
        return level;
    }
};

// One config being made: what it is so far, and each layer that comes over it.
class ConfigMerge::Merger {
public:
    Merger(const ConfigMerge& owner, const YamlTree& before) : owner_(owner) {
        builder_.keep(before);
        slots_.reserve(before.root().entries().size() + 8);
        for (const YamlEntry& entry : before.root().entries()) slots_.push_back(entry);
    }

    Result<void> apply(const std::vector<GivenConfig>& layer, const ConfigSource& source) {
        builder_.keep(source.tree);
        for (const GivenConfig& given : TRY(translate(layer, source))) {
            const ConfigField* field = find_config_field(owner_.resource_, given.name);
            // dbt drops hooks of what has none.
            if (field == nullptr && (given.name == "pre-hook" || given.name == "post-hook")) continue;
            YamlEntry& slot = slot_of(given.name);
            slot.value = field == nullptr ? given.value : TRY(merged(*field, slot.value, given.value, source));
        }
        return {};
    }

    YamlTree finish() {
        builder_.at({});
        builder_.begin_map();
        for (const YamlEntry& slot : slots_) {
            builder_.add(slot.key);
            builder_.add(slot.value);
        }
        builder_.end_map();
        return builder_.finish();
    }

private:
    // By the names that dbt knows them under.
    Result<std::vector<GivenConfig>> translate(const std::vector<GivenConfig>& layer,
                                               const ConfigSource& source) const {
        std::vector<GivenConfig> translated;
        for (const GivenConfig& given : layer) {
            std::string_view name = given.name;
            for (const auto& [alias, canonical] : owner_.aliases_) {
                if (name != alias) continue;
                name = canonical;
                const bool both =
                    std::any_of(layer.begin(), layer.end(), [&](const auto& other) { return other.name == canonical; });
                if (both) {
                    return merge_error(source.file, given.value,
                                       "both " + std::string(alias) + " and " + std::string(canonical) +
                                           " are given; keep " + std::string(canonical));
                }
            }
            set(translated, new_name(name), given.value);
        }
        return translated;
    }

    YamlEntry& slot_of(std::string_view name) {
        for (YamlEntry& slot : slots_) {
            if (slot.key.text() == name) return slot;
        }
        builder_.key(name);
        return slots_.emplace_back(YamlEntry{builder_.pop(), {}});
    }

    Result<YamlNode> merged(const ConfigField& field, const YamlNode& before, const YamlNode& given,
                            const ConfigSource& source) {
        // What could not even be merged on; other types are checked when all is merged.
        const bool checked = field.shape == ConfigShape::map || field.shape == ConfigShape::object ||
                             field.shape == ConfigShape::key || field.shape == ConfigShape::choice;
        if (checked && !config_fits(field, given)) {
            return merge_error(source.file, given,
                               "config " + std::string(field.name) + " takes " + config_takes(field) + ", not " +
                                   std::string(to_string(given.kind())) + ": " + shown_value(given));
        }
        switch (field.rule) {
            case ConfigMergeRule::clobber: return normal(field, given);
            case ConfigMergeRule::append: return normal(field, append_values(before, given, builder_));
            case ConfigMergeRule::update: return normal(field, update_map(before, given, builder_));
            case ConfigMergeRule::grants: return merge_grants(before, given, builder_);
        }
        return given;
    }

    YamlNode normal(const ConfigField& field, const YamlNode& value) {
        switch (field.shape) {
            case ConfigShape::hooks: return normal_hooks(value, builder_);
            case ConfigShape::object: return fill_object(value, owner_.defaults_.root()[field.name], builder_);
            case ConfigShape::integer_or_null: return whole_number(value);
            case ConfigShape::texts:
                if (!value.is_text()) return value;
                builder_.begin_list();
                builder_.add(value);
                builder_.end_list();
                return builder_.pop();
            case ConfigShape::switch_:
                if (!value.is_boolean()) return value;
                builder_.add_text(value.boolean() ? "on" : "off");
                return builder_.pop();
            default: return field.name == "freshness" ? model_freshness(value) : value;
        }
    }

    // As Python's int() makes it of what else may stand for a number.
    YamlNode whole_number(const YamlNode& value) {
        int64_t number = 0;
        const std::string_view digits = trim(value.text());
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        const bool is_number = value.is_text() && read.ec == std::errc{} && read.ptr == digits.data() + digits.size();
        if (!is_number && !value.is_boolean() && value.kind() != YamlKind::real) return value;
        if (value.is_boolean()) number = value.boolean() ? 1 : 0;
        if (value.kind() == YamlKind::real) {
            if (!(std::abs(value.real()) < 0x1p63)) return value;
            number = static_cast<int64_t>(value.real());
        }
        builder_.at({value.line(), value.column()});
        builder_.add_integer(number);
        return builder_.pop();
    }

    // Of a model, it is nothing without build_after.
    YamlNode model_freshness(const YamlNode& value) {
        if (value["build_after"].is_null()) return {};
        const YamlTree known = parse_yaml("{build_after: {count: ~, period: ~, updates_on: any}}", "").release_value();
        builder_.keep(known);
        return fill_object(value, known.root(), builder_);
    }

    const ConfigMerge& owner_;
    YamlBuilder builder_;
    std::vector<YamlEntry> slots_;
};

ConfigSection config_section(ConfigResource resource) {
    switch (resource) {
        case ConfigResource::seed: return ConfigSection::seeds;
        case ConfigResource::snapshot: return ConfigSection::snapshots;
        case ConfigResource::source: return ConfigSection::sources;
        case ConfigResource::data_test: return ConfigSection::data_tests;
        case ConfigResource::unit_test: return ConfigSection::unit_tests;
        case ConfigResource::metric: return ConfigSection::metrics;
        case ConfigResource::semantic_model: return ConfigSection::semantic_models;
        case ConfigResource::saved_query: return ConfigSection::saved_queries;
        case ConfigResource::exposure: return ConfigSection::exposures;
        case ConfigResource::function: return ConfigSection::functions;
        default: return ConfigSection::models;
    }
}

ConfigSource project_configs(const Project& project, ConfigResource resource) {
    YamlBuilder builder;
    builder.keep(project.rendered);
    builder.add(project.configs(config_section(resource)));
    return {builder.finish(), project.file()};
}

ConfigMerge::ConfigMerge(ConfigResource resource, ConfigSource own, std::optional<ConfigSource> root,
                         ConfigAliases aliases)
    : resource_(resource),
      own_(std::move(own)),
      root_(std::move(root)),
      aliases_(aliases),
      defaults_(default_config(resource)),
      own_levels_(Level::create("", own_.tree.root(), false)) {
    if (root_) root_levels_ = Level::create("", root_->tree.root(), false);
    const auto fill = [this](auto& self, Level& level, const YamlTree& around) -> void {
        Merger merger(*this, around);
        const auto applied = level.configs.empty() ? Result<void>() : merger.apply(level.configs, own_);
        if (!applied.ok()) level.error = applied.error();
        level.merged = level.configs.empty() || level.error ? around : merger.finish();
        for (auto& folder : level.folders) {
            folder->error = level.error;
            self(self, *folder, level.merged);
        }
    };
    fill(fill, *own_levels_, defaults_);
}

ConfigMerge::~ConfigMerge() = default;
ConfigMerge::ConfigMerge(ConfigMerge&&) noexcept = default;
ConfigMerge& ConfigMerge::operator=(ConfigMerge&&) noexcept = default;

Result<YamlTree> ConfigMerge::merge(std::span<const std::string_view> fqn, const ConfigSource* properties,
                                    const ConfigSource* calls) const {
    const Level* own = own_levels_.get();
    for (const std::string_view name : fqn) {
        const Level* next = own->find(name);
        if (next == nullptr) break;
        own = next;
    }
    if (own->error) return *own->error;
    std::vector<const Level*> over;
    if (root_levels_ != nullptr) {
        const Level* level = root_levels_.get();
        over.push_back(level);
        for (const std::string_view name : fqn) {
            level = level->find(name);
            if (level == nullptr) break;
            over.push_back(level);
        }
    }
    const bool nothing_over = over.empty() || !over.back()->adds;
    const auto is_empty = [](const ConfigSource* source) {
        return source == nullptr || source->tree.root().entries().empty();
    };
    if (is_empty(properties) && is_empty(calls) && nothing_over) return own->merged;
    Merger merger(*this, own->merged);
    for (const ConfigSource* source : {properties, calls}) {
        if (!is_empty(source)) TRY(merger.apply(all_of(source->tree.root()), *source));
    }
    for (const Level* level : over) TRY(merger.apply(level->configs, *root_));
    return merger.finish();
}

std::vector<std::vector<std::string>> ConfigMerge::unused_paths(
    std::span<const std::vector<std::string_view>> used) const {
    std::vector<std::vector<std::string>> unused;
    std::vector<std::string> path;
    const auto is_used = [&] {
        return std::any_of(used.begin(), used.end(), [&](const auto& fqn) {
            return fqn.size() >= path.size() && std::equal(path.begin(), path.end(), fqn.begin());
        });
    };
    const auto visit = [&](auto& self, const Level& level) -> void {
        for (const auto& folder : level.folders) {
            path.emplace_back(folder->name);
            if (!is_used()) {
                unused.push_back(path);
            } else {
                self(self, *folder);
            }
            path.pop_back();
        }
    };
    visit(visit, *own_levels_);
    return unused;
}

}  // namespace shaduf::models
