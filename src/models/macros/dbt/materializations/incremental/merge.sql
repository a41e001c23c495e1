{% macro get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {# `predicates` is the old name of the last argument #}
    {{ adapter.dispatch('get_merge_sql', 'dbt')(
        target, source, unique_key, dest_columns, kwargs.get('predicates', incremental_predicates)) }}
{%- endmacro %}

{% macro default__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {%- set names = get_quoted_csv(dest_columns | map(attribute='name')) -%}
    {%- set updated = get_merge_update_columns(config.get('merge_update_columns'), config.get('merge_exclude_columns'), dest_columns) -%}
    {%- set matches = (incremental_predicates or []) + _merge_key_matches(unique_key) -%}
    {{ config.get('sql_header') or '' }}

    merge into {{ target }} as DBT_INTERNAL_DEST
        using {{ source }} as DBT_INTERNAL_SOURCE
        on ({{ matches | join(') and (') }})

    {% if unique_key %}
    when matched then update set
        {% for name in updated -%}
            {{ name }} = DBT_INTERNAL_SOURCE.{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    {% endif %}

    when not matched then insert
        ({{ names }})
    values
        ({{ names }})

{% endmacro %}

{# The conditions under which a new row and a row of the target are one; without a key no two are. #}
{% macro _merge_key_matches(unique_key) %}
    {% if not unique_key %}
        {% do return(['FALSE']) %}
    {% elif unique_key is string %}
        {% do return([get_merge_unique_key_match(
            ('DBT_INTERNAL_SOURCE.' ~ unique_key) | trim, ('DBT_INTERNAL_DEST.' ~ unique_key) | trim)]) %}
    {% endif %}
    {% set matches = [] %}
    {% for part in unique_key %}
        {% do matches.append('DBT_INTERNAL_SOURCE.' ~ part ~ ' = DBT_INTERNAL_DEST.' ~ part) %}
    {% endfor %}
    {% do return(matches) %}
{% endmacro %}

{% macro get_merge_unique_key_match(source_unique_key, target_unique_key) %}
    {% do return(adapter.dispatch('get_merge_unique_key_match', 'dbt')(source_unique_key, target_unique_key)) %}
{% endmacro %}

{% macro default__get_merge_unique_key_match(source_unique_key, target_unique_key) -%}
    {% do return(equals(source_unique_key, target_unique_key) | trim) %}
{%- endmacro %}

{% macro get_merge_update_columns(merge_update_columns, merge_exclude_columns, dest_columns) %}
    {% do return(adapter.dispatch('get_merge_update_columns', 'dbt')(merge_update_columns, merge_exclude_columns, dest_columns)) %}
{% endmacro %}

{% macro default__get_merge_update_columns(merge_update_columns, merge_exclude_columns, dest_columns) %}
    {% if merge_update_columns and merge_exclude_columns %}
        {% do exceptions.raise_compiler_error(
            'A model has either merge_update_columns or merge_exclude_columns, not both: remove one of them') %}
    {% elif merge_update_columns %}
        {% do return(merge_update_columns) %}
    {% endif %}
    {% set excluded = (merge_exclude_columns or []) | map('lower') | list %}
    {% set updated = [] %}
    {% for col in dest_columns if col.column | lower not in excluded %}
        {% do updated.append(col.quoted) %}
    {% endfor %}
    {% do return(updated) %}
{% endmacro %}
