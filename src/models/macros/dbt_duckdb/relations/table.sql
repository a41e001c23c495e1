{% macro create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
    {% do return(adapter.dispatch('create_table_as', 'dbt')(temporary, relation, compiled_code, language, partitioned_by=partitioned_by, sorted_by=sorted_by)) %}
{%- endmacro %}

{# A temporary table is checked against the contract but has no constraints: DuckDB would refuse them. #}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
  {%- if language == 'python' -%}
    {%- do return(py_write_table(temporary=temporary, relation=relation, compiled_code=compiled_code, partitioned_by=partitioned_by, sorted_by=sorted_by)) -%}
  {%- elif language != 'sql' -%}
    {%- do exceptions.raise_compiler_error("DuckDB creates tables from SQL, not from '" ~ language ~ "'") -%}
  {%- endif -%}
    {%- set checked = config.get('contract').enforced %}
    {% if checked %}
      {{ get_assert_columns_equivalent(compiled_code) }}
    {% endif -%}
    {{- config.get('sql_header') or '' }}

    create {{ 'temporary' if temporary }} table
      {{ relation.include(database=(not temporary), schema=(not temporary)) }}
  {% if checked and not temporary %}
    {#- the rows follow, so that every one meets the constraints -#}
    {{ get_table_columns_and_constraints() }} ;
    {{ _duckdb_layout_sql(relation, partitioned_by) }}
    {{ _duckdb_order_sql(relation, sorted_by) }}
    insert into {{ relation }} {{ get_column_names() }} (
      {{ get_select_subquery(compiled_code) }}
    );
  {% else %}
    {% if partitioned_by or sorted_by %}
    as (
      select * from (
        {{ compiled_code }}
      ) as model_subq
      limit 0
    );
    {{ _duckdb_layout_sql(relation, partitioned_by) }}
    {{ _duckdb_order_sql(relation, sorted_by) }}
    insert into {{ relation }}
      select * from (
        {{ compiled_code }}
      ) as model_subq;
    {% else %}
    as (
      {{ compiled_code }}
    );
    {% endif %}
  {% endif -%}
{% endmacro %}

{% macro _duckdb_layout_sql(relation, partitioned_by) -%}
    {{ duckdb__alter_table_set_partitioned_by(relation, partitioned_by) if partitioned_by }}
{%- endmacro %}

{% macro _duckdb_order_sql(relation, sorted_by) -%}
    {{ duckdb__alter_table_set_sorted_by(relation, sorted_by) if sorted_by }}
{%- endmacro %}

{# The declared columns, as the list after `insert into`. #}
{% macro get_column_names() %}
  {# in the order of the properties #}
    {%- set declared = model['columns'].values() -%}
    (
    {% for col in declared %}
      {% set quoted = col.get('quote') %}
      {# a name that is not quoted folds #}
      {{ adapter.quote(col['name']) if quoted else col['name'] }} {{ ',' if not loop.last }}
    {% endfor %}
  )
{% endmacro %}

{% macro py_write_table(temporary, relation, compiled_code, partitioned_by=none, sorted_by=none) -%}
    {% do exceptions.raise_compiler_error('Python models do not run here: write ' ~ relation ~ ' as a SQL model') %}
{% endmacro %}
