{# Python models do not run here: what would write their script says so. #}

{% macro resolve_model_name(input_model_name) %}
    {% do return(adapter.dispatch('resolve_model_name', 'dbt')(input_model_name)) %}
{% endmacro %}

{%- macro default__resolve_model_name(input_model_name) -%}
    {{ input_model_name | string }}
{%- endmacro -%}

{% macro build_ref_function(model) %}
    {% do _no_python(model) %}
{% endmacro %}

{% macro build_source_function(model) %}
    {% do _no_python(model) %}
{% endmacro %}

{% macro build_config_dict(model) %}
    {% do _no_python(model) %}
{% endmacro %}

{% macro py_script_postfix(model) %}
    {% do _no_python(model) %}
{% endmacro %}

{% macro py_script_comment() %}
{% endmacro %}

{% macro _no_python(model) %}
    {% do exceptions.raise_compiler_error('Python models do not run here: write ' ~ model.name ~ ' as a SQL model') %}
{% endmacro %}
