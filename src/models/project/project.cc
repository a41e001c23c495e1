#include "models/project/project.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.h"
#include "models/project/yaml_fields.h"
#include "models/yaml/parse_yaml.h"

namespace shaduf::models {
namespace {

namespace fs = std::filesystem;

// Of dbt, and of its adapters.
constexpr std::string_view kKnownFlags[] = {
    "cache_selected_only",
    "debug",
    "fail_fast",
    "indirect_selection",
    "log_format",
    "log_format_file",
    "log_level",
    "log_level_file",
    "partial_parse",
    "populate_cache",
    "printer_width",
    "send_anonymous_usage_stats",
    "static_parser",
    "use_colors",
    "use_colors_file",
    "use_experimental_parser",
    "version_check",
    "warn_error",
    "warn_error_options",
    "write_json",
    "require_batched_execution_for_custom_microbatch_strategy",
    "require_event_names_in_deprecations",
    "require_explicit_package_overrides_for_builtin_materializations",
    "require_resource_names_without_spaces",
    "source_freshness_run_project_hooks",
    "skip_nodes_if_on_run_start_fails",
    "state_modified_compare_more_unrendered_values",
    "state_modified_compare_vars",
    "require_yaml_configuration_for_mf_time_spines",
    "require_nested_cumulative_type_params",
    "validate_macro_args",
    "require_all_warnings_handled_by_warn_error",
    "require_generic_test_arguments_property",
    "require_unique_project_resource_names",
    "require_ref_searches_node_package_before_root",
    "enable_truthy_nulls_equals_macro",
    "restrict_direct_pg_catalog_access",
    "use_info_schema_for_columns",
    "use_user_folder_for_python",
    "use_materialization_v2",
    "use_managed_iceberg",
    "redshift_skip_autocommit_transaction_statements",
    "bigquery_use_batch_source_freshness",
};

constexpr std::array<std::string_view, kConfigSections> kSectionKeys = {
    "models",  "seeds",           "snapshots",     "sources",   "data_tests", "unit_tests",
    "metrics", "semantic-models", "saved-queries", "exposures", "functions"};

constexpr std::string_view kKnownKeys[] = {"name",
                                           "version",
                                           "config-version",
                                           "profile",
                                           "require-dbt-version",
                                           "project-root",
                                           "model-paths",
                                           "source-paths",
                                           "macro-paths",
                                           "data-paths",
                                           "seed-paths",
                                           "test-paths",
                                           "analysis-paths",
                                           "docs-paths",
                                           "asset-paths",
                                           "function-paths",
                                           "snapshot-paths",
                                           "target-path",
                                           "log-path",
                                           "packages-install-path",
                                           "clean-targets",
                                           "quoting",
                                           "query-comment",
                                           "dispatch",
                                           "on-run-start",
                                           "on-run-end",
                                           "vars",
                                           "flags",
                                           "restrict-access",
                                           "dbt-cloud",
                                           "packages",
                                           "models",
                                           "seeds",
                                           "snapshots",
                                           "analyses",
                                           "sources",
                                           "tests",
                                           "data_tests",
                                           "unit_tests",
                                           "metrics",
                                           "semantic-models",
                                           "saved-queries",
                                           "exposures",
                                           "functions"};

// Names that stand for something else wherever SQL is written.
constexpr std::string_view kReservedNames[] = {"_sql_results",
                                               "adapter",
                                               "api",
                                               "column",
                                               "config",
                                               "context",
                                               "database",
                                               "env",
                                               "env_var",
                                               "exceptions",
                                               "execute",
                                               "flags",
                                               "fromjson",
                                               "fromyaml",
                                               "graph",
                                               "invocation_id",
                                               "load_agate_table",
                                               "load_result",
                                               "log",
                                               "model",
                                               "modules",
                                               "post_hooks",
                                               "pre_hooks",
                                               "ref",
                                               "render",
                                               "return",
                                               "run_started_at",
                                               "schema",
                                               "source",
                                               "sql",
                                               "sql_now",
                                               "store_result",
                                               "store_raw_result",
                                               "target",
                                               "this",
                                               "tojson",
                                               "toyaml",
                                               "try_or_compiler_error",
                                               "var",
                                               "write"};

bool is_name(std::string_view name) {
    if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               static_cast<unsigned char>(c) >= 0x80;
    });
}

class ProjectReader {
public:
    ProjectReader(Project& project, Findings& findings)
        : project_(project), fields_(project.rendered.root(), project.file(), findings), findings_(findings) {}

    void read(VersionCheck check) {
        read_identity();
        read_required_version(check);
        read_paths();
        read_quoting();
        read_query_comment();
        read_dispatch();
        project_.on_run_start = fields_.text_or_texts("on-run-start").value_or(std::vector<std::string>{});
        project_.on_run_end = fields_.text_or_texts("on-run-end").value_or(std::vector<std::string>{});
        project_.restrict_access = fields_.boolean("restrict-access").value_or(false);
        for (const std::string_view key : kSectionKeys) fields_.map(key);
        for (const std::string_view key : {"tests", "vars", "flags", "dbt-cloud"}) fields_.map(key);
        const YamlNode& root = fields_.node();
        if (root["flags"].is_map()) {
            YamlFields(root["flags"], fields_.file(), findings_).warn_of_unknown(kKnownFlags, "flags");
        }
        if (!root["tests"].is_null() && !root["data_tests"].is_null()) {
            fields_.error(fields_.place_of("tests"), "both tests and data_tests are given; keep data_tests");
        }
        fields_.warn_of_unknown(kKnownKeys, kProjectFile);
    }

private:
    void read_identity() {
        project_.name = fields_.text("name").value_or("");
        const YamlNode& at = fields_.place_of("name");
        if (fields_.node()["name"].is_null()) {
            fields_.error(at, "the project has no name; add `name: my_project`");
        } else if (!is_name(project_.name)) {
            fields_.error(at, "not a name for a project: " + shown_value(fields_.node()["name"]) +
                                  "; use letters, digits and _, a letter first");
        } else if (std::count(std::begin(kReservedNames), std::end(kReservedNames), project_.name) > 0) {
            fields_.error(at, "the name is reserved: " + project_.name + "; choose another");
        }
        project_.version = fields_.text_or_number("version");
        project_.config_version = fields_.integer("config-version").value_or(2);
        if (project_.config_version != 2) {
            fields_.error(fields_.place_of("config-version"),
                          "config-version not known: " + std::to_string(project_.config_version) + "; write 2");
        }
        project_.profile = fields_.text("profile");
    }

    void read_required_version(VersionCheck check) {
        const auto texts = fields_.text_or_texts("require-dbt-version");
        if (!texts) return;
        const YamlNode& at = fields_.place_of("require-dbt-version");
        for (const auto& text : *texts) {
            auto bounds = parse_versions(text);
            if (!bounds.ok()) return fields_.error(at, bounds.error().message());
            for (auto& bound : bounds.value()) project_.require_dbt_version.push_back(std::move(bound));
        }
        if (check == VersionCheck::off) return;
        const auto range = VersionRange::all_of(project_.require_dbt_version);
        if (!range.ok()) {
            return fields_.error(at, "require-dbt-version can never hold: " + range.error().message() + "; widen it");
        }
        auto bounds = project_.require_dbt_version;
        bounds.insert(bounds.begin(), VersionBound::parse(kDbtVersion).value());
        if (!VersionRange::all_of(bounds).ok()) {
            fields_.error(at, "package " + project_.name + " needs dbt " + range.value().to_string() +
                                  "; shaduf does what dbt " + std::string(kDbtVersion) +
                                  " does: take another version of the package, or try --no-version-check");
        }
    }

    std::vector<std::string> paths(std::string_view key, std::string_view fallback) {
        if (auto given = fields_.texts(key)) return *given;
        return {std::string(fallback)};
    }

    // A key of old projects, under its new name.
    std::vector<std::string> paths(std::string_view key, std::string_view old_key, std::string_view fallback) {
        if (fields_.node().find(old_key) == nullptr) return paths(key, fallback);
        const YamlNode& at = fields_.place_of(old_key);
        if (fields_.node().find(key) != nullptr) {
            fields_.error(at, "both " + std::string(old_key) + " and " + std::string(key) + " are given; keep " +
                                  std::string(key));
        } else {
            fields_.warn(at, std::string(old_key) + " is an old key; write " + std::string(key));
        }
        return paths(fields_.node().find(key) != nullptr ? key : old_key, fallback);
    }

    void read_paths() {
        project_.model_paths = paths("model-paths", "source-paths", "models");
        project_.seed_paths = paths("seed-paths", "data-paths", "seeds");
        project_.macro_paths = paths("macro-paths", "macros");
        project_.test_paths = paths("test-paths", "tests");
        project_.analysis_paths = paths("analysis-paths", "analyses");
        project_.snapshot_paths = paths("snapshot-paths", "snapshots");
        project_.function_paths = paths("function-paths", "functions");
        project_.asset_paths = fields_.texts("asset-paths").value_or(std::vector<std::string>{});
        project_.docs_paths = fields_.texts("docs-paths").value_or(project_.all_source_paths());
        project_.target_path = fields_.text("target-path").value_or("target");
        project_.log_path = fields_.text("log-path").value_or("logs");
        project_.packages_install_path = fields_.text("packages-install-path").value_or("dbt_packages");
        project_.clean_targets = fields_.texts("clean-targets").value_or(std::vector{project_.target_path});
    }

    void read_quoting() {
        YamlFields quoting(fields_.map("quoting"), fields_.file(), findings_);
        project_.quoting.database = quoting.boolean("database");
        if (const auto project = quoting.boolean("project")) project_.quoting.database = project;  // BigQuery's word
        project_.quoting.schema = quoting.boolean("schema");
        project_.quoting.identifier = quoting.boolean("identifier");
        project_.quoting.snowflake_ignore_case = quoting.boolean("snowflake_ignore_case");
        constexpr std::string_view kKnown[] = {"database", "project", "schema", "identifier", "snowflake_ignore_case"};
        quoting.warn_of_unknown(kKnown, "quoting");
    }

    void read_query_comment() {
        const YamlNode* node = fields_.node().find("query-comment");
        if (node == nullptr) return;
        if (node->is_map()) {
            YamlFields comment(*node, fields_.file(), findings_);
            project_.query_comment.comment = comment.text("comment");
            project_.query_comment.append = comment.boolean("append").value_or(false);
            project_.query_comment.job_label = comment.boolean("job-label").value_or(false);
            constexpr std::string_view kKnown[] = {"comment", "append", "job-label"};
            comment.warn_of_unknown(kKnown, "query-comment");
            return;
        }
        const bool none = node->is_null() || (node->is_boolean() && !node->boolean());
        project_.query_comment.comment = none ? "" : fields_.text("query-comment");
    }

    void read_dispatch() {
        for (const YamlNode& item : fields_.list("dispatch").items()) {
            YamlFields rule(item, fields_.file(), findings_);
            const auto space = item.is_map() ? rule.text("macro_namespace") : std::nullopt;
            const auto order = item.is_map() ? rule.texts("search_order") : std::nullopt;
            if (space && order) {
                project_.dispatch.push_back({*space, *order});
            } else {
                fields_.error(
                    item, "an entry of dispatch takes macro_namespace (a text) and search_order (a list of packages)");
            }
        }
    }

    Project& project_;
    YamlFields fields_;
    Findings& findings_;
};

const YamlNode& section_of(const YamlNode& root, ConfigSection section) {
    const std::string_view key = to_string(section);
    const YamlNode* found = root.find(key);
    if (found == nullptr && section == ConfigSection::data_tests) return root["tests"];
    return found == nullptr ? root[""] : *found;
}

}  // namespace

std::string_view to_string(ConfigSection section) { return kSectionKeys[static_cast<size_t>(section)]; }

const YamlNode& Project::configs(ConfigSection section) const { return section_of(rendered.root(), section); }
const YamlNode& Project::unrendered_configs(ConfigSection section) const { return section_of(raw.root(), section); }

std::vector<std::string> Project::all_source_paths() const {
    std::vector<std::string> all;
    for (const auto* paths :
         {&model_paths, &seed_paths, &snapshot_paths, &analysis_paths, &macro_paths, &test_paths, &function_paths}) {
        for (std::string path : *paths) {
            while (path.ends_with('/')) path.pop_back();
            if (std::find(all.begin(), all.end(), path) == all.end()) all.push_back(std::move(path));
        }
    }
    return all;
}

Result<YamlTree> load_project_file(const std::string& root) {
    const std::string path = root + "/" + std::string(kProjectFile);
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
        const std::string above = find_project_root(root);
        return Error(
                   ErrorKind::invalid_config,
                   "no dbt_project.yml in " + root +
                       (above.empty() ? "; give the project's folder with --project-dir, or make one with `shaduf init`"
                                      : "; there is one in " + above + ": give it with --project-dir"))
            .at(Place::in_file(path, 0));
    }
    auto tree = TRY(load_yaml(path, path));
    if (!tree.root().is_map()) {
        return Error(ErrorKind::invalid_config, "dbt_project.yml is not a map, but " +
                                                    std::string(to_string(tree.root().kind())) +
                                                    "; begin with `name: my_project`")
            .at(Place::in_file(path, 1));
    }
    return tree;
}

bool renders_in_project(std::span<const YamlNode> keys) {
    const auto is_one_of = [](std::string_view key, std::initializer_list<std::string_view> names) {
        return std::find(names.begin(), names.end(), key) != names.end();
    };
    if (keys.empty()) return true;
    const std::string_view first = keys.front().text();
    if (is_one_of(first, {"on-run-start", "on-run-end", "query-comment", "vars"})) return false;
    if (!is_one_of(first, {"seeds", "models", "snapshots", "tests", "data_tests"})) return true;
    return std::none_of(keys.begin(), keys.end(), [&](const YamlNode& node) {
        std::string_view key = node.text();
        while (!key.empty() && (key.front() == '+' || key.front() == ' ')) key.remove_prefix(1);
        return is_one_of(key, {"pre-hook", "post-hook", "pre_hook", "post_hook"});
    });
}

Project read_project(std::string root, YamlTree raw, YamlTree rendered, VersionCheck check, Findings& findings) {
    Project project;
    project.root = std::move(root);
    project.raw = std::move(raw);
    project.rendered = std::move(rendered);
    warn_of_duplicates(project.raw, project.file(), findings);
    ProjectReader(project, findings).read(check);
    return project;
}

std::string find_project_root(const std::string& folder) {
    std::error_code ignored;
    for (fs::path path = fs::absolute(folder, ignored).lexically_normal();; path = path.parent_path()) {
        if (fs::exists(path / kProjectFile, ignored)) return path.string();
        if (path == path.parent_path()) return "";
    }
}

Result<std::optional<YamlTree>> load_selectors_file(const std::string& root) {
    const std::string path = root + "/selectors.yml";
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return std::optional<YamlTree>();
    auto tree = TRY(load_yaml(path, path));
    const YamlNode& list = tree.root()["selectors"];
    if (!tree.root().is_null() && !list.is_list()) {
        return Error(ErrorKind::invalid_config, "selectors.yml needs the key `selectors` with a list of selectors")
            .at(Place::in_file(path, static_cast<int>(list.line())));
    }
    return std::optional(std::move(tree));
}

}  // namespace shaduf::models
