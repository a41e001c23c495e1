{% macro formatted_scalar_function_args_sql() %}
    {% do return(adapter.dispatch('formatted_scalar_function_args_sql', 'dbt')()) %}
{% endmacro %}

{% macro default__formatted_scalar_function_args_sql() %}
    {% set given = [] %}
    {% for argument in model.arguments %}
        {%- do given.append(argument.name ~ ' ' ~ argument.data_type) -%}
    {% endfor %}
    {{ given | join(', ') }}
{% endmacro %}

{% macro formatted_scalar_function_args_javascript() %}
    {% do return(adapter.dispatch('formatted_scalar_function_args_javascript', 'dbt')()) %}
{% endmacro %}

{% macro default__formatted_scalar_function_args_javascript() %}
    {% do exceptions.raise_compiler_error('The adapter ' ~ adapter.type() ~ ' has no functions in JavaScript') %}
{% endmacro %}

{% macro get_formatted_aggregate_function_args() %}
    {% do return(adapter.dispatch('get_formatted_aggregate_function_args', 'dbt')()) %}
{% endmacro %}

{% macro default__get_formatted_aggregate_function_args() %}
    {{ formatted_scalar_function_args_sql() }}
{% endmacro %}
