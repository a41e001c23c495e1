#include "models/configs/config_keys.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <vector>

#include "base/text.h"

namespace shaduf::models {
namespace {

// Configs of materializations and adapters, of all that packages are written for: what is meant for another database is
// no slip.
constexpr auto kOthers = std::to_array<std::string_view>({
    "auto_liquid_cluster",
    "auto_refresh",
    "automatic_clustering",
    "backup",
    "base_location_root",
    "base_location_subpath",
    "bind",
    "buckets",
    "catalog",
    "catalog_name",
    "change_tracking",
    "cluster_by",
    "clustered_by",
    "compression",
    "copy_grants",
    "copy_partitions",
    "csv_read_options",
    "date_format",
    "datetime_format",
    "delimiter",
    "description",
    "dist",
    "enable_change_history",
    "enable_list_inference",
    "enable_refresh",
    "entry_point",
    "external_location",
    "external_root",
    "external_volume",
    "fast",
    "file_format",
    "format",
    "formatter",
    "glue_database",
    "glue_register",
    "grant_access_to",
    "hard_deletes",
    "header",
    "hours_to_expiration",
    "identifier",
    "incremental_apply_config_changes",
    "incremental_predicates",
    "indexes",
    "initialize",
    "intermediate_format",
    "invalidate_hard_deletes",
    "job_execution_timeout_seconds",
    "json_read_options",
    "kms_key_name",
    "labels",
    "liquid_clustered_by",
    "location",
    "location_root",
    "matched_condition",
    "max_staleness",
    "merge_clauses",
    "merge_exclude_columns",
    "merge_insert_condition",
    "merge_on_using_columns",
    "merge_returning_columns",
    "merge_update_columns",
    "merge_update_condition",
    "merge_update_set_expressions",
    "merge_with_schema_evolution",
    "mode",
    "not_matched_by_source_action",
    "not_matched_condition",
    "on_error",
    "options",
    "overrides",
    "parameters",
    "params",
    "parquet_read_options",
    "partition_by",
    "partition_columns",
    "partition_expiration_days",
    "partitioned_by",
    "partitions",
    "pg_schema",
    "plugin",
    "policy_tags",
    "post_hook",
    "pre_hook",
    "predicates",
    "publish",
    "query_group",
    "query_tag",
    "read_only",
    "refresh_interval_minutes",
    "refresh_mode",
    "require_partition_filter",
    "resource_tags",
    "row_access_policy",
    "runtime_version",
    "save_mode",
    "secret",
    "secure",
    "snapshot_table_column_names",
    "snowflake_warehouse",
    "sort",
    "sort_by",
    "sort_type",
    "sorted_by",
    "source_alias",
    "sql_header",
    "strategy",
    "submission_method",
    "table_format",
    "table_properties",
    "table_tag",
    "target_alias",
    "target_lag",
    "tblproperties",
    "timeout",
    "tmp_relation_type",
    "transient",
    "unlogged",
    "use_anonymous_sproc",
    "version",
    "volatility",
});

bool is_known(ConfigResource resource, std::string_view key) {
    return find_config_field(resource, key) != nullptr || std::binary_search(kOthers.begin(), kOthers.end(), key);
}

std::vector<std::string> known_names(ConfigResource resource) {
    std::vector<std::string> names(kOthers.begin(), kOthers.end());
    for (const ConfigField& field : config_fields(resource)) names.emplace_back(field.name);
    return names;
}

bool is_word(char c) { return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The line of the code where a call gives the key: `key=`, or "key" as a key of a dict. 0: there is none.
size_t line_of_key(std::string_view code, std::string_view key) {
    for (size_t at = code.find(key); at != std::string_view::npos; at = code.find(key, at + 1)) {
        if (at > 0 && is_word(code[at - 1])) continue;
        size_t next = at + key.size();
        if (next < code.size() && (code[next] == '\'' || code[next] == '"')) ++next;
        next = code.find_first_not_of(" \t\r\n", next);
        if (next == std::string_view::npos || (code[next] != '=' && code[next] != ':')) continue;
        return 1 + static_cast<size_t>(std::count(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    }
    return 0;
}

constexpr std::array<ConfigResource, 9> kInProject = {
    ConfigResource::model,          ConfigResource::seed,        ConfigResource::snapshot,
    ConfigResource::source,         ConfigResource::data_test,   ConfigResource::unit_test,
    ConfigResource::semantic_model, ConfigResource::saved_query, ConfigResource::exposure,
};

}  // namespace

void ConfigKeys::note(ConfigResource resource, std::string_view key, const std::string& file, size_t line) {
    if (key.starts_with('+')) key.remove_prefix(1);
    if (is_known(resource, key)) return;
    const std::lock_guard lock(mutex_);
    const auto known = unknown_.find({file, std::string(key)});
    if (known == unknown_.end())
        unknown_.emplace(std::pair(file, std::string(key)), Unknown{resource, static_cast<int>(line)});
    else
        known->second.line = std::min(known->second.line, static_cast<int>(line));
}

void ConfigKeys::note(ConfigResource resource, const ConfigSource& source, std::string_view code, size_t line) {
    for (const YamlEntry& entry : source.tree.root().entries()) {
        const std::string_view key = entry.key.text();
        if (is_known(resource, key)) continue;
        const size_t in_code = line_of_key(code, key);
        const size_t known_line = entry.key.line() > 0 ? entry.key.line() : line;
        note(resource, key, source.file, in_code > 0 ? line + in_code - 1 : known_line);
    }
}

void ConfigKeys::note_levels(ConfigResource resource, const YamlNode& level, const std::string& file) {
    for (const YamlEntry& entry : level.entries()) {
        const std::string_view key = entry.key.text();
        if (key.starts_with('+') || !entry.value.is_map())
            note(resource, key, file, entry.key.line());
        else if (!is_known(resource, key))
            note_levels(resource, entry.value, file);
    }
}

void ConfigKeys::note_project(const Project& project) {
    for (const ConfigResource resource : kInProject) {
        const ConfigSource source = project_configs(project, resource);
        note_levels(resource, source.tree.root(), std::string(kProjectFile));
    }
}

void ConfigKeys::warn(const std::function<bool(std::string_view key)>& is_read, Findings& findings) const {
    std::vector<std::pair<std::pair<std::string, std::string>, Unknown>> ordered(unknown_.begin(), unknown_.end());
    std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
        return std::tie(a.first.first, a.second.line) < std::tie(b.first.first, b.second.line);
    });
    for (const auto& [place, unknown] : ordered) {
        const auto& [file, key] = place;
        if (is_read(key)) continue;
        const auto near = nearest(key, known_names(unknown.resource));
        findings.warnings.push_back(
            Error(ErrorKind::invalid_config,
                  "unknown config of a " + std::string(to_string(unknown.resource)) + ": " + key +
                      (near ? "; did you mean " + *near + "?" : "; nothing reads it: put what is your own below meta"))
                .at(Place::in_file(file, unknown.line)));
    }
}

}  // namespace shaduf::models
