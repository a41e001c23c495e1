{%- materialization unit, default -%}

  {% set header = config.get('sql_header') if flags.REQUIRE_SQL_HEADER_IN_TEST_CONFIGS else none %}
  {% set expected_rows = config.get('expected_rows') %}
  {% set expected_sql = config.get('expected_sql') %}
  {% set compared = get_columns_in_query(sql) if expected_rows | length == 0 else expected_rows[0].keys() %}

  {# an empty table of the model's shape tells the names and types of its columns #}
  {% set shape = make_temp_relation(this.incorporate(type='table')) %}
  {% do run_query(get_create_table_as_sql(True, shape, get_empty_subquery_sql(sql))) %}
  {% set kinds = {} %}
  {% set spelled = {} %}
  {% for col in adapter.get_columns_in_relation(shape) %}
    {% do kinds.update({col.name | lower: col.data_type}) %}
    {% do spelled.update({col.name | lower: col.quoted}) %}
  {% endfor %}

  {% set compared_spelled = [] %}
  {% for name in compared %}
    {% do compared_spelled.append(spelled[name | lower]) %}
  {% endfor %}

  {% set expected = expected_sql or get_expected_sql(expected_rows, kinds, spelled) %}
  {% set comparison = get_unit_test_sql(sql, expected, compared_spelled) %}

  {% call statement('main', fetch_result=True) -%}

    {{ header or '' }}
    {{ comparison }}

  {%- endcall %}

  {% do adapter.drop_relation(shape) %}
  {% do return({'relations': []}) %}

{%- endmaterialization -%}
