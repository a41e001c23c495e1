{# Functions of DuckDB are macros of its own, with a query for a body. Types of arguments are left out: only files of a
   newer format take them, and the files of most projects are older. #}
{% macro duckdb__formatted_scalar_function_args_sql() %}
    {% set given = [] %}
    {% for argument in model.arguments %}
        {% set default = argument.get('default_value', none) %}
        {% do given.append(argument.name ~ (' := ' ~ default if default is not none else '')) %}
    {% endfor %}
    {{- given | join(', ') -}}
{% endmacro %}

{# What it returns has the type that was promised. #}
{% macro duckdb__scalar_function_sql(target_relation) %}
    create or replace function {{ target_relation.render() }}({{ formatted_scalar_function_args_sql() | trim }}) as (
        cast((
            {{ model.compiled_code }}
        ) as {{ model.returns.data_type }})
    )
{% endmacro %}

{% macro duckdb__table_function_sql(target_relation) %}
    create or replace function {{ target_relation.render() }}({{ formatted_scalar_function_args_sql() | trim }}) as table (
        {{ model.compiled_code }}
    )
{% endmacro %}
