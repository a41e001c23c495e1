{%- macro get_table_columns_and_constraints() -%}
    {{ adapter.dispatch('get_table_columns_and_constraints', 'dbt')() }}
{%- endmacro -%}

{% macro default__get_table_columns_and_constraints() -%}
    {% do return(table_columns_and_constraints()) %}
{%- endmacro %}

{% macro table_columns_and_constraints() %}
  {# the declared columns with their constraints, then those of the table #}
    {%- set of_columns = adapter.render_raw_columns_constraints(raw_columns=model['columns']) -%}
    {%- set of_table = adapter.render_raw_model_constraints(raw_constraints=model['constraints']) -%}
    (
    {{ of_columns | join(',\n    ') }}{{ ',' if of_table }}
    {# each line has its end #}
    {% for line in of_table -%}
        {{ line }}{{ ',' if not loop.last }}
    {% endfor -%}
    )
{% endmacro %}

{% macro default__get_column_names() %}
    {%- set names = [] -%}
    {%- for declared in model['columns'].values() -%}
        {%- do names.append(adapter.quote(declared['name']) if declared.get('quote') else declared['name']) -%}
    {%- endfor -%}
    {{ names | join(', ') }}
{%- endmacro %}

{# The query with its columns in the declared order. #}
{% macro get_select_subquery(sql) %}
    {% do return(adapter.dispatch('get_select_subquery', 'dbt')(sql)) %}
{% endmacro %}

{% macro default__get_select_subquery(sql) %}
    select {{ adapter.dispatch('get_column_names', 'dbt')() }}
    from (
        {{ sql }}
    ) as model_subq
{%- endmacro %}
