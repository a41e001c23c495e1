{% macro generate_database_name(custom_database_name=none, node=none) -%}
    {%- do return(adapter.dispatch('generate_database_name', 'dbt')(custom_database_name, node)) -%}
{%- endmacro %}

{% macro default__generate_database_name(custom_database_name=none, node=none) -%}
    {%- if node is not none and node | attr('database') -%}
        {%- set catalog = adapter.build_catalog_relation(node) -%}
        {%- if catalog and catalog | attr('catalog_database') -%}
            {%- do return(catalog.catalog_database) -%}
        {%- endif -%}
    {%- endif -%}
    {{ target.database if custom_database_name is none else custom_database_name }}
{%- endmacro %}
