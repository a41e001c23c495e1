#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "models/project/findings.h"
#include "models/project/version.h"
#include "models/yaml/render_tree.h"
#include "models/yaml/yaml_node.h"

namespace shaduf::models {

inline constexpr std::string_view kProjectFile = "dbt_project.yml";

// The sections of dbt_project.yml that hold configs by folder.
enum class ConfigSection : uint8_t {
    models,
    seeds,
    snapshots,
    sources,
    data_tests,
    unit_tests,
    metrics,
    semantic_models,
    saved_queries,
    exposures,
    functions,
};
inline constexpr size_t kConfigSections = 11;
std::string_view to_string(ConfigSection section);  // as the key is written

struct DispatchRule {
    std::string macro_namespace;
    std::vector<std::string> search_order;
};

struct QueryComment {
    std::optional<std::string> comment;  // nullopt: dbt's own; "": none. Jinja, rendered when used
    bool append = false;
    bool job_label = false;
};

struct Quoting {
    std::optional<bool> database, schema, identifier;
    std::optional<bool> snowflake_ignore_case;
};

// One package: a folder with a dbt_project.yml. A plain value that holds the trees its nodes point into; every path as
// the file gives it, relative to `root`, defaults filled in.
struct Project {
    std::string root;  // as it was given, normalized
    std::string name;
    std::optional<std::string> version;
    int64_t config_version = 2;
    std::optional<std::string> profile;
    std::vector<VersionBound> require_dbt_version;  // empty: any

    std::vector<std::string> model_paths, macro_paths, seed_paths, test_paths, analysis_paths, docs_paths, asset_paths,
        snapshot_paths, function_paths;
    std::string target_path, log_path, packages_install_path;
    std::vector<std::string> clean_targets;

    Quoting quoting;
    QueryComment query_comment;
    std::vector<DispatchRule> dispatch;
    std::vector<std::string> on_run_start, on_run_end;  // Jinja, rendered when they run
    bool restrict_access = false;

    // Maps, or null. Values of vars may hold Jinja that is rendered when a var is used.
    const YamlNode& vars() const { return rendered.root()["vars"]; }
    const YamlNode& flags() const { return rendered.root()["flags"]; }
    const YamlNode& dbt_cloud() const { return rendered.root()["dbt-cloud"]; }
    // Rendered, and as written (hooks alike in both: they hold Jinja that runs later).
    const YamlNode& configs(ConfigSection section) const;
    const YamlNode& unrendered_configs(ConfigSection section) const;

    // Every folder that may hold YAML, each once.
    std::vector<std::string> all_source_paths() const;
    std::string file() const { return root + "/" + std::string(kProjectFile); }

    YamlTree raw;
    YamlTree rendered;
};

// The file as it is written. invalid_config when there is none, with the folders above that have one, or it is no map.
Result<YamlTree> load_project_file(const std::string& root);
// Which of its texts are rendered when it is read; the others wait: hooks, vars, query-comment.
bool renders_in_project(std::span<const YamlNode> keys);

// Reads the values. `rendered` is `raw` after render_tree(.., renders_in_project). Whatever is wrong is in `findings`;
// the project is of use only when these have no errors.
enum class VersionCheck : uint8_t { on, off };
Project read_project(std::string root, YamlTree raw, YamlTree rendered, VersionCheck check, Findings& findings);

// The folder at `folder` or above that has a dbt_project.yml, or "".
std::string find_project_root(const std::string& folder);

// selectors.yml as a tree; nullopt when there is none.
Result<std::optional<YamlTree>> load_selectors_file(const std::string& root);

}  // namespace shaduf::models
