{% macro get_snapshot_table_column_names() %}
    {% do return({
        'dbt_valid_to': 'dbt_valid_to',
        'dbt_valid_from': 'dbt_valid_from',
        'dbt_scd_id': 'dbt_scd_id',
        'dbt_updated_at': 'dbt_updated_at',
        'dbt_is_deleted': 'dbt_is_deleted',
    }) %}
{% endmacro %}

{% macro create_columns(relation, columns) %}
    {{ adapter.dispatch('create_columns', 'dbt')(relation, columns) }}
{% endmacro %}

{% macro default__create_columns(relation, columns) %}
    {% for col in columns %}
        {% call statement() %}
            alter table {{ relation.render() }} add column {{ adapter.quote(col.name) }} {{ col.expanded_data_type }};
        {% endcall %}
    {% endfor %}
{% endmacro %}

{# The end of validity of a version that is current. The nullif gives the null the type of updated_at. #}
{% macro get_dbt_valid_to_current(strategy, columns) %}
  {% set end = config.get('dbt_valid_to_current') or 'null' %}
  coalesce(nullif({{ strategy.updated_at }}, {{ strategy.updated_at }}), {{ end }})
  as {{ columns.dbt_valid_to }}
{% endmacro %}

{% macro get_true_sql() %}
  {{ adapter.dispatch('get_true_sql', 'dbt')() }}
{% endmacro %}

{% macro default__get_true_sql() %}
    {% do return('TRUE') %}
{% endmacro %}
