{%- macro current_timestamp() -%}
    {{ adapter.dispatch('current_timestamp', 'dbt')() }}
{%- endmacro -%}

{% macro default__current_timestamp() -%}
    {% do exceptions.raise_not_implemented('current_timestamp is not there for the adapter ' ~ adapter.type()) %}
{%- endmacro %}

{%- macro snapshot_get_time() -%}
    {{ adapter.dispatch('snapshot_get_time', 'dbt')() }}
{%- endmacro -%}

{% macro default__snapshot_get_time() %}
    {{ current_timestamp() }}
{% endmacro %}

{% macro get_snapshot_get_time_data_type() %}
    {% set moment = adapter.dispatch('snapshot_get_time', 'dbt')() %}
    {% set described = get_column_schema_from_query('select ' ~ moment ~ ' as dbt_snapshot_time') %}
    {% do return(described[0].dtype or none) %}
{% endmacro %}

{# Names that old packages call. #}

{% macro current_timestamp_backcompat() %}
    {% do return(adapter.dispatch('current_timestamp_backcompat', 'dbt')()) %}
{% endmacro %}

{% macro default__current_timestamp_backcompat() %}
    current_timestamp::timestamp
{% endmacro %}

{% macro current_timestamp_in_utc_backcompat() %}
    {% do return(adapter.dispatch('current_timestamp_in_utc_backcompat', 'dbt')()) %}
{% endmacro %}

{% macro default__current_timestamp_in_utc_backcompat() %}
    {% do return(adapter.dispatch('current_timestamp_backcompat', 'dbt')()) %}
{% endmacro %}
