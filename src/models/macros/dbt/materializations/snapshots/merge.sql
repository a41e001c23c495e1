{% macro snapshot_merge_sql(target, source, insert_cols) -%}
    {{ adapter.dispatch('snapshot_merge_sql', 'dbt')(target, source, insert_cols) }}
{%- endmacro %}

{% macro default__snapshot_merge_sql(target, source, insert_cols) -%}
    {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
    merge into {{ target.render() }} as DBT_INTERNAL_DEST
    using {{ source }} as DBT_INTERNAL_SOURCE
    on DBT_INTERNAL_SOURCE.{{ columns.dbt_scd_id }} = DBT_INTERNAL_DEST.{{ columns.dbt_scd_id }}

    when matched
        and {{ _snapshot_is_current(columns, 'DBT_INTERNAL_DEST.') }}
        and DBT_INTERNAL_SOURCE.dbt_change_type in ('update', 'delete')
        then update
        set {{ columns.dbt_valid_to }} = DBT_INTERNAL_SOURCE.{{ columns.dbt_valid_to }}

    when not matched
        and DBT_INTERNAL_SOURCE.dbt_change_type = 'insert'
        then insert ({{ insert_cols | join(', ') }})
        values ({{ insert_cols | join(', ') }})
{% endmacro %}

{# The same as two statements, for databases without merge: the old versions end, then the new ones come.
   target_name is what the target's columns are prefixed with. #}
{% macro _snapshot_update_insert_sql(target, target_name, source, insert_cols) -%}
    {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
    {%- set current_end = config.get('dbt_valid_to_current') -%}
    {%- set end = target_name ~ '.' ~ columns.dbt_valid_to -%}
    {%- set new_columns = [] -%}
    {%- for name in insert_cols -%}
        {%- do new_columns.append('DBT_INTERNAL_SOURCE.' ~ name) -%}
    {%- endfor -%}
    update {{ target }}{{ ' as ' ~ target_name if target_name != target | string }}
    set {{ columns.dbt_valid_to }} = DBT_INTERNAL_SOURCE.{{ columns.dbt_valid_to }}
    from {{ source }} as DBT_INTERNAL_SOURCE
    where DBT_INTERNAL_SOURCE.{{ columns.dbt_scd_id }}::text = {{ target_name }}.{{ columns.dbt_scd_id }}::text
      and DBT_INTERNAL_SOURCE.dbt_change_type::text in ('update'::text, 'delete'::text)
      and {{ '(' ~ end ~ ' = ' ~ current_end ~ ' or ' ~ end ~ ' is null)' if current_end else end ~ ' is null' }};

    insert into {{ target }} ({{ insert_cols | join(', ') }})
    select {{ new_columns | join(',') }}
    from {{ source }} as DBT_INTERNAL_SOURCE
    where DBT_INTERNAL_SOURCE.dbt_change_type::text = 'insert'::text;
{%- endmacro %}
