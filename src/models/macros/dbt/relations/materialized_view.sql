{% macro get_create_materialized_view_as_sql(relation, sql) -%}
    {{ adapter.dispatch('get_create_materialized_view_as_sql', 'dbt')(relation, sql) }}
{%- endmacro %}

{% macro default__get_create_materialized_view_as_sql(relation, sql) -%}
    {% do exceptions.raise_compiler_error('The adapter ' ~ adapter.type() ~ ' has no materialized views') %}
{% endmacro %}

{% macro get_replace_materialized_view_sql(relation, sql) %}
    {{- adapter.dispatch('get_replace_materialized_view_sql', 'dbt')(relation, sql) -}}
{% endmacro %}

{% macro default__get_replace_materialized_view_sql(relation, sql) %}
    {% do exceptions.raise_compiler_error('get_replace_materialized_view_sql is not there for the adapter ' ~ adapter.type()) %}
{% endmacro %}

{% macro drop_materialized_view(relation) -%}
    {{ adapter.dispatch('drop_materialized_view', 'dbt')(relation) }}
{%- endmacro %}

{% macro default__drop_materialized_view(relation) -%}
    drop materialized view if exists {{ relation.render() }} cascade
{%- endmacro %}

{% macro get_rename_materialized_view_sql(relation, new_name) %}
    {{- adapter.dispatch('get_rename_materialized_view_sql', 'dbt')(relation, new_name) -}}
{% endmacro %}

{% macro default__get_rename_materialized_view_sql(relation, new_name) %}
    {% do exceptions.raise_compiler_error('get_rename_materialized_view_sql is not there for the adapter ' ~ adapter.type()) %}
{% endmacro %}

{% macro refresh_materialized_view(relation) %}
    {%- do log('REFRESH of ' ~ relation) -%}
    {{ adapter.dispatch('refresh_materialized_view', 'dbt')(relation) }}
{%- endmacro %}

{% macro default__refresh_materialized_view(relation) %}
    {% do exceptions.raise_compiler_error('The adapter ' ~ adapter.type() ~ ' has no materialized views') %}
{% endmacro %}

{% macro get_alter_materialized_view_as_sql(relation, configuration_changes, sql, existing_relation, backup_relation, intermediate_relation) %}
    {%- do log('ALTER of ' ~ relation) -%}
    {{ adapter.dispatch('get_alter_materialized_view_as_sql', 'dbt')(
        relation, configuration_changes, sql, existing_relation, backup_relation, intermediate_relation) }}
{%- endmacro %}

{% macro default__get_alter_materialized_view_as_sql(relation, configuration_changes, sql, existing_relation, backup_relation, intermediate_relation) %}
    {% do exceptions.raise_compiler_error('The adapter ' ~ adapter.type() ~ ' has no materialized views') %}
{% endmacro %}

{# What get_alter_materialized_view_as_sql is to change, or none. #}
{% macro get_materialized_view_configuration_changes(existing_relation, new_config) %}
    {%- do log('Comparing the configuration of ' ~ existing_relation) -%}
    {%- do return(adapter.dispatch('get_materialized_view_configuration_changes', 'dbt')(existing_relation, new_config)) -%}
{% endmacro %}

{% macro default__get_materialized_view_configuration_changes(existing_relation, new_config) %}
    {% do exceptions.raise_compiler_error('The adapter ' ~ adapter.type() ~ ' has no materialized views') %}
{% endmacro %}
