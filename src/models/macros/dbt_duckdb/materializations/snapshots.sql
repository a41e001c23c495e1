{% macro duckdb__snapshot_merge_sql(target, source, insert_cols) -%}
    {{ _snapshot_update_insert_sql(target, 'DBT_INTERNAL_TARGET', source, insert_cols) }}
{%- endmacro %}

{% macro build_snapshot_staging_table(strategy, sql, target_relation) %}
    {% set place = duckdb__dispatch_temporary_relation(target_relation) %}
    {% set rows = snapshot_staging_table(strategy, sql, target_relation) %}
    {% call statement('build_snapshot_staging_relation') %}
        {{ create_table_as(place.temporary, place.relation, rows) }}
    {% endcall %}
    {% do return(place.relation) %}
{% endmacro %}

{% macro duckdb__post_snapshot(temporary_relation) %}
    {% do return(drop_relation(temporary_relation)) %}
{% endmacro %}
