#include "models/project/profile.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/parse_yaml.h"

namespace shaduf::models {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kProfilesFile = "profiles.yml";

Error profile_error(const std::string& file, const YamlNode& at, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message)).at(Place::in_file(file, static_cast<int>(at.line())));
}

std::vector<std::string> names_of(const YamlNode& map, std::string_view besides = {}) {
    std::vector<std::string> names;
    for (const YamlEntry& entry : map.entries()) {
        if (entry.key.is_text() && entry.key.text() != besides) names.emplace_back(entry.key.text());
    }
    return names;
}

std::string known_names(const std::vector<std::string>& names) {
    return names.empty() ? "; there is none" : "; there are: " + join(names, ", ");
}

Result<std::string> pick_target_name(const ProfilesFile& profiles, const YamlNode& profile,
                                     const std::optional<std::string>& given, const RenderText& render) {
    if (given) return *given;
    const YamlNode* target = profile.find("target");
    if (target == nullptr) return std::string("default");
    std::string name(target->text());
    if (target->is_text() && has_jinja(name)) {
        YamlBuilder builder;
        TRY(render(*target, {}, builder));
        const YamlTree rendered = builder.finish();
        if (rendered.root().is_text()) return std::string(rendered.root().text());
        return profile_error(profiles.path, *target, "target does not render to a text: " + name);
    }
    if (!target->is_text()) {
        return profile_error(
            profiles.path, *target,
            "target takes the name of one of the outputs, not " + std::string(to_string(target->kind())));
    }
    return name;
}

Result<YamlTree> render_credentials(const YamlTree& tree, const YamlNode& target, const RenderText& render) {
    YamlBuilder alone;
    alone.keep(tree);
    alone.add(target);
    return render_tree(
        alone.finish(), [&](const YamlNode& text, std::span<const YamlNode> keys, YamlBuilder& out) -> Result<void> {
            const bool password =
                std::any_of(keys.begin(), keys.end(), [](const YamlNode& key) { return key.text() == "password"; });
            if (!password) return render(text, keys, out);
            // Passwords may look like Jinja, so a failure is none here.
            YamlBuilder attempt;
            if (!render(text, keys, attempt).ok()) {
                out.add(text);
                return {};
            }
            const YamlTree rendered = attempt.finish();
            out.keep(rendered);
            out.add(rendered.root());
            return {};
        });
}

}  // namespace

Result<std::string> find_profiles(const ProfilesSearch& search) {
    const auto file_in = [](const std::string& folder) { return (fs::path(folder) / kProfilesFile).string(); };
    std::error_code ignored;
    for (const auto& [given, what] :
         {std::pair(search.flag, "--profiles-dir"), std::pair(search.variable, "DBT_PROFILES_DIR")}) {
        if (!given) continue;
        if (fs::exists(file_in(*given), ignored)) return file_in(*given);
        return Error(ErrorKind::invalid_config, "no profiles.yml in " + *given + ", the folder of " + what +
                                                    "; correct it, or put the file there");
    }
    std::vector<std::string> tried;
    const std::string in_home = search.home_folder.empty() ? "" : search.home_folder + "/.dbt";
    for (const auto& folder : {search.working_folder, search.project_folder, in_home}) {
        if (folder.empty() || std::find(tried.begin(), tried.end(), folder) != tried.end()) continue;
        if (fs::exists(file_in(folder), ignored)) return file_in(folder);
        tried.push_back(folder);
    }
    return Error(ErrorKind::invalid_config, "no profiles.yml found; looked in: " + join(tried, ", ") +
                                                "; write one, or give its folder with --profiles-dir");
}

Result<ProfilesFile> load_profiles(const std::string& path) {
    ProfilesFile profiles;
    profiles.path = path;
    profiles.tree = TRY(load_yaml(profiles.path, profiles.path, YamlStrip::none));
    if (!profiles.tree.root().is_map()) {
        return profile_error(profiles.path, profiles.tree.root(),
                             "profiles.yml holds " + std::string(to_string(profiles.tree.root().kind())) +
                                 "; it takes a map of profiles, each with target and outputs");
    }
    return profiles;
}

Result<ProfileTarget> choose_target(const ProfilesFile& profiles, const std::string& profile_name,
                                    const std::optional<std::string>& target_name, const RenderText& render) {
    const YamlNode& root = profiles.tree.root();
    const YamlNode* profile = root.find(profile_name);
    if (profile == nullptr) {
        const auto names = names_of(root, "config");
        const auto near = nearest(profile_name, names);
        return profile_error(
            profiles.path, root,
            "no profile " + profile_name + known_names(names) + (near ? "; did you mean " + *near + "?" : ""));
    }
    const YamlNode& outputs = (*profile)["outputs"];
    if (!outputs.is_map()) {
        return profile_error(profiles.path, *root.find_key(profile_name),
                             "profile " + profile_name + " has no outputs; add `outputs:` with a target");
    }
    const std::string name = TRY(pick_target_name(profiles, *profile, target_name, render));
    const YamlNode* target = outputs.find(name);
    if (target == nullptr) {
        return profile_error(profiles.path, *root.find_key(profile_name),
                             "profile " + profile_name + " has no target " + name + known_names(names_of(outputs)) +
                                 (target_name ? "; give one of them with --target" : "; set `target:` to one of them"));
    }
    if (!target->is_map()) {
        return profile_error(
            profiles.path, *outputs.find_key(name),
            "target " + name + " takes a map with type and credentials, not " + std::string(to_string(target->kind())));
    }
    ProfileTarget chosen{.profile_name = profile_name,
                         .target_name = name,
                         .file = profiles.path,
                         .line = outputs.find_key(name)->line(),
                         .credentials = {}};
    auto rendered = render_credentials(profiles.tree, *target, render);
    if (!rendered.ok()) return rendered.error().at(Place::in_file(profiles.path, static_cast<int>(target->line())));
    chosen.credentials = rendered.release_value();
    Findings findings;
    YamlFields fields(chosen.credentials.root(), profiles.path, findings);
    chosen.type = fields.text("type").value_or("");
    chosen.threads = fields.integer("threads").value_or(1);
    if (!findings.ok()) return findings.errors.front();
    if (chosen.type.empty()) {
        return profile_error(profiles.path, *outputs.find_key(name),
                             "target " + name + " has no type; add `type: duckdb`");
    }
    if (chosen.threads < 1)
        return profile_error(profiles.path, fields.place_of("threads"), "threads must be 1 or more");
    return chosen;
}

}  // namespace shaduf::models
