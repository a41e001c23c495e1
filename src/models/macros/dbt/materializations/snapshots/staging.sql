{% macro build_snapshot_staging_table(strategy, sql, target_relation) %}
    {% set staged = make_temp_relation(target_relation) %}
    {% set rows = snapshot_staging_table(strategy, sql, target_relation) %}
    {% call statement('build_snapshot_staging_relation') %}
        {{ create_table_as(True, staged, rows) }}
    {% endcall %}
    {% do return(staged) %}
{% endmacro %}

{% macro post_snapshot(staging_relation) %}
    {{ adapter.dispatch('post_snapshot', 'dbt')(staging_relation) }}
{% endmacro %}

{% macro default__post_snapshot(staging_relation) %}
{% endmacro %}

{% macro snapshot_staging_table(strategy, source_sql, target_relation) -%}
    {{ adapter.dispatch('snapshot_staging_table', 'dbt')(strategy, source_sql, target_relation) }}
{% endmacro %}

{# What has to be done to the snapshot, one row each, told apart by dbt_change_type: `insert` a new version, `update`
   the end of the version before it, `delete` likewise for a row that is gone. A strategy's row_changed compares
   snapshotted_data with source_data. #}
{% macro default__snapshot_staging_table(strategy, source_sql, target_relation) -%}
    {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
    {%- set key = strategy.unique_key -%}
    {%- set marks_deletes = strategy.hard_deletes == 'new_record' -%}
    {%- set sees_deletes = marks_deletes or strategy.hard_deletes == 'invalidate' -%}
    {%- set returned = ' or snapshotted_data.' ~ columns.dbt_is_deleted ~ " = 'True'" if marks_deletes else '' -%}
    {%- set stored_mark = ', snapshotted_data.' ~ columns.dbt_is_deleted if marks_deletes else '' -%}
    with snapshot_query as (

        {{ source_sql }}

    ),

    snapshotted_data as (

        select *, {{ unique_key_fields(key) }}
        from {{ target_relation }}
        where {{ _snapshot_is_current(columns, '') }}

    ),

    starting_versions as (

        select *, {{ unique_key_fields(key) }},
            {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
            {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
            {{ get_dbt_valid_to_current(strategy, columns) }},
            {{ strategy.scd_id }} as {{ columns.dbt_scd_id }}
        from snapshot_query

    ),

    ending_versions as (

        select *, {{ unique_key_fields(key) }},
            {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
            {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
            {{ strategy.updated_at }} as {{ columns.dbt_valid_to }}
        from snapshot_query

    ),

    insertions as (

        select 'insert' as dbt_change_type, source_data.*
            {{ ", 'False' as " ~ columns.dbt_is_deleted if marks_deletes }}
        from starting_versions as source_data
        left outer join snapshotted_data
            on {{ unique_key_join_on(key, 'snapshotted_data', 'source_data') }}
        where {{ unique_key_is_null(key, 'snapshotted_data') }}
            or ({{ unique_key_is_not_null(key, 'snapshotted_data') }} and ({{ strategy.row_changed }}{{ returned }}))

    ),

    updates as (

        select 'update' as dbt_change_type, source_data.*, snapshotted_data.{{ columns.dbt_scd_id }}{{ stored_mark }}
        from ending_versions as source_data
        join snapshotted_data
            on {{ unique_key_join_on(key, 'snapshotted_data', 'source_data') }}
        where ({{ strategy.row_changed }}{{ returned }})

    )
    {%- if sees_deletes %},

    {{ _snapshot_deletions(strategy, columns, stored_mark) }}
    {%- endif %}
    {%- if marks_deletes %},

    {{ _snapshot_deletion_records(strategy, columns, source_sql, target_relation) }}
    {%- endif %}

    select * from insertions
    union all
    select * from updates
    {{ 'union all select * from deletes' if sees_deletes }}
    {{ 'union all select * from deletion_records' if marks_deletes }}
{%- endmacro %}

{# The condition that a stored version is the current one, of the table named by the prefix. #}
{% macro _snapshot_is_current(columns, prefix) -%}
    {%- set end = prefix ~ columns.dbt_valid_to -%}
    {%- set current_end = config.get('dbt_valid_to_current') -%}
    {%- if current_end -%}
        ( {{ equals(end, current_end | trim) }} or {{ end }} is null )
    {%- else -%}
        {{ end }} is null
    {%- endif -%}
{%- endmacro %}

{# The condition that the stored version says already that its row is gone. #}
{% macro _snapshot_is_marked(columns) -%}
    {%- set current_end = config.get('dbt_valid_to_current') -%}
    (snapshotted_data.{{ columns.dbt_is_deleted }} = 'True'
        and snapshotted_data.{{ columns.dbt_valid_to }} {{ '= ' ~ current_end if current_end else 'is null' }})
{%- endmacro %}

{% macro _snapshot_deletions(strategy, columns, stored_mark) -%}
    {%- set key = strategy.unique_key -%}
    remaining as (

        select *, {{ unique_key_fields(key) }}
        from snapshot_query

    ),

    deletes as (

        select 'delete' as dbt_change_type, source_data.*,
            {{ snapshot_get_time() }} as {{ columns.dbt_valid_from }},
            {{ snapshot_get_time() }} as {{ columns.dbt_updated_at }},
            {{ snapshot_get_time() }} as {{ columns.dbt_valid_to }},
            snapshotted_data.{{ columns.dbt_scd_id }}{{ stored_mark }}
        from snapshotted_data
        left join remaining as source_data
            on {{ unique_key_join_on(key, 'snapshotted_data', 'source_data') }}
        where {{ unique_key_is_null(key, 'source_data') }}
            {{ 'and not ' ~ _snapshot_is_marked(columns) if stored_mark }}

    )
{%- endmacro %}

{# One more version of each row that is gone: its last values, marked as deleted. #}
{% macro _snapshot_deletion_records(strategy, columns, source_sql, target_relation) -%}
    {%- set key = strategy.unique_key -%}
    {%- set stored = get_list_of_column_names(get_columns_in_relation(target_relation)) -%}
    {%- set terms = [] -%}
    {%- for name in get_columns_in_query(source_sql) -%}
        {%- do terms.append(('snapshotted_data.' if name in stored else 'source_data.') ~ adapter.quote(name)) -%}
    {%- endfor -%}
    {%- if key | is_list -%}
        {%- for part in key -%}
            {%- do terms.append('snapshotted_data.' ~ part ~ ' as dbt_unique_key_' ~ loop.index) -%}
        {%- endfor -%}
    {%- else -%}
        {%- do terms.append('snapshotted_data.dbt_unique_key as dbt_unique_key') -%}
    {%- endif -%}
    deletion_records as (

        select 'insert' as dbt_change_type,
            {{ terms | join(',\n            ') }},
            {{ snapshot_get_time() }} as {{ columns.dbt_valid_from }},
            {{ snapshot_get_time() }} as {{ columns.dbt_updated_at }},
            snapshotted_data.{{ columns.dbt_valid_to }} as {{ columns.dbt_valid_to }},
            {{ snapshot_hash_arguments([columns.dbt_scd_id, snapshot_get_time()]) }} as {{ columns.dbt_scd_id }},
            'True' as {{ columns.dbt_is_deleted }}
        from snapshotted_data
        left join remaining as source_data
            on {{ unique_key_join_on(key, 'snapshotted_data', 'source_data') }}
        where {{ unique_key_is_null(key, 'source_data') }}
            and not {{ _snapshot_is_marked(columns) }}

    )
{%- endmacro %}
