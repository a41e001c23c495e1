{# Warns when updated_at and the clock of the database have different types: such times compare wrongly. #}
{% macro check_time_data_types(sql) %}
    {% set of_rows = get_updated_at_column_data_type(sql) %}
    {% set of_clock = get_snapshot_get_time_data_type() %}
    {% if of_rows is not none and of_clock is not none and of_rows != of_clock and exceptions.warn_snapshot_timestamp_data_types %}
        {% do exceptions.warn_snapshot_timestamp_data_types(of_clock, of_rows) %}
    {% endif %}
{% endmacro %}

{% macro get_updated_at_column_data_type(snapshot_sql) %}
    {% set found = get_column_schema_from_query(snapshot_sql) | selectattr('column', 'in', ['dbt_updated_at', 'DBT_UPDATED_AT']) | list %}
    {% do return(found[-1].dtype or none if found else none) %}
{% endmacro %}
