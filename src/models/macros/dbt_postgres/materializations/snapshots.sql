{% macro postgres__snapshot_merge_sql(target, source, insert_cols) -%}
    {{ _snapshot_update_insert_sql(target, target | string, source, insert_cols) }}
{%- endmacro %}
