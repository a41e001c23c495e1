{% macro generate_schema_name(custom_schema_name=none, node=none) -%}
    {%- do return(adapter.dispatch('generate_schema_name', 'dbt')(custom_schema_name, node)) -%}
{% endmacro %}

{% macro default__generate_schema_name(custom_schema_name, node) -%}
    {{ target.schema if custom_schema_name is none else target.schema ~ '_' ~ custom_schema_name | trim }}
{%- endmacro %}

{# The bare custom name in the target called prod, one shared schema in every other. #}
{% macro generate_schema_name_for_env(custom_schema_name, node) -%}
    {%- set wanted = custom_schema_name is not none and target.name == 'prod' -%}
    {{ custom_schema_name | trim if wanted else target.schema }}
{%- endmacro %}
