{# Queries that give a schema and no row. #}

{% macro get_empty_subquery_sql(select_sql, select_sql_header=none) -%}
    {% do return(adapter.dispatch('get_empty_subquery_sql', 'dbt')(select_sql, select_sql_header)) %}
{% endmacro %}

{% macro default__get_empty_subquery_sql(select_sql, select_sql_header=none) %}
    {{- select_sql_header if select_sql_header is not none -}}
    select * from (
        {{ select_sql }}
    ) as __dbt_sbq
    where false
    limit 0
{% endmacro %}

{% macro get_empty_schema_sql(columns) -%}
    {% do return(adapter.dispatch('get_empty_schema_sql', 'dbt')(columns)) %}
{% endmacro %}

{# A null of each declared type under each declared name. #}
{% macro default__get_empty_schema_sql(columns) %}
    {%- set terms = [] -%}
    {%- set untyped = [] -%}
    {%- set unscaled = [] -%}
    {%- for declared in columns.values() -%}
        {%- if declared['data_type'] is not defined -%}
            {%- do untyped.append(declared['name']) -%}
        {%- else -%}
            {%- if declared['data_type'].strip().lower() in ('numeric', 'decimal', 'number') -%}
                {%- do unscaled.append(declared['name']) -%}
            {%- endif -%}
            {%- set name = adapter.quote(declared['name']) if declared.get('quote') else declared['name'] -%}
            {%- do terms.append(cast('null', declared['data_type']) ~ ' as ' ~ name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if untyped -%}
        {%- do exceptions.column_type_missing(column_names=untyped) -%}
    {%- elif unscaled -%}
        {%- do exceptions.warn("Columns of a numeric type without precision and scale may be rounded: " ~ unscaled) -%}
    {%- endif %}
    select
      {{ terms | join(',\n      ') }}
{% endmacro %}

{% macro get_column_schema_from_query(select_sql, select_sql_header=none) -%}
    {% do return(adapter.get_column_schema_from_query(get_empty_subquery_sql(select_sql, select_sql_header))) %}
{% endmacro %}

{% macro get_columns_in_query(select_sql) -%}
    {% do return(adapter.dispatch('get_columns_in_query', 'dbt')(select_sql)) %}
{% endmacro %}

{% macro default__get_columns_in_query(select_sql) %}
    {% call statement('get_columns_in_query', fetch_result=True, auto_begin=False) -%}
        {{ get_empty_subquery_sql(select_sql) }}
    {% endcall %}
    {% do return(load_result('get_columns_in_query').table.columns | map(attribute='name') | list) %}
{% endmacro %}
