{%- materialization test, default -%}

  {% set header = config.get('sql_header') if flags.REQUIRE_SQL_HEADER_IN_TEST_CONFIGS else none %}
  {% set kept = [] %}

  {% set failing_rows %}
    {{ get_limit_subquery_sql(sql, config.get('limit')) }}
  {% endset %}

  {% if should_store_failures() %}
    {% do kept.append(_store_test_failures(failing_rows, header)) %}
    {% set failing_rows %}
        select *
        from {{ kept[0] }}
    {% endset %}
  {% endif %}

  {% call statement('main', fetch_result=True) -%}

    {{ header or '' }}
    {# the rows are limited already #}
    {{ get_test_sql(failing_rows, config.get('fail_calc'), config.get('warn_if'), config.get('error_if'), limit=none) }}

  {%- endcall %}

  {% do return({'relations': kept}) %}

{%- endmaterialization -%}

{# Replaces the stored failures of this test by those of failing_rows, commits, and returns the relation. #}
{% macro _store_test_failures(failing_rows, header) %}
  {% set kind = config.get('store_failures_as') or 'table' %}
  {% if kind not in ('table', 'view') %}
    {% do exceptions.raise_compiler_error(
        "store_failures_as is '" ~ kind ~ "'; it may be 'ephemeral', 'table' or 'view'") %}
  {% endif %}

  {% set place = {'database': database, 'schema': schema, 'identifier': model['alias']} %}
  {% set former = adapter.get_relation(**place) %}
  {% if former %}
    {% do adapter.drop_relation(former) %}
  {% endif %}

  {% set stored = api.Relation.create(type=kind, **place) %}
  {% call statement(auto_begin=True) %}
    {{ header or '' }}
    {{ get_create_sql(stored, failing_rows) }}
  {% endcall %}
  {% do adapter.commit() %}
  {% do return(stored) %}
{% endmacro %}
