{%- macro get_assert_columns_equivalent(sql) -%}
    {{ adapter.dispatch('get_assert_columns_equivalent', 'dbt')(sql) }}
{%- endmacro -%}

{% macro default__get_assert_columns_equivalent(sql) -%}
    {% do return(assert_columns_equivalent(sql)) %}
{%- endmacro %}

{# Fails unless the query gives the declared columns, in any order, with the declared types. #}
{% macro assert_columns_equivalent(sql) %}

  {%- set declared = model['columns'] -%}
  {%- if not declared -%}
      {%- do exceptions.raise_contract_error([], []) -%}
  {%- endif -%}

  {%- set given_columns = format_columns(get_column_schema_from_query(sql, config.get('sql_header', none))) -%}
  {%- set wanted_columns = format_columns(get_column_schema_from_query(get_empty_schema_sql(declared))) -%}

  {%- set differing = [] -%}
  {%- for given in given_columns -%}
      {%- set wanted = wanted_columns | selectattr('name', 'equalto', given['name']) | list | first -%}
      {%- if not wanted or wanted['formatted'] != given['formatted'] -%}
          {%- do differing.append(given['name']) -%}
      {%- endif -%}
  {%- endfor -%}
  {%- if differing or given_columns | length != wanted_columns | length -%}
      {%- do exceptions.raise_contract_error(wanted_columns, given_columns) -%}
  {%- endif -%}

{% endmacro %}

{% macro format_columns(columns) %}
  {% set described = [] %}
  {% for col in columns %}
    {% do described.append(adapter.dispatch('format_column', 'dbt')(col)) %}
  {% endfor %}
  {% do return(described) %}
{% endmacro %}

{% macro default__format_column(column) -%}
  {% do return({
      'name': column.name,
      'data_type': column.dtype,
      'formatted': column.column.lower() ~ ' ' ~ column.dtype,
  }) %}
{%- endmacro -%}
