{% macro get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted) %}
    {%- set queries = [] -%}
    {%- for expected in rows -%}
        {%- do queries.append(_fixture_select(format_row(expected, column_name_to_data_types), column_name_to_quoted)) -%}
    {%- endfor -%}
    {{- queries | join('\nunion all\n') if queries else 'select * from dbt_internal_unit_test_actual\n    limit 0' -}}
{% endmacro %}

{% macro get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
    {{ adapter.dispatch('get_unit_test_sql', 'dbt')(main_sql, expected_fixture_sql, expected_column_names) }}
{%- endmacro %}

{% macro default__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
{%- set marker = adapter.quote('actual_or_expected') -%}
-- Build actual result given inputs
with dbt_internal_unit_test_actual as (
  select
    {{ expected_column_names | join(',') }}, {{ dbt.string_literal('actual') }} as {{ marker }}
  from (
    {{ main_sql }}
  ) _dbt_internal_unit_test_actual
),
-- Build expected result
dbt_internal_unit_test_expected as (
  select
    {{ expected_column_names | join(', ') }}, {{ dbt.string_literal('expected') }} as {{ marker }}
  from (
    {{ expected_fixture_sql }}
  ) _dbt_internal_unit_test_expected
)
-- Union actual and expected results
select * from dbt_internal_unit_test_actual
union all
select * from dbt_internal_unit_test_expected
{%- endmacro %}
