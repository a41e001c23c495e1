{% macro get_insert_overwrite_merge_sql(target, source, dest_columns, predicates, include_sql_header=false) -%}
    {{ adapter.dispatch('get_insert_overwrite_merge_sql', 'dbt')(target, source, dest_columns, predicates, include_sql_header) }}
{%- endmacro %}

{# A merge that matches nothing: the rows of the target that the predicates name go, all new rows come. #}
{% macro default__get_insert_overwrite_merge_sql(target, source, dest_columns, predicates, include_sql_header) -%}
    {%- set names = get_quoted_csv(dest_columns | map(attribute='name')) -%}
    {{ (config.get('sql_header') or '') if include_sql_header }}

    merge into {{ target }} as DBT_INTERNAL_DEST
        using {{ source }} as DBT_INTERNAL_SOURCE
        on FALSE

    when not matched by source
        {{ 'and ' ~ predicates | join(' and ') if predicates }}
        then delete

    when not matched then insert
        ({{ names }})
    values
        ({{ names }})

{% endmacro %}
