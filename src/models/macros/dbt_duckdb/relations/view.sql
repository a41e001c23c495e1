{% macro duckdb__create_view_as(relation, sql) -%}
  {% set checked = config.get('contract').enforced %}
  {% if checked %}
    {{ get_assert_columns_equivalent(sql) }}
  {%- endif -%}
  {{- config.get('sql_header') or '' }}
  create view {{ relation }} as (
    {{ sql }}
  );
{% endmacro %}
