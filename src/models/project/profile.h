#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "models/project/findings.h"
#include "models/yaml/render_tree.h"
#include "models/yaml/yaml_node.h"

namespace shaduf::models {

// Where profiles.yml may be, in the order of asking: the flag --profiles-dir, the variable DBT_PROFILES_DIR (either
// must have it), the working folder, the project's folder, ~/.dbt.
struct ProfilesSearch {
    std::optional<std::string> flag;
    std::optional<std::string> variable;
    std::string working_folder;
    std::string project_folder;
    std::string home_folder;
};

struct ProfilesFile {
    std::string path;
    YamlTree tree;  // as written: Jinja in it is rendered for the chosen target only
};

// invalid_config when there is none: the message lists where it was looked for.
Result<std::string> find_profiles(const ProfilesSearch& search);
// invalid_config: the file is empty or no YAML.
Result<ProfilesFile> load_profiles(const std::string& path);
inline Result<ProfilesFile> load_profiles(const ProfilesSearch& search) {
    return load_profiles(TRY(find_profiles(search)));
}

// One target of one profile, rendered.
struct ProfileTarget {
    std::string profile_name;
    std::string target_name;
    std::string type;     // duckdb, postgres, ...
    int64_t threads = 1;  // of the target; a flag may overrule it
    std::string file;
    uint32_t line = 0;  // of the target
    // All fields of the target, `type` and `threads` too.
    YamlTree credentials;
};

// The target that a run uses: `target_name`, else the profile's own `target` (rendered), else "default". Only that
// target is rendered, so that what others lack in variables is no error; a password that is no valid Jinja stays as it
// is. invalid_config when the profile or the target does not exist: the message lists those that do.
Result<ProfileTarget> choose_target(const ProfilesFile& profiles, const std::string& profile_name,
                                    const std::optional<std::string>& target_name, const RenderText& render);

}  // namespace shaduf::models
