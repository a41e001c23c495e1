{# The macro of a strategy: `name`, or `package.name` for one of a package. #}
{% macro strategy_dispatch(name) -%}
    {% set parts = name.split('.', 1) %}
    {% set macro_name = 'snapshot_' ~ parts[-1] ~ '_strategy' %}
    {% set where = context %}
    {% if parts | length == 2 %}
        {% if parts[0] not in context %}
            {% do exceptions.raise_compiler_error("The snapshot strategy '" ~ name ~ "' names a package that is not there: '" ~ parts[0] ~ "'") %}
        {% endif %}
        {% set where = context[parts[0]] %}
    {% endif %}
    {% if macro_name not in where %}
        {% do exceptions.raise_compiler_error("There is no snapshot strategy '" ~ name ~ "': it would be the macro " ~ macro_name) %}
    {% endif %}
    {% do return(where[macro_name]) %}
{%- endmacro %}

{% macro snapshot_hash_arguments(args) -%}
    {{ adapter.dispatch('snapshot_hash_arguments', 'dbt')(args) }}
{%- endmacro %}

{% macro default__snapshot_hash_arguments(args) -%}
    {%- set texts = [] -%}
    {%- for argument in args -%}
        {%- do texts.append('coalesce(cast(' ~ argument ~ " as varchar ), '')") -%}
    {%- endfor -%}
    md5({{ texts | join("\n         || '|' || ") }}
        )
{%- endmacro %}

{% macro snapshot_string_as_time(timestamp) -%}
    {{ adapter.dispatch('snapshot_string_as_time', 'dbt')(timestamp) }}
{%- endmacro %}

{% macro default__snapshot_string_as_time(timestamp) %}
    {% do exceptions.raise_not_implemented('snapshot_string_as_time is not there for the adapter ' ~ adapter.type()) %}
{% endmacro %}

{# A row is new when its time is later than the start of the stored version. The stored start is compared, not the
   stored updated_at column: an earlier strategy may have had none. #}
{% macro snapshot_timestamp_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
    {% set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() %}
    {% set updated_at = config.get('updated_at') %}
    {% set changed = '(' ~ snapshotted_rel ~ '.' ~ columns.dbt_valid_from ~ ' < ' ~ current_rel ~ '.' ~ updated_at ~ ')' %}
    {% do return(_snapshot_strategy(updated_at, changed)) %}
{% endmacro %}

{# What every strategy returns. #}
{% macro _snapshot_strategy(updated_at, row_changed) %}
    {% set unique_key = config.get('unique_key') %}
    {% set hard_deletes = adapter.get_hard_deletes_behavior(config) %}
    {% do return({
        'unique_key': unique_key,
        'updated_at': updated_at,
        'row_changed': row_changed,
        'scd_id': snapshot_hash_arguments(api.Relation.scd_args(unique_key, updated_at)),
        'invalidate_hard_deletes': hard_deletes == 'invalidate',
        'hard_deletes': hard_deletes,
    }) %}
{% endmacro %}
