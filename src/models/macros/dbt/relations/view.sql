{% macro get_create_view_as_sql(relation, sql) -%}
    {{ adapter.dispatch('get_create_view_as_sql', 'dbt')(relation, sql) }}
{%- endmacro %}

{% macro default__get_create_view_as_sql(relation, sql) -%}
    {% do return(create_view_as(relation, sql)) %}
{% endmacro %}

{% macro create_view_as(relation, sql) -%}
    {{ adapter.dispatch('create_view_as', 'dbt')(relation, sql) }}
{%- endmacro %}

{% macro default__create_view_as(relation, sql) -%}
  {{ config.get('sql_header') or '' }}
  create view {{ relation.render() }}
    {% set checked = config.get('contract').enforced %}
    {% if checked %}
      {{ get_assert_columns_equivalent(sql) }}
    {%- endif %}
  as (
    {{ sql }}
  );
{%- endmacro %}

{% macro drop_view(relation) -%}
    {{ adapter.dispatch('drop_view', 'dbt')(relation) }}
{%- endmacro %}

{% macro default__drop_view(relation) -%}
    drop view if exists {{ relation.render() }} cascade
{%- endmacro %}

{% macro get_rename_view_sql(relation, new_name) %}
    {{- adapter.dispatch('get_rename_view_sql', 'dbt')(relation, new_name) -}}
{% endmacro %}

{% macro default__get_rename_view_sql(relation, new_name) %}
    {% do exceptions.raise_compiler_error('get_rename_view_sql is not there for the adapter ' ~ adapter.type()) %}
{% endmacro %}

{% macro get_replace_view_sql(relation, sql) %}
    {{- adapter.dispatch('get_replace_view_sql', 'dbt')(relation, sql) -}}
{% endmacro %}

{% macro default__get_replace_view_sql(relation, sql) %}
    {% do exceptions.raise_compiler_error('get_replace_view_sql is not there for the adapter ' ~ adapter.type()) %}
{% endmacro %}
