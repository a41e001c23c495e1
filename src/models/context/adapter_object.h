#pragma once

#include "models/context/node_scope.h"

namespace shaduf::models {

// `adapter` of the context. What needs the database gives nothing while parsing, as dbt has it.
class AdapterObject final : public HostObject<AdapterObject> {
public:
    explicit AdapterObject(const NodeScope& scope) : scope_(scope) {}
    std::string_view type_name() const override { return "DatabaseWrapper"; }
    static std::span<const Method> methods();
    Result<std::optional<jinja::Value>> call_method(jinja::Vm& vm, std::string_view name,
                                                    const jinja::Arguments& arguments) const override;

private:
    using Arguments = jinja::Arguments;
    using Value = jinja::Value;
    using Vm = jinja::Vm;

    Result<std::optional<Value>> property(Vm& vm, std::string_view name) const override;
    // adapter_object.cc: itself and its macros
    Result<Value> call_type(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_dispatch(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_quote(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_quote_as_configured(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_quote_seed_column(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_execute(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_add_query(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_commit(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_nothing(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_warn_once(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_convert_type(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_incremental_strategies(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_incremental_macro(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_column_schema(Vm& vm, const Arguments& arguments) const;
    // adapter_relations.cc: what the database has
    Result<Value> call_get_relation(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_list_relations(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_list_uncached(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_list_schemas(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_check_schema_exists(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_get_columns(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_missing_columns(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_expand_columns(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_drop_relation(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_rename_relation(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_truncate_relation(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_create_schema(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_drop_schema(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_cache_added(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_cache_dropped(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_cache_renamed(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_already_exists(Vm& vm, const Arguments& arguments) const;
    // adapter_rules.cc: constraints, grants, snapshots
    Result<Value> call_column_constraints(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_model_constraints(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_standardize_grants(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_valid_snapshot(Vm& vm, const Arguments& arguments) const;
    Result<Value> call_hard_deletes(Vm& vm, const Arguments& arguments) const;

    bool is_parsing() const { return scope_.phase() == Phase::parse || scope_.session() == nullptr; }
    Result<Value> call_named_macro(Vm& vm, std::string_view name, std::span<const jinja::NamedValue> arguments) const;
    Result<std::vector<jinja::Ref<Relation>>> relations_in(Vm& vm, const std::string& database,
                                                           const std::string& schema) const;
    Result<std::vector<RelationCache::Link>> linked_relations(Vm& vm, const std::string& database) const;
    Result<Value> find_relation(Vm& vm, const std::string& database, const std::string& schema,
                                const std::string& identifier) const;
    Result<std::vector<jinja::Ref<Column>>> columns_of(Vm& vm, const Value& relation) const;
    Result<const Relation*> relation_argument(std::string_view function, const Value& value) const;

    const NodeScope& scope_;
};

}  // namespace shaduf::models
