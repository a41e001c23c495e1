{# These run what they make and return its SQL. #}

{% macro create_csv_table(model, agate_table) -%}
    {{ adapter.dispatch('create_csv_table', 'dbt')(model, agate_table) }}
{%- endmacro %}

{% macro default__create_csv_table(model, agate_table) %}
  {% set declared_types = model['config'].get('column_types', {}) %}
  {% set quoting = model['config'].get('quote_columns', none) %}
  {% set definitions = [] %}
  {% for name in agate_table.column_names %}
    {% set kind = declared_types.get(name, adapter.convert_type(agate_table, loop.index0)) %}
    {% do definitions.append(adapter.quote_seed_column(name | string, quoting) ~ ' ' ~ kind) %}
  {% endfor %}

  {% set creation %}
    create table {{ this.render() }} ({{ definitions | join(',') }})
  {% endset %}
  {% call statement('_') -%}
    {{ creation }}
  {%- endcall %}
  {% do return(creation) %}
{% endmacro %}

{% macro reset_csv_table(model, full_refresh, old_relation, agate_table) -%}
    {{ adapter.dispatch('reset_csv_table', 'dbt')(model, full_refresh, old_relation, agate_table) }}
{%- endmacro %}

{% macro default__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
  {% if full_refresh %}
    {% do adapter.drop_relation(old_relation) %}
    {% do return(create_csv_table(model, agate_table)) %}
  {% endif %}
  {% do adapter.truncate_relation(old_relation) %}
  {% do return('truncate table ' ~ old_relation.render()) %}
{% endmacro %}

{% macro get_csv_sql(create_or_truncate_sql, insert_sql) %}
    {{ adapter.dispatch('get_csv_sql', 'dbt')(create_or_truncate_sql, insert_sql) }}
{% endmacro %}

{% macro default__get_csv_sql(create_or_truncate_sql, insert_sql) %}
    {{ create_or_truncate_sql }};
    -- dbt seed --
    {{ insert_sql }}
{% endmacro %}
