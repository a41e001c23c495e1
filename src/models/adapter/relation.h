#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "models/host_object.h"

namespace shaduf::models {

enum class RelationType : uint8_t { table, view, cte, materialized_view, external, pointer_table, function };
std::string_view to_string(RelationType type);
std::optional<RelationType> relation_type(std::string_view name);

// Which parts of a relation's name are quoted, or written at all.
struct RelationPolicy {
    bool database = true;
    bool schema = true;
    bool identifier = true;
    bool operator==(const RelationPolicy&) const = default;
};

// How one kind of database writes relations. Of static lifetime.
struct RelationStyle {
    std::string_view type_name;  // "DuckDBRelation"
    char quote = '"';
    RelationPolicy quoted = {};
    RelationPolicy included = {};
    bool subquery_needs_alias = true;
    bool tables_and_views_are_replaceable = false;  // CREATE OR REPLACE, ALTER ... RENAME by macros of their own
    size_t identifier_bytes_max = 0;                // 0: none
    // get_materialized_view_config_change_collection(described, model): none, or what is to change. nullptr: relations
    // have no such method.
    Result<jinja::Value> (*materialized_view_changes)(const jinja::Value& described,
                                                      const jinja::Value& model) = nullptr;
};

// Rows of a relation between two moments: an expression of a column and bounds as SQL prints them.
struct EventTimeFilter {
    std::string field;
    std::optional<std::string> start, end;
};

struct RelationPath {
    std::optional<std::string> database, schema, identifier;
    bool operator==(const RelationPath&) const = default;
};

// A table or view by name, as templates see it (dbt's Relation). Immutable.
class Relation final : public HostObject<Relation> {
public:
    struct Parts {
        RelationPath path;
        std::optional<RelationType> type;
        RelationPolicy quoted;
        RelationPolicy included;
        std::optional<int64_t> limit;
        std::optional<EventTimeFilter> event_time_filter;
        std::optional<std::string> external;          // stands for the name, as SQL
        std::optional<std::string> information_view;  // of an information schema: "tables"
        bool is_information_schema = false;
    };

    Relation(const RelationStyle& style, Parts parts) : style_(style), parts_(std::move(parts)) {}
    // invalid_config: the identifier is longer than the database takes.
    static Result<jinja::Ref<Relation>> create(const RelationStyle& style, Parts parts);

    const Parts& parts() const { return parts_; }
    const RelationStyle& style() const { return style_; }
    std::string_view identifier() const {
        return parts_.path.identifier ? *parts_.path.identifier : std::string_view();
    }
    std::string_view schema() const { return parts_.path.schema ? *parts_.path.schema : std::string_view(); }
    std::string_view database() const { return parts_.path.database ? *parts_.path.database : std::string_view(); }
    // `"database"."schema"."identifier"`, as the policies have it.
    std::string render() const;
    std::string quoted(std::string_view name) const;

    std::string_view type_name() const override { return style_.type_name; }
    // As dbt's, which packages test for by `is mapping`.
    Shape shape() const override { return Shape::mapping; }
    // The name, or the subquery of a limit or a filter.
    std::string text() const override;
    std::string repr() const override;
    bool equals(const jinja::Object& other) const override;
    size_t hash() const override;
    static std::span<const Method> methods();

private:
    Result<std::optional<jinja::Value>> property(jinja::Vm& vm, std::string_view name) const override;
    std::optional<jinja::Value> view_changes_method() const;
    Result<jinja::Value> call_render(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_quote(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_include(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_quoted(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_incorporate(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_replace_path(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_without_identifier(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_information_schema(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_matches(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_get(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_add_ephemeral_prefix(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_scd_args(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_function_config(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_function_macro_name(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_name_length_max(jinja::Vm& vm, const jinja::Arguments& arguments) const;

    const RelationStyle& style_;
    const Parts parts_;
};

// api.Relation and adapter.Relation: makes relations with the project's quoting.
class RelationClass final : public HostObject<RelationClass> {
public:
    RelationClass(const RelationStyle& style, RelationPolicy quoted) : style_(style), quoted_(quoted) {}
    std::string_view type_name() const override { return "RelationProxy"; }
    static std::span<const Method> methods();

private:
    Result<std::optional<jinja::Value>> property(jinja::Vm& vm, std::string_view name) const override;
    Result<jinja::Value> call_create(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_scd_args(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_add_ephemeral_prefix(jinja::Vm& vm, const jinja::Arguments& arguments) const;

    const RelationStyle& style_;
    const RelationPolicy quoted_;
};

inline constexpr std::string_view kEphemeralPrefix = "__dbt__cte__";

}  // namespace shaduf::models
