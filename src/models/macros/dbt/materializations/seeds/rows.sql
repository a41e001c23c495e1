{% macro get_binding_char() -%}
    {{ adapter.dispatch('get_binding_char', 'dbt')() }}
{%- endmacro %}

{% macro default__get_binding_char() %}
    {% do return('%s') %}
{% endmacro %}

{% macro get_batch_size() -%}
    {% do return(adapter.dispatch('get_batch_size', 'dbt')()) %}
{%- endmacro %}

{% macro default__get_batch_size() %}
    {% do return(10000) %}
{% endmacro %}

{% macro get_seed_column_quoted_csv(model, column_names) %}
    {% set quoting = model['config'].get('quote_columns', none) %}
    {% set names = [] %}
    {% for name in column_names %}
        {% do names.append(adapter.quote_seed_column(name, quoting)) %}
    {% endfor %}
    {% do return(names | join(', ')) %}
{% endmacro %}

{% macro load_csv_rows(model, agate_table) -%}
    {{ adapter.dispatch('load_csv_rows', 'dbt')(model, agate_table) }}
{%- endmacro %}

{# Inserts in batches, with bound values; the SQL of the first stands for all of them. #}
{% macro default__load_csv_rows(model, agate_table) %}
  {% set names = get_seed_column_quoted_csv(model, agate_table.column_names) %}
  {% set marks = [] %}
  {% for name in agate_table.column_names %}
    {% do marks.append(get_binding_char()) %}
  {% endfor %}
  {% set marked_row = '(' ~ marks | join(',') ~ ')' %}

  {% set inserts = [] %}
  {% for rows in agate_table.rows | batch(get_batch_size()) %}
    {% set values = [] %}
    {% set marked_rows = [] %}
    {% for row in rows %}
      {% do values.extend(row) %}
      {% do marked_rows.append(marked_row) %}
    {% endfor %}

      {% set insertion %}
          insert into {{ this.render() }} ({{ names }}) values
          {{ marked_rows | join(',') }}
      {% endset %}
    {% do adapter.add_query(insertion, bindings=values, abridge_sql_log=True) %}
    {% if loop.first %}
      {% do inserts.append(insertion) %}
    {% endif %}
  {% endfor %}
  {% do return(inserts[0]) %}
{% endmacro %}
